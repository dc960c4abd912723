// Commitments to polynomials, and proofs of their values.

import { Call, callNative } from '../_call.ts'
import { checkOptions, showType } from '../_check.ts'
import { ELEMENT_BYTES } from '../_field.ts'
import { wrongType } from '../errors.ts'
import { binding } from '../native.ts'
import type { AbortOptions, FieldLike } from '../options.ts'
import { compute } from './_compute.ts'
import { elementBytes, isElement } from './_elements.ts'
import { checkVector, type FrVector, nativeVectorOf } from './frVector.ts'
import {
  bytesAtPoint,
  bytesAtPoints,
  checkContext,
  checkPolynomials,
  checkQueries,
  type KzgOpeningAtPoint,
  type KzgOpeningAtPoints,
  type KzgQuery,
  openingAtPointOf,
  openingAtPointsOf,
} from './openings.ts'
import type {
  ComputeOptions,
  OpeningOptions,
  OpeningsCheckOptions,
  PointOpeningOptions,
  PointsOpeningOptions,
} from './options.ts'
import { bytesOfPoint, type G1, isPoint, numberOf, POINT_BYTES, pointOf } from './point.ts'
import { checkPolynomial, nativePolynomialOf, type Polynomial } from './polynomial.ts'
import { nativeSrsOf, Srs } from './srs.ts'

/** A claim that a committed polynomial has a value at a point, and its proof. */
export interface KzgOpening {
  /** The commitment to the polynomial. */
  readonly commitment: G1
  /** Where it is opened, an integer in [0, r). */
  readonly point: bigint
  /** Its value there, an integer in [0, r). */
  readonly value: bigint
  /** The commitment to the quotient of the polynomial less its value by X less the point. */
  readonly proof: G1
}

const OPENING_BYTES = 2 * POINT_BYTES + 2 * ELEMENT_BYTES

/**
 * Commitments to polynomials and proofs of their values, in the scheme of Kate, Zaverucha and
 * Goldberg. A commitment binds and does not hide: whoever guesses the polynomial can check the guess.
 *
 * How long commitments and openings take, and which memory they touch, depends on the coefficients.
 *
 * @example
 * import { Kzg, Polynomial, Srs } from 'nalloc/bn254'
 *
 * using srs = await Srs.unsafeForTests(123456789n, 15)
 * using polynomial = await Polynomial.fromCoefficients([1, 2, 3]) // 1 + 2 X + 3 X^2
 * const kzg = new Kzg(srs)
 * const opening = await kzg.open(polynomial, 10)
 * console.log(opening.value, await kzg.verify(opening)) // 321n true
 * console.log(await kzg.verify({ ...opening, value: 322n })) // false
 */
export class Kzg {
  readonly #srs: Srs

  /** With the points of `srs`, which the caller disposes of when nothing needs them any more. */
  constructor(srs: Srs) {
    if (!(srs instanceof Srs)) throw wrongType('srs', 'an Srs', showType(srs))
    this.#srs = srs
  }

