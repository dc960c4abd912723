// Opens, computes and proves without end; posts once when it has begun.

import { parentPort, workerData } from 'node:worker_threads'
import { Circuit, ProvingKey } from 'nalloc'
import { semaphore } from '../_repository.ts'

async function main(ticket: string): Promise<void> {
  const { zkey, wasm, input } = semaphore(5)
  parentPort?.postMessage('begun')
  for (;;) {
    using shared = ProvingKey.fromShared(ticket)
    using key = await ProvingKey.open(zkey)
    const circuit = await Circuit.open(wasm)
    const onProgress = (): void => {}
    await Promise.all([
      key.fullProve(input, circuit, { onProgress }),
      shared.fullProve(input, circuit, { onProgress }),
    ])
  }
}

main(workerData as string)
