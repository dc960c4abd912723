// Terminates busy workers at moments that a seed chooses; the main thread proves all the while.

import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { ProvingKey, stats } from 'nalloc'
import { randomWords } from '../_random.ts'
import { semaphore } from '../_repository.ts'

/** Longer than a worker takes to open, to compute and to prove. */
const MS_MAX = 150
const SETTLE_TURNS_MAX = 1000

async function terminate(ticket: string, ms: number): Promise<void> {
  const worker = new Worker(path.join(__dirname, 'busyWorker.js'), { workerData: ticket })
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await new Promise((resolve) => setTimeout(resolve, ms))
  await worker.terminate()
}

async function main(rounds: number, seed: number): Promise<void> {
  const random = randomWords(seed)
  const { zkey, wasm, input } = semaphore(5)
  const key = await ProvingKey.open(zkey)
  const { keys, secretBytes } = stats()
  for (let round = 0; round < rounds; round += 1) {
    const both = [0, 1].map(() => terminate(key.share(), random() % MS_MAX))
    const { proof, publicSignals } = await key.fullProve(input, wasm)
    if (!(await key.verifyingKey.verify(proof, publicSignals))) throw new Error('invalid')
    await Promise.all(both)
  }
  // What a terminated worker left in the line ends with its next question.
  for (let turn = 0; turn < SETTLE_TURNS_MAX && stats().keys > keys; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const left = { keys: stats().keys - keys, secretBytes: stats().secretBytes - secretBytes }
  if (left.keys > 0 || left.secretBytes > 0) throw new Error(JSON.stringify(left))
  process.stdout.write('done')
}

main(Number(process.argv[2]), Number(process.argv[3]))
