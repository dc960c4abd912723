// The points of a ceremony in native memory.

import { checkInteger } from '../_check.ts'
import { wrongType } from '../errors.ts'
import { binding, type NativeSrs } from '../native.ts'
import type { FieldLike } from '../options.ts'
import { compute } from './_compute.ts'
import { elementBytes, LENGTH_MAX } from './_elements.ts'
import { Owned } from './_owned.ts'
import type { ComputeOptions } from './options.ts'

/** The native points of an `Srs`. @internal */
export let nativeSrsOf: (srs: Srs) => NativeSrs

/**
 * A structured reference string: powers of a secret tau, times the generators of both groups, as a
 * ceremony leaves them, checked once. Commitments to polynomials up to `maxDegree` are made with it.
 *
 * @example
 * import { Srs } from 'nalloc/bn254'
 *
 * using srs = await Srs.unsafeForTests(5n, 100)
 * console.log(`${srs}`) // Srs(degree up to 100)
 */
export class Srs extends Owned {
  /** The highest degree of a polynomial that can be committed to. */
  readonly maxDegree: number
  readonly #native: NativeSrs

  static {
    nativeSrsOf = (srs) => srs.#native
  }

  private constructor(native: NativeSrs) {
    super()
    this.#native = native
    this.maxDegree = native.degreeMax
  }

  /**
   * Powers of a tau that the caller knows, from 1 to `maxDegree`. **For tests alone**: whoever knows
   * tau can open a commitment to any value.
   *
   * @throws ERR_NON_CANONICAL, ERR_INVALID_ARG; ERR_BAD_SRS for a tau of zero; ERR_LIMIT, ERR_NO_MEMORY,
   * ERR_QUEUE_FULL
   */
  static async unsafeForTests(
    tau: FieldLike,
    maxDegree: number,
    options?: ComputeOptions,
  ): Promise<Srs> {
    const bytes = elementBytes('tau', tau)
    const degree = checkInteger('maxDegree', maxDegree, [1, LENGTH_MAX - 1])
    if (degree === undefined) throw wrongType('maxDegree', 'an integer', 'undefined')
    const { unsafeSrsForTests } = binding()
    return new Srs(
      await compute(options, (limit, task) => unsafeSrsForTests(bytes, degree, limit, task)),
    )
  }

  /** True after `dispose()`. */
  get isDisposed(): boolean {
    return this.#native.isDisposed
  }

  dispose(): void {
    this.#native.dispose()
  }

  /** @internal */
  protected describe(): readonly [kind: string, size: string] {
    return ['Srs', `degree up to ${this.maxDegree}`]
  }
}
