// One process of groth16.ts from its start: opens a key, proves for the first time, then warm, and
// sends what that took. Its arguments are the files of a key and of a witness.

import fs from 'node:fs'
import { ProvingKey } from 'nalloc'
import { median, peakBytes, resetPeak } from './_bench.ts'

/** What a process told. */
export interface Fresh {
  readonly openMs: number
  readonly firstMs: number
  readonly warmMs: number
  readonly verifyMs: number
  /** Length of the key's file. */
  readonly fileBytes: number
  /** What the key, a proof and the process are said to need. */
  readonly estimatedBytes: number
  /** How much the process grew at most, from before the key was opened to after a proof. */
  readonly riseBytes: number
  /** Whether a proof may have what it was said to need, and not a tenth less. */
  readonly isLimitExact: boolean
}

const WARM_ROUNDS = 11

async function main(zkey: string, wtns: string): Promise<Fresh> {
  resetPeak()
  const beforeBytes = peakBytes()
  const [openMs, key] = await timed(() => ProvingKey.open(zkey))
  const [firstMs, { proof, publicSignals }] = await timed(() => key.prove(wtns))
  const riseBytes = peakBytes() - beforeBytes

  const warm: number[] = []
  const verified: number[] = []
  for (let round = 0; round < WARM_ROUNDS; round += 1) {
    warm.push((await timed(() => key.prove(wtns)))[0])
  }
  for (let round = 0; round < WARM_ROUNDS; round += 1) {
    const [ms, isValid] = await timed(() => key.verifyingKey.verify(proof, publicSignals))
    if (!isValid) throw new Error('expected a valid proof, got an invalid one')
    verified.push(ms)
  }
  const { keyBytes, peakBytes: proofBytes, processBytes } = key.estimate()
  return {
    openMs,
    firstMs,
    warmMs: median(warm),
    verifyMs: median(verified),
    fileBytes: fs.statSync(zkey).size,
    estimatedBytes: keyBytes + proofBytes + processBytes,
    riseBytes,
    isLimitExact: await isLimitExact(key, wtns, proofBytes),
  }
}

async function isLimitExact(key: ProvingKey, wtns: string, proofBytes: number): Promise<boolean> {
  await key.prove(wtns, { memoryLimit: proofBytes })
  const refused = key.prove(wtns, { memoryLimit: Math.floor(0.9 * proofBytes) })
  return refused.then(
    () => false,
    (error: unknown) => (error as { code?: string }).code === 'ERR_LIMIT',
  )
}

async function timed<T>(work: () => Promise<T>): Promise<[number, T]> {
  const startMs = performance.now()
  const result = await work()
  return [performance.now() - startMs, result]
}

const [zkey = '', wtns = ''] = process.argv.slice(2)
main(zkey, wtns).then((fresh) => process.send?.(fresh))
