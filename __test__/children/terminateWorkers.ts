// Terminates one worker after another in the middle of a proof; the main thread then proves.

import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { groth16 } from 'nalloc'
import { readJson, semaphore } from '../_repository.ts'

const REPORTS_MAX = 3

async function terminateInProof(lastReport: number): Promise<void> {
  const worker = new Worker(path.join(__dirname, 'provingWorker.js'))
  await new Promise<void>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', (message: number | 'proved') => {
      if (message === 'proved') reject(new Error(`a worker finished before report ${lastReport}`))
      else if (message === lastReport) resolve()
    })
  })
  const status = await worker.terminate()
  if (status !== 1) throw new Error(`a terminated worker ended with ${status}, expected 1`)
}

async function main(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await terminateInProof(round % REPORTS_MAX)

  const { zkey, wasm, vk, input } = semaphore(5)
  const { proof, publicSignals } = await groth16.fullProve(input, wasm, zkey)
  if (!(await groth16.verify(readJson(vk), publicSignals, proof))) process.exitCode = 1
  process.stdout.write('done')
}

main(Number(process.argv[2]))
