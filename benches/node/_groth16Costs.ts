// The limits of `npm run bench` on what a key costs, from what fresh processes told.

import { median } from './_bench.ts'
import type { Fresh } from './_groth16Fresh.ts'
import type { Limit } from './_limits.ts'

const OPEN_MS_MAX = 150
const VERIFY_MS_MAX = 2
/** How many times one proof 64 may take that are verified together. */
const BATCH_MAX = 12
/** How many times a warm proof the first one may take. */
const FIRST_MAX = 1.3
/** Bytes that a process may grow by beside the length of the key's file. */
const RISE_BYTES_MAX = 64 * 2 ** 20
/** Of what the process grew by, how much the estimate may be. */
const ESTIMATE = { least: 1, most: 1.1 }

/** The median of each figure. */
export function medianOf(all: readonly Fresh[]): Fresh {
  const of = (figure: (fresh: Fresh) => number): number => median(all.map(figure))
  return {
    openMs: of(({ openMs }) => openMs),
    firstMs: of(({ firstMs }) => firstMs),
    warmMs: of(({ warmMs }) => warmMs),
    verifyMs: of(({ verifyMs }) => verifyMs),
    batchMs: of(({ batchMs }) => batchMs),
    fileBytes: of(({ fileBytes }) => fileBytes),
    estimatedBytes: of(({ estimatedBytes }) => estimatedBytes),
    // The worst: an estimate must hold for every process.
    riseBytes: Math.max(...all.map(({ riseBytes }) => riseBytes)),
    isLimitExact: all.every(({ isLimitExact }) => isLimitExact),
  }
}

/** The limits for one circuit. */
export function limitsOf(name: string, fresh: Fresh): Limit[] {
  const { openMs, firstMs, warmMs, verifyMs, batchMs, fileBytes, estimatedBytes, riseBytes } = fresh
  const mib = (bytes: number): number => bytes / 2 ** 20
  const refusals = fresh.isLimitExact ? 0 : 1
  return [
    { name: `${name}: opening`, unit: 'ms', most: OPEN_MS_MAX, measured: openMs },
    { name: `${name}: verifying`, unit: 'ms', most: VERIFY_MS_MAX, measured: verifyMs },
    {
      name: `${name}: verifying 64 proofs together, of one`,
      unit: 'x',
      most: BATCH_MAX,
      measured: batchMs / verifyMs,
    },
    {
      name: `${name}: first proof of a process, of a warm one`,
      unit: 'x',
      most: FIRST_MAX,
      measured: firstMs / warmMs,
    },
    {
      name: `${name}: memory from before opening to after a proof`,
      unit: 'MiB',
      most: mib(fileBytes + RISE_BYTES_MAX),
      measured: mib(riseBytes),
    },
    {
      name: `${name}: estimate, of that memory`,
      unit: 'x',
      ...ESTIMATE,
      measured: estimatedBytes / riseBytes,
    },
    {
      name: `${name}: limits of the estimate and a tenth less that were not kept`,
      unit: 'x',
      most: 0,
      measured: refusals,
    },
  ]
}
