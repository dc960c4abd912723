// Ends the process, or workers, some milliseconds after sums and transforms were started.

import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { FrVector, ntt } from 'nalloc/bn254'

const EXIT_CODE = 7
const MOMENTS_MS = [1, 30, 60, 100, 150, 250, 400]

async function terminate(file: string): Promise<void> {
  for (const ms of MOMENTS_MS) {
    const workers = [new Worker(file), new Worker(file)]
    await sleep(ms)
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  const vector = await FrVector.from([1, 1])
  await ntt.forward(vector)
  if (vector.at(0) !== 2n || vector.at(1) !== 0n) process.exitCode = 1
  process.stdout.write('done')
}

const [, , what = '', argument = ''] = process.argv
if (what === 'terminate') {
  terminate(argument)
} else {
  setTimeout(() => process.exit(EXIT_CODE), Number(argument))
  require('./bn254Worker.js')
}
