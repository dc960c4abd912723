// Sums and transforms for ever; what it has ends with its thread.

import { FrVector, G1Vector, msm, ntt } from 'nalloc/bn254'

const LENGTH = 2 ** 17

async function main(): Promise<void> {
  const bytes = new Uint8Array(64 * LENGTH)
  for (let at = 0; at < bytes.length; at += 64) {
    bytes[at] = 1
    bytes[at + 32] = 2
  }
  const points = await G1Vector.fromBytes(bytes)
  for (;;) {
    const scalars = await FrVector.fromBytes(new Uint8Array(32 * LENGTH).fill(7))
    const other = FrVector.alloc(LENGTH)
    const calls = [msm(points, scalars), ntt.forward(other), msm(points, scalars)]
    scalars.dispose()
    other.dispose()
    await Promise.all(calls)
  }
}

main()
