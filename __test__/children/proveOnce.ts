// Proves once, with everything that could keep a process alive, and leaves the end to Node.

import { Circuit, ProvingKey, stats } from 'nalloc'
import { semaphore } from '../_repository.ts'

async function main(): Promise<void> {
  const { zkey, wasm, input } = semaphore(5)
  const key = await ProvingKey.open(zkey)
  const circuit = await Circuit.open(wasm)
  const { signal } = new AbortController()
  const { proof, publicSignals } = await key.fullProve(input, circuit, {
    signal,
    onProgress: () => undefined,
  })
  const isValid = await key.verifyingKey.verify(proof, publicSignals)
  // Neither the key nor the figures are given back.
  if (!isValid || stats().liveBytes === 0) process.exitCode = 1
  process.stdout.write('done')
}

main()
