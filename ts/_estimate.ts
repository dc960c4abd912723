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
   * The most bytes of the open key, but for the rounding of its 27 arrays to pages (8 KiB each, at
   * most). Points at infinity and coefficients 1 and -1, which a header does not tell, take less;
   * without `nCoefficients`, entries of the matrices above 4 per signal take 36 more each.
   */
  readonly keyBytes: number
  /** Most bytes that a proof uses at one time, beside the key; an open key may say fewer. */
  readonly proofBytes: number
}

/** @internal */
export function estimateOf({ nVars, nPublic, domainSize, nCoefficients }: Shape): ShapeEstimate {
  const assumed = Math.min(nVars * COEFFICIENTS_PER_SIGNAL, 2 ** 32 - 1)
  const shape = { nVars, nPublic, domainSize, nCoefficients: nCoefficients ?? assumed }
  return callNative(() => binding().estimateOf(shape))
}
