// Proves and waits, so that its memory can be looked at: with its witness still held, or disposed.
// Says what it has done on stdout, goes on at each line on stdin.

import { createInterface } from 'node:readline'
import { Circuit, ProvingKey } from 'nalloc'
import { semaphore } from '../_repository.ts'

async function main(): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const { zkey, wasm, input } = semaphore(5)
  const key = await ProvingKey.open(zkey)
  const circuit = await Circuit.open(wasm)

  const witness = await circuit.witness(input)
  process.stdout.write('held\n')
  await lines.next()

  await key.prove(witness)
  await key.prove(witness, { unsafeBlinding: { r: 3n, s: 4n } })
  const { signal } = new AbortController()
  await key.fullProve(input, circuit, { signal })
  // A report that comes too late stops nothing; then this is one more whole proof.
  await key.prove(witness, { onProgress: stopInMsm }).catch(ignore)
  witness.dispose()
  process.stdout.write('disposed\n')
  await lines.next()
  key.dispose()
  process.exit(0)
}

function stopInMsm({ phase }: { readonly phase: string }): void {
  if (phase === 'msm') throw new Error('stop')
}

function ignore(): void {}

main()
