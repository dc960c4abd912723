// Every option of `nalloc/bn254`, documented field by field.

import type { Bytes } from '../_source.ts'
import type { Arena } from '../arena.ts'
import type { AbortOptions, FieldLike, Size, TaskOptions } from '../options.ts'
import type { G1 } from './point.ts'

/** Options of what `nalloc/bn254` computes. */
export interface ComputeOptions extends TaskOptions {
  /** Refuse with ERR_LIMIT what needs more bytes than this. @defaultValue no limit */
  readonly memoryLimit?: Size | undefined
}

/** Options of `FrVector.alloc`. */
export interface PlaceOptions {
  /**
   * Take the memory from this arena, until it is reset: of a secret one, it is out of swap and core
   * dumps, and wiped also when the process exits. @defaultValue the heap
   */
  readonly arena?: Arena | undefined
}

/** Options of `FrVector.from` and `FrVector.fromBytes`. */
export interface VectorOptions extends PlaceOptions, AbortOptions {}

/** Options of `G1Vector.fromBytes`. */
export interface PointsOptions extends TaskOptions {
  /**
   * 'curve': every point must satisfy the curve's equation, which makes it one of G1. 'none': the
   * caller has checked it before; sums of points that are none are of no use. Coordinates must be
   * below q in any case. @defaultValue 'curve'
   */
  readonly check?: 'curve' | 'none' | undefined
}

/** Options of `ntt.forward` and `ntt.inverse`. */
export interface TransformOptions extends ComputeOptions {
  /**
   * Transform to, or from, the values on the coset of this number, in [1, r): at its products with
   * the roots of unity. @defaultValue 1, the roots of unity themselves
   */
  readonly coset?: FieldLike | undefined
}

/** Options of `Kzg.open`. */
export interface OpeningOptions extends ComputeOptions {
  /**
   * The commitment to the polynomial, as `commit` gave it; with another one the opening is not
   * accepted. @defaultValue it is computed
   */
  readonly commitment?: G1 | undefined
}

/** What a proof of several openings is bound to. */
export interface ContextOptions {
  /**
   * What the proof is for, such as a hash of a transcript, in at most 65,536 bytes. It becomes a part
   * of the challenges, so the proof is accepted with the same bytes alone. @defaultValue no bytes
   */
  readonly context?: Bytes | undefined
}

/** Options of `Kzg.openAtPoint`. */
export interface PointOpeningOptions extends ComputeOptions, ContextOptions {
  /**
   * The commitments to the polynomials, as `commit` gave them, one for each; with others the opening
   * is not accepted. @defaultValue they are computed
   */
  readonly commitments?: readonly G1[] | undefined
}

/** Options of `Kzg.openAtPoints`. */
export interface PointsOpeningOptions extends ComputeOptions, ContextOptions {}

/** Options of `Kzg.verifyAtPoint` and `Kzg.verifyAtPoints`. */
export interface OpeningsCheckOptions extends AbortOptions, ContextOptions {}