  /**
   * The commitment to a polynomial; infinity for the zero polynomial.
   *
   * @throws ERR_DEGREE where the polynomial has a higher degree than the SRS; ERR_LIMIT,
   * ERR_NO_MEMORY, ERR_QUEUE_FULL; ERR_INVALID_ARG, ERR_DISPOSED
   */
  async commit(polynomial: Polynomial, options?: ComputeOptions): Promise<G1> {
    const native = nativePolynomialOf(checkPolynomial('polynomial', polynomial))
    const { kzgCommit } = binding()
    return pointOf(
      await compute(options, (limit, task) =>
        kzgCommit(nativeSrsOf(this.#srs), native, limit, task),
      ),
    )
  }

  /**
   * The commitment to the polynomial of least degree that has these values at the roots of unity.
   *
   * @throws ERR_DOMAIN unless they are a power of two; ERR_BUSY while a call changes the vector; what
   * `commit` throws
   * @example
   * import { FrVector, Kzg, Srs } from 'nalloc/bn254'
   *
   * using srs = await Srs.unsafeForTests(123456789n, 15)
   * using values = await FrVector.from([1, 1, 1, 1])
   * console.log(await new Kzg(srs).commitEvaluations(values)) // { x: 1n, y: 2n }
   */
  async commitEvaluations(evaluations: FrVector, options?: ComputeOptions): Promise<G1> {
    const vector = checkVector('evaluations', evaluations)
    const { kzgCommitEvaluations } = binding()
    return pointOf(
      await compute(options, (limit, task) =>
        kzgCommitEvaluations(nativeSrsOf(this.#srs), nativeVectorOf(vector), limit, task),
      ),
    )
  }

  /**
   * The value of a polynomial at a point, and its proof. Its commitment is a part of that: given in
   * the options, it is not computed again, which takes half of the time.
   *
   * @throws ERR_NON_CANONICAL, ERR_NOT_ON_CURVE; what `commit` throws
   */
  async open(
    polynomial: Polynomial,
    point: FieldLike,
    options?: OpeningOptions,
  ): Promise<KzgOpening> {
    const native = nativePolynomialOf(checkPolynomial('polynomial', polynomial))
    const at = elementBytes('point', point)
    const { commitment } = checkOptions(options)
    const given = commitment === undefined ? null : bytesOfPoint('commitment', commitment)
    const { kzgOpen } = binding()
    const bytes = await compute(options, (limit, task) =>
      kzgOpen(nativeSrsOf(this.#srs), native, at, given, limit, task),
    )
    return openingOf(bytes)
  }

  /**
   * The values of 1..1024 polynomials at one point, with one proof for all of them, in about the time
   * of one opening and of the commitments that are not given.
   *
   * The proof is for these polynomials, values, SRS and `context`: its challenge is a hash of them.
   *
   * @throws ERR_DEGREE, ERR_NON_CANONICAL, ERR_NOT_ON_CURVE with the index; what `open` throws
   * @example
   * import { Kzg, Polynomial, Srs } from 'nalloc/bn254'
   *
   * using srs = await Srs.unsafeForTests(123456789n, 15)
   * using line = await Polynomial.fromCoefficients([1, 1]) // 1 + X
   * using square = await Polynomial.fromCoefficients([0, 0, 1]) // X^2
   * const kzg = new Kzg(srs)
   * const opening = await kzg.openAtPoint([line, square], 10)
   * console.log(opening.values, await kzg.verifyAtPoint(opening)) // [ 11n, 100n ] true
   */
  async openAtPoint(
    polynomials: readonly Polynomial[],
    point: FieldLike,
    options?: PointOpeningOptions,
  ): Promise<KzgOpeningAtPoint> {
    const checked = checkOptions(options)
    const opened = checkPolynomials(polynomials, checked.commitments)
    const at = elementBytes('point', point)
    const context = checkContext(checked.context)
    const { kzgOpenAtPoint } = binding()
    const bytes = await compute(options, (limit, task) =>
      kzgOpenAtPoint(
        nativeSrsOf(this.#srs),
        opened.polynomials,
        opened.commitments,
        at,
        settingsOf(context, limit),
        task,
      ),
    )
    return openingAtPointOf(bytes, polynomials.length, at)
  }

  /**
   * The values of 1..1024 polynomials, each at points of its own, with one proof of two points of G1
   * for all of them: the scheme of Boneh, Drake, Fisch and Gabizon. At most 1024 points in all; the
   * time is that of two commitments, a division for each different point, and the commitments that
   * are not given.
   *
   * @throws ERR_INVALID_ARG for a point that a polynomial has twice; what `openAtPoint` throws
   * @example
   * import { Kzg, Polynomial, Srs } from 'nalloc/bn254'
   *
   * using srs = await Srs.unsafeForTests(123456789n, 15)
   * using line = await Polynomial.fromCoefficients([1, 1]) // 1 + X
   * using square = await Polynomial.fromCoefficients([0, 0, 1]) // X^2
   * const kzg = new Kzg(srs)
   * const opening = await kzg.openAtPoints([
   *   { polynomial: line, points: [10, 20] },
   *   { polynomial: square, points: [20] },
   * ])
   * console.log(opening.claims[0].values) // [ 11n, 21n ]
   * console.log(opening.claims[1].values, await kzg.verifyAtPoints(opening)) // [ 400n ] true
   */
  async openAtPoints(
    queries: readonly KzgQuery[],
    options?: PointsOpeningOptions,
  ): Promise<KzgOpeningAtPoints> {
    const opened = checkQueries(queries)
    const context = checkContext(checkOptions(options).context)
    const { kzgOpenAtPoints } = binding()
    const bytes = await compute(options, (limit, task) =>
      kzgOpenAtPoints(
        nativeSrsOf(this.#srs),
        opened.polynomials,
        opened.commitments,
        opened.points,
        settingsOf(context, limit),
        task,
      ),
    )
    return openingAtPointsOf(bytes, opened.points)
  }

  /**
   * Whether the polynomial of a commitment has this value at this point; false for anything
   * malformed.
   *
   * @throws ERR_DISPOSED; the signal's reason, when it fires before the answer
   */
  async verify(opening: KzgOpening, options?: AbortOptions): Promise<boolean> {
    return this.verifyBatch([opening], options)
  }

  /**
   * Whether every opening is right, in about the time of a few: true for none, false for anything
   * malformed. `verify` says which one is not.
   *
   * Equations are weighted by 128 random bits each from the operating system, so that a wrong one
   * passes with a probability of at most 2^-128, whoever chose the openings.
   *
   * @throws ERR_INVALID_ARG for what is no array; what `verify` throws
   */
  async verifyBatch(openings: readonly KzgOpening[], options?: AbortOptions): Promise<boolean> {
    if (!Array.isArray(openings)) {
      throw wrongType('openings', 'an array of openings', showType(openings))
    }
    const call = new Call({ signal: checkOptions(options).signal })
    const bytes = new Uint8Array(openings.length * OPENING_BYTES)
    for (const [i, opening] of openings.entries()) {
      if (!writeOpening(bytes.subarray(i * OPENING_BYTES), opening)) return false
    }
    const { kzgVerify } = binding()
    return call.run((task) => kzgVerify(nativeSrsOf(this.#srs), bytes, task))
  }

  /**
   * Whether an opening of `openAtPoint` is right, made with the same `context`; false for anything
   * malformed. It speaks of the commitments and the point that it names: compare them with those that
   * you expect.
   *
   * @throws as `verify`; ERR_INVALID_ARG for a context that is none
   */
  async verifyAtPoint(
    opening: KzgOpeningAtPoint,
    options?: OpeningsCheckOptions,
  ): Promise<boolean> {
    const checked = checkOptions(options)
    const call = new Call({ signal: checked.signal })
    const context = checkContext(checked.context)
    const bytes = bytesAtPoint(opening)
    if (bytes === undefined) return false
    const { kzgVerifyAtPoint } = binding()
    return call.run((task) => kzgVerifyAtPoint(nativeSrsOf(this.#srs), bytes, context, task))
  }

  /**
   * Whether an opening of `openAtPoints` is right, as `verifyAtPoint`.
   *
   * @throws as `verifyAtPoint`
   */
  async verifyAtPoints(
    opening: KzgOpeningAtPoints,
    options?: OpeningsCheckOptions,
  ): Promise<boolean> {
    const checked = checkOptions(options)
    const call = new Call({ signal: checked.signal })
    const context = checkContext(checked.context)
    const said = bytesAtPoints(opening)
    if (said === undefined) return false
    const { kzgVerifyAtPoints } = binding()
    return call.run((task) =>
      kzgVerifyAtPoints(nativeSrsOf(this.#srs), said.counts, said.bytes, context, task),
    )
  }

  /**
   * The arguments of a Solidity function `(uint256[2], uint256, uint256, uint256[2])`: the commitment,
   * the point, the value and the proof, in words of EIP-196. Infinity is two zeros.
   *
   * @throws ERR_INVALID_ARG for what is no opening
   */
  static toCalldata(opening: KzgOpening): string {
    const bytes = new Uint8Array(OPENING_BYTES)
    if (!writeOpening(bytes, opening)) {
      throw wrongType('opening', 'what open() gave', showType(opening))
    }
    return callNative(() => binding().kzgCalldata(bytes))
  }
}

function settingsOf(context: Uint8Array, memoryLimitBytes: number | undefined) {
  return { context, ...(memoryLimitBytes !== undefined && { memoryLimitBytes }) }
}

function openingOf(bytes: Uint8Array): KzgOpening {
  const value = POINT_BYTES + ELEMENT_BYTES
  return {
    commitment: pointOf(bytes),
    point: numberOf(bytes.subarray(POINT_BYTES)),
    value: numberOf(bytes.subarray(value)),
    proof: pointOf(bytes.subarray(value + ELEMENT_BYTES)),
  }
}

/** False for what is no opening; whether its numbers are below their moduli is seen later. */
function writeOpening(bytes: Uint8Array, opening: unknown): boolean {
  if (typeof opening !== 'object' || opening === null) return false
  const { commitment, point, value, proof } = opening as Partial<KzgOpening>
  if (!isPoint(commitment) || !isPoint(proof)) return false
  if (!isElement(point) || !isElement(value)) return false
  bytes.set(bytesOfPoint('commitment', commitment))
  bytes.set(elementBytes('point', point), POINT_BYTES)
  bytes.set(elementBytes('value', value), POINT_BYTES + ELEMENT_BYTES)
  bytes.set(bytesOfPoint('proof', proof), POINT_BYTES + 2 * ELEMENT_BYTES)
  return true
}
