// Is refused in many ways, says nothing about it, and then proves.

import path from 'node:path'
import { Circuit, groth16, ProvingKey } from 'nalloc'
import { fixtures, semaphore } from '../_repository.ts'

async function main(): Promise<void> {
  const { zkey, wasm, input } = semaphore(1)
  const malformed = path.join(fixtures, 'malformed')
  const circuit = await Circuit.open(wasm)
  const calls: (() => Promise<unknown>)[] = [
    () => ProvingKey.open('absent.zkey'),
    () => ProvingKey.open(path.join(malformed, 'zkey_truncated_last_byte.zkey')),
    () => groth16.prove(zkey, path.join(malformed, 'wtns_magic.wtns')),
    () =>
      groth16.prove(
        path.join(malformed, 'base.zkey'),
        path.join(malformed, 'wtns_not_satisfying.wtns'),
      ),
    () => groth16.fullProve({ ...input, secret: '-1' }, wasm, zkey),
    () => circuit.witness({ nosuch: 1 }),
    () => groth16.prove(wasm, zkey),
    () => groth16.fullProve(input, wasm, zkey, { signal: AbortSignal.abort() }),
  ]
  for (const [i, call] of calls.entries()) {
    const outcome = await call().then(
      () => 'accepted',
      () => 'refused',
    )
    if (outcome === 'accepted') throw new Error(`refusal ${i} was accepted`)
  }
  await groth16.fullProve(input, wasm, zkey)
}

main()
