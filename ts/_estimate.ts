// What a circuit will need, from the counts in the header of its key or constraint file.

import { callNative } from './_call.ts'
import { binding } from './native.ts'

/**
 * Entries of the matrices A and B for each signal, where the header does not tell: the circuits of
 * Semaphore have 4.0 to 4.2 (depth 32 to 1).
 */
const COEFFICIENTS_PER_SIGNAL = 4

/** The counts of a circuit, each below 2^32. @internal */
export interface Shape {
  /** Signals, the constant one included. */
  readonly nVars: number
  /** Outputs and public inputs. */
  readonly nPublic: number
  /** Size of the evaluation domain, a power of two. */
  readonly domainSize: number
  /** Entries of the matrices A and B: (length of section 4 of the .zkey - 4) / 44. */
  readonly nCoefficients?: number | undefined
}

/** What a circuit will need. @internal */
export interface ShapeEstimate {
  /**
   * Bytes of the open key: too few by the rounding of its 14 arrays to pages (8 KiB each, at most),
   * and, without `nCoefficients`, by 36 for each entry of the matrices above 4 per signal.
   */
  readonly keyBytes: number
  /** Most bytes that a proof uses at one time, beside the key: what `ProvingKey.estimate` says. */
  readonly proofBytes: number
}

/** @internal */
export function estimateOf({ nVars, nPublic, domainSize, nCoefficients }: Shape): ShapeEstimate {
  const assumed = Math.min(nVars * COEFFICIENTS_PER_SIGNAL, 2 ** 32 - 1)
  const shape = { nVars, nPublic, domainSize, nCoefficients: nCoefficients ?? assumed }
  return callNative(() => binding().estimateOf(shape))
}
