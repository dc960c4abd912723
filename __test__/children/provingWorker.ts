// Proves, and posts 0 when the proof has begun, then the number of each progress report.

import { parentPort } from 'node:worker_threads'
import { Circuit, ProvingKey } from 'nalloc'
import { semaphore } from '../_repository.ts'

async function main(): Promise<void> {
  const { zkey, wasm, input } = semaphore(32)
  const key = await ProvingKey.open(zkey)
  const witness = await (await Circuit.open(wasm)).witness(input)
  let reports = 0
  const proving = key.prove(witness, {
    onProgress: () => {
      reports += 1
      parentPort?.postMessage(reports)
    },
  })
  parentPort?.postMessage(0)
  await proving
  parentPort?.postMessage('proved')
}

main()
