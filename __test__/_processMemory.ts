// Witness values, and where they lie in the memory of another process, as its owner or a debugger
// could see it.

import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import { ProvingKey } from 'nalloc'
import { calculator } from './_internal.ts'
import { semaphore } from './_repository.ts'
import { elementBytes, PRIME, WtnsSink } from './_wtns.ts'

/** Smaller values occur by chance. */
const VALUE_MIN = 2n ** 200n
const CHUNK_BYTES = 2 ** 24
const ELEMENT_BYTES = 32
/** Most memory is zero, which is told fast, a block at a time. */
const ZEROS = Buffer.alloc(4096)

export interface Patterns {
  readonly plain: Buffer[]
  readonly montgomery: Buffer[]
  /** The .wtns file of the witness. */
  readonly file: Uint8Array
}

/**
 * The private values of a witness, as the bytes that hold them in plain and in Montgomery form.
 * Leaves out what is public: constants of the circuit's program and of its key, and small numbers.
 */
export async function patterns(): Promise<Patterns> {
  const { wasm, zkey, input } = semaphore(5)
  using key = await ProvingKey.open(zkey)
  const { nPublic } = key.info
  const module = await calculator.compileCalculator(wasm, fs.readFileSync(wasm))
  const sink = await calculator.calculate(module, input, (length) => new WtnsSink(length))
  const bytes = sink.file.subarray(-sink.length * ELEMENT_BYTES)
  const values = Array.from({ length: sink.length }, (_, i) => {
    const element = bytes.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES)
    return BigInt(`0x${Buffer.from(element).reverse().toString('hex')}`)
  })
  const publics = new Set(values.slice(0, nPublic + 1))
  const files = [fs.readFileSync(wasm), fs.readFileSync(zkey)]
  // Coefficients of a key are stored as x * 2^512.
  const isPublic = (value: bigint): boolean =>
    publics.has(value) ||
    [0n, 256n, 512n].some((shift) => {
      const bytes = elementBytes((value << shift) % PRIME)
      return files.some((file) => file.includes(bytes))
    })
  const secrets = [...new Set(values)].filter((value) => value > VALUE_MIN && !isPublic(value))
  return {
    plain: secrets.map(elementBytes),
    montgomery: secrets.map((value) => elementBytes((value << 256n) % PRIME)),
    file: sink.file,
  }
}

/** Finds any of many patterns, at any byte, in one pass. */
class Finder {
  /** Marks the first two bytes of every pattern. */
  readonly #marks = new Uint8Array(2 ** 16)
  readonly #byStart = new Map<number, Buffer>()

  constructor(patterns: readonly Buffer[]) {
    for (const pattern of patterns) {
      this.#marks[pattern.readUInt16LE()] = 1
      this.#byStart.set(pattern.readUInt32LE(), pattern)
    }
  }

  *positions(chunk: Buffer): Generator<{ i: number; pattern: Buffer }> {
    const marks = this.#marks
    for (let i = 0; i + ELEMENT_BYTES <= chunk.length; i += 1) {
      // Up to where a pattern could begin that reaches beyond the zeros.
      if (i % ZEROS.length === 0 && isZero(chunk, i)) i += ZEROS.length - ELEMENT_BYTES + 1
      if (marks[(chunk[i] ?? 0) | ((chunk[i + 1] ?? 0) << 8)] === 0) continue
      const pattern = this.#byStart.get(chunk.readUInt32LE(i))
      if (pattern?.equals(chunk.subarray(i, i + ELEMENT_BYTES))) yield { i, pattern }
    }
  }
}

function isZero(chunk: Buffer, start: number): boolean {
  const end = start + ZEROS.length
  return end <= chunk.length && ZEROS.compare(chunk, start, end) === 0
}

/** A mapping of a process: its access, as in `rw-p`, and its length. */
export type Wanted = (access: string, bytes: bigint) => boolean

/** What the process itself can write to. */
const isWritable: Wanted = (access) => access.startsWith('rw')

/** Where any of the patterns, of 32 bytes, lies in the writable memory of a process. */
export function search(pid: number, wanted: readonly Buffer[]): string[] {
  return [...matches(pid, wanted, isWritable)].map(({ where }) => where)
}

/** As `search`: each place with its pattern. The kernel shows us what is not accessible, too. */
export function* matches(
  pid: number,
  wanted: readonly Buffer[],
  isSearched: Wanted,
): Generator<{ readonly where: string; readonly pattern: Buffer }> {
  const finder = new Finder(wanted)
  const maps = fs.readFileSync(`/proc/${pid}/maps`, 'utf8').trim().split('\n')
  const memory = fs.openSync(`/proc/${pid}/mem`, 'r')
  try {
    for (const line of maps) {
      const [, start = '', end = '', flags = ''] = /^(\w+)-(\w+) (\S+)/.exec(line) ?? []
      const [from, to] = [BigInt(`0x${start}`), BigInt(`0x${end}`)]
      if (!isSearched(flags, to - from)) continue
      for (const { address, chunk } of chunksOf(memory, from, to)) {
        for (const { i, pattern } of finder.positions(chunk)) {
          yield { where: `${(address + BigInt(i)).toString(16)} in ${line}`, pattern }
        }
      }
    }
  } finally {
    fs.closeSync(memory)
  }
}

function* chunksOf(memory: number, start: bigint, end: bigint) {
  // Neighbours overlap, so that no value is cut in two.
  for (let address = start; address < end; address += BigInt(CHUNK_BYTES - ELEMENT_BYTES)) {
    const rest = end - address
    const chunk = Buffer.alloc(rest < BigInt(CHUNK_BYTES) ? Number(rest) : CHUNK_BYTES)
    try {
      fs.readSync(memory, chunk, 0, chunk.length, address)
      yield { address, chunk }
    } catch {
      // Some mappings of the kernel cannot be read by anybody.
    }
  }
}

/** Waits for a line of a child. */
export async function says(child: ChildProcess, expected: string, lines: AsyncIterator<string>) {
  const { value } = await lines.next()
  if (value !== expected) throw new Error(`child ${child.pid}: expected ${expected}, got ${value}`)
}
