// What a circuit will need, where nalloc could prove it.

import { estimateOf, type Shape } from '../../_estimate.ts'
import { codeOf } from '../../errors.ts'
import type { CurveName } from './curve.ts'

/** What a circuit takes, in bytes: predicted, not measured. */
export interface Predicted {
  /** The open key. */
  readonly keyBytes: number
  /** One proof at its peak, beside the key. */
  readonly proofBytes: number
}

/** The largest domain over BN254: the roots of twice its order must exist. */
export const DOMAIN_SIZE_MAX = 2 ** 27

/** Null for what nalloc does not prove, and where the addon, which knows, does not load. */
export function predict(curve: CurveName, shape: Shape): Predicted | null {
  if (curve !== 'bn128' || shape.domainSize > DOMAIN_SIZE_MAX) return null
  try {
    const { keyBytes, proofBytes } = estimateOf(shape)
    return { keyBytes, proofBytes }
  } catch (error) {
    const code = codeOf(error)
    // A file can be looked at on any machine.
    if (code === 'ERR_PLATFORM' || code === 'ERR_BINARY_MISSING') return null
    throw error
  }
}
