// Proves a witness that is given in one of several forms, whole, stopped and failing, so that its
// memory can be looked at. Says what it has done on stdout, goes on at each line on stdin.
//
// Reads what is secret with positioned reads into buffers of its own, which it overwrites: strings
// and bigints could not be.

import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { Circuit, type NallocError, type Progress, ProvingKey, SecretBuf } from 'nalloc'
import { artifacts } from '../_repository.ts'

type Prove = (options: { onProgress?: (progress: Progress) => void }) => Promise<unknown>

/** A form of a witness: how it is proved, and how the caller's own copy is wiped. */
interface Form {
  readonly prove: Prove
  readonly wipe: () => void
}

const stem = path.join(artifacts, 'semaphore-5')
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function say(text: string): Promise<void> {
  process.stdout.write(`${text}\n`)
  await lines.next()
}

function readBytes(file: string): Uint8Array {
  const bytes = new Uint8Array(fs.statSync(file).size)
  const descriptor = fs.openSync(file, 'r')
  fs.readSync(descriptor, bytes, 0, bytes.length, 0)
  fs.closeSync(descriptor)
  return bytes
}

async function formOf(kind: string, file: string): Promise<Form> {
  const key = await ProvingKey.open(`${stem}.zkey`)
  if (kind === 'file') return { prove: (options) => key.prove(file, options), wipe: () => {} }
  if (kind === 'secret') {
    const secret = await SecretBuf.fromFile(file)
    return { prove: (options) => key.prove(secret, options), wipe: () => secret.dispose() }
  }
  if (kind === 'bytes' || kind === 'shared') {
    const read = readBytes(file)
    const bytes = kind === 'bytes' ? read : new Uint8Array(new SharedArrayBuffer(read.length))
    if (kind === 'shared') {
      bytes.set(read)
      read.fill(0)
    }
    return { prove: (options) => key.prove(bytes, options), wipe: () => bytes.fill(0) }
  }
  const circuit = await Circuit.open(`${stem}.wasm`)
  const names = fs.readdirSync(file)
  const input = Object.fromEntries(names.map((name) => [name, readBytes(path.join(file, name))]))
  const wipe = (): void => {
    for (const bytes of Object.values(input)) bytes.fill(0)
  }
  return { prove: (options) => key.fullProve(input, circuit, options), wipe }
}

function stopInMsm({ phase }: Progress): void {
  if (phase === 'msm') throw new Error('stop')
}

async function main([kind = '', good = '', wrong = '']: readonly string[]): Promise<void> {
  const form = await formOf(kind, good)
  await say('held')
  await Promise.all([form.prove({}), form.prove({})])
  form.wipe()
  await say('proved')

  const stopped = await formOf(kind, good)
  // A report that comes too late stops nothing; then this is one more whole proof.
  await stopped.prove({ onProgress: stopInMsm }).catch(() => {})
  stopped.wipe()
  await say('stopped')

  const failing = await formOf(kind, wrong)
  const error = await failing.prove({}).catch((thrown: NallocError) => thrown)
  failing.wipe()
  await say(error instanceof Error && 'code' in error ? String(error.code) : 'a proof')
  process.exit(0)
}

main(process.argv.slice(2))
