// Ends the process some milliseconds after everything was started: a key that is opened, a witness
// that is computed, proofs that run and wait.

import { Circuit, configure, ProvingKey } from 'nalloc'
import { semaphore } from '../_repository.ts'

const EXIT_CODE = 7

async function main(ms: number): Promise<void> {
  const { zkey, wasm, input } = semaphore(20)
  configure({ concurrency: 2 })
  setTimeout(() => process.exit(EXIT_CODE), ms)
  for (;;) {
    const [key, circuit] = await Promise.all([ProvingKey.open(zkey), Circuit.open(wasm)])
    const witness = await circuit.witness(input)
    const onProgress = (): void => {}
    await Promise.all([1, 2, 3].map(() => key.prove(witness, { onProgress })))
    key.dispose()
    witness.dispose()
  }
}

main(Number(process.argv[2]))
