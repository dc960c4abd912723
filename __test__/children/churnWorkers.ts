// Makes sixty workers, some at a time, and terminates each after a while that its seed says,
// wherever it is. Only the workers load the addon.

import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { randomWords } from '../_random.ts'

const WORKERS = 60
const WORKERS_AT_ONCE = 6
/** Turns of the event loop that a worker may live; some are terminated while they load. */
const TURNS_MAX = 3000

async function live(seed: number): Promise<void> {
  const turns = randomWords(seed)() % TURNS_MAX
  const worker = new Worker(path.join(__dirname, 'allocatingWorker.js'), { workerData: seed })
  const failed = new Promise<never>((_, reject) => worker.once('error', reject))
  const lived = (async () => {
    for (let turn = 0; turn < turns; turn += 1) await new Promise((next) => setImmediate(next))
  })()
  await Promise.race([lived, failed])
  await worker.terminate()
}

async function main(round: number): Promise<void> {
  const seeds = Array.from({ length: WORKERS }, (_, i) => round * WORKERS + i)
  const lane = async (): Promise<void> => {
    for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop()) await live(seed)
  }
  await Promise.all(Array.from({ length: WORKERS_AT_ONCE }, lane))
  process.stdout.write('done')
}

main(Number(process.argv[2]))
