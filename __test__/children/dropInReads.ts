// Proves again and again with one path, and says what each call read. Leaves the end to Node.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { groth16, keyCache } from 'nalloc/snarkjs'
import { semaphore } from '../_repository.ts'

const { zkey, wasm, input } = semaphore(10)
const RESTED = new Date('2020-01-01')

/** Bytes that the process has read so far, from whatever. */
function readBytes(): number {
  const [, digits] = /^rchar: (\d+)$/m.exec(fs.readFileSync('/proc/self/io', 'utf8')) ?? []
  return Number(digits)
}

async function main(): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  const key = path.join(folder, 'circuit.zkey')
  const place = (name: string) => {
    fs.copyFileSync(zkey, name)
    fs.utimesSync(name, RESTED, RESTED)
  }
  const prove = () => groth16.fullProve(input, wasm, key)
  const reads: Record<string, number> = {}
  const measure = async (name: string, work: () => Promise<unknown>) => {
    const before = readBytes()
    await work()
    reads[name] = readBytes() - before
  }
  place(key)
  await measure('together', () => Promise.all(Array.from({ length: 8 }, prove)))
  await measure('again', prove)
  const replacement = path.join(folder, 'new.zkey')
  place(replacement)
  fs.renameSync(replacement, key)
  await measure('replaced', prove)
  fs.writeFileSync(key, fs.readFileSync(zkey))
  fs.utimesSync(key, RESTED, RESTED)
  await measure('rewritten', prove)
  await measure('again after that', prove)
  keyCache.clear()
  await measure('cleared', prove)
  fs.rmSync(folder, { recursive: true })
  process.stdout.write(`${JSON.stringify({ keyBytes: fs.statSync(zkey).size, reads })}\ndone`)
}

main()
