// One process of groth16.ts from its start: opens a key, proves for the first time, then warm, and
// sends what that took. Its arguments are the files of a key and of a witness.

import fs from 'node:fs'
import { type ProofItem, ProvingKey } from 'nalloc'
import { median, peakBytes, resetPeak } from './_bench.ts'

/** What a process told. */
export interface Fresh {
  readonly openMs: number
  readonly firstMs: number
  readonly warmMs: number
  readonly verifyMs: number
  /** What `BATCH_PROOFS` proofs take together. */
  readonly batchMs: number
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
const BATCH_PROOFS = 64

async function main(zkey: string, wtns: string): Promise<Fresh> {
  resetPeak()
  const beforeBytes = peakBytes()
  const [openMs, key] = await timed(() => ProvingKey.open(zkey))
  const [firstMs, { proof, publicSignals }] = await timed(() => key.prove(wtns))
  const riseBytes = peakBytes() - beforeBytes

  const warm: number[] = []
  const verified: number[] = []
  const together: number[] = []
  const proofs: ProofItem[] = []
  for (let round = 0; round < WARM_ROUNDS; round += 1) {
    const [ms, result] = await timed(() => key.prove(wtns))
    warm.push(ms)
    proofs.push(result)
  }
  const batch = Array.from({ length: BATCH_PROOFS }, (_, i) => proofs[i % WARM_ROUNDS] as ProofItem)
  for (let round = 0; round < WARM_ROUNDS; round += 1) {
    const [ms, isValid] = await timed(() => key.verifyingKey.verify(proof, publicSignals))
    const [batchMs, areValid] = await timed(() => key.verifyingKey.verifyBatch(batch))
    if (!isValid || !areValid) throw new Error('expected valid proofs, got an invalid one')
    verified.push(ms)
    together.push(batchMs)
  }
  const { keyBytes, peakBytes: proofBytes, processBytes } = key.estimate()
  return {
    openMs,
    firstMs,
    warmMs: median(warm),
    verifyMs: median(verified),
    batchMs: median(together),
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
