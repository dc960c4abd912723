// What Linux tells about this process in /proc and /sys. Every reader takes the root folder, so that
// tests have trees of their own; a file that cannot be read is `undefined`, never an error.

import fs from 'node:fs/promises'
import path from 'node:path'

const CAP_IPC_LOCK = 14n
const KIB = 1024

/** Addresses from the first byte to the one behind the last. @internal */
export interface Addresses {
  readonly start: number
  readonly end: number
}

/** How the kernel hands out huge pages: the bracketed word. @internal */
export async function hugePageMode(root: string): Promise<string | undefined> {
  const text = await read(root, 'sys/kernel/mm/transparent_hugepage/enabled')
  return /\[(\w+)\]/.exec(text ?? '')?.[1]
}

/** What is in memory of a range of addresses. @internal */
export interface Residence {
  readonly residentBytes: number
  /** The part of it that is on huge pages. */
  readonly hugeBytes: number
}

/** What is in memory of the mappings that begin within `within`. @internal */
export async function residenceOf(
  root: string,
  within: Addresses | undefined,
): Promise<Residence | undefined> {
  const text = await read(root, 'proc/self/smaps')
  if (text === undefined) return undefined
  const bytes = { Rss: 0, AnonHugePages: 0 }
  let isInside = false
  for (const line of text.split('\n')) {
    const [, start] = /^([0-9a-f]+)-[0-9a-f]+ /.exec(line) ?? []
    if (start !== undefined && within !== undefined) {
      const address = Number.parseInt(start, 16)
      isInside = address >= within.start && address < within.end
    }
    const [, name, kib] = /^(Rss|AnonHugePages): +(\d+) kB$/.exec(line) ?? []
    if (isInside && name !== undefined) bytes[name as keyof typeof bytes] += Number(kib) * KIB
  }
  return { residentBytes: bytes.Rss, hugeBytes: bytes.AnonHugePages }
}

/** Bytes that this process may lock, Infinity for all of them. @internal */
export async function lockableBytes(root: string): Promise<number | undefined> {
  const [limits, status] = await Promise.all([
    read(root, 'proc/self/limits'),
    read(root, 'proc/self/status'),
  ])
  const [, soft] = /^Max locked memory +(\d+|unlimited) /m.exec(limits ?? '') ?? []
  const [, rights] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status ?? '') ?? []
  const mayLockAll = rights !== undefined && (BigInt(`0x${rights}`) >> CAP_IPC_LOCK) % 2n === 1n
  if (mayLockAll || soft === 'unlimited') return Number.POSITIVE_INFINITY
  return soft === undefined ? undefined : Number(soft)
}

/** Whether a file whose path is like this is mapped into this process. @internal */
export async function isMapped(root: string, file: RegExp): Promise<boolean> {
  const text = await read(root, 'proc/self/maps')
  return (text ?? '').split('\n').some((line) => file.test(line))
}

async function read(root: string, file: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path.join(root, file), 'utf8')
  } catch {
    return undefined
  }
}
