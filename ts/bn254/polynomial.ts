// A polynomial over the scalar field in native memory.

import { checkOptions, showType } from '../_check.ts'
import { wrongType } from '../errors.ts'
import { binding, type NativePolynomial, type NativeTask } from '../native.ts'
import type { FieldLike } from '../options.ts'
import { compute } from './_compute.ts'
import { elementBytes } from './_elements.ts'
import { Owned } from './_owned.ts'
import { checkVector, FrVector, makeVector, nativeVectorOf } from './frVector.ts'
import type { ComputeOptions } from './options.ts'

/** The native polynomial of a `Polynomial`. @internal */
export let nativePolynomialOf: (polynomial: Polynomial) => NativePolynomial

/** What a division by X - z gives: the polynomial is quotient * (X - z) + remainder. */
export interface Division {
  /** Whoever has it disposes of it. */
  readonly quotient: Polynomial
  /** The value at z, an integer in [0, r). */
  readonly remainder: bigint
}

/**
 * A polynomial over the scalar field of BN254 in native memory. Nothing changes it: operations make
 * new ones, and any number of calls may use it at once. Zeros at the end of its coefficients do not
 * count, so equal polynomials have equal degrees.
 *
 * Its coefficients are overwritten before their memory is freed, as those of an `FrVector`, and so is
 * what an operation that is stopped had made.
 *
 * @example
 * import { Polynomial } from 'nalloc/bn254'
 *
 * using line = await Polynomial.fromCoefficients([1, 1]) // 1 + X
 * using square = await line.mul(line)
 * console.log(square.degree, await square.evaluate(9)) // 2 100n
 * const { quotient, remainder } = await square.divideByLinear(2)
 * console.log(quotient.degree, remainder) // 1 9n
 * quotient.dispose()
 */
export class Polynomial extends Owned {
  /** The highest power with a coefficient that is not zero; -1 of the zero polynomial. */
  readonly degree: number
  readonly #native: NativePolynomial

  static {
    nativePolynomialOf = (polynomial) => polynomial.#native
  }

  private constructor(native: NativePolynomial) {
    super()
    this.#native = native
    this.degree = native.length - 1
  }

  /**
   * The polynomial whose coefficient of X^j is element j.
   *
   * @throws what `FrVector.from` throws; ERR_BUSY while a call changes the vector; ERR_LIMIT,
   * ERR_NO_MEMORY, ERR_QUEUE_FULL; ERR_DISPOSED
   * @example
   * import { Polynomial } from 'nalloc/bn254'
   *
   * using polynomial = await Polynomial.fromCoefficients([5n, 0n, 1n, 0n])
   * console.log(polynomial.degree) // 2
   */
  static async fromCoefficients(
    coefficients: FrVector | Iterable<FieldLike>,
    options?: ComputeOptions,
  ): Promise<Polynomial> {
    if (coefficients instanceof FrVector) return Polynomial.#of(coefficients, options, false)
    const { signal } = checkOptions(options)
    const vector = await FrVector.from(coefficients, { signal })
    try {
      return await Polynomial.#of(vector, options, false)
    } finally {
      vector.dispose()
    }
  }

  /**
   * The polynomial that has these values at the roots of unity: element i is that at w^i, as
   * `ntt.forward` makes them. The vector stays what it is.
   *
   * @throws ERR_DOMAIN unless there are 2^0..2^28 values, a power of two; what `fromCoefficients` of
   * a vector throws
   * @example
   * import { FrVector, Polynomial } from 'nalloc/bn254'
   *
   * using values = await FrVector.from([7, 7, 7, 7])
   * using constant = await Polynomial.fromEvaluations(values)
   * console.log(constant.degree, await constant.evaluate(123)) // 0 7n
   */
  static async fromEvaluations(
    evaluations: FrVector,
    options?: ComputeOptions,
  ): Promise<Polynomial> {
    return Polynomial.#of(checkVector('evaluations', evaluations), options, true)
  }

  /** True after `dispose()`. */
  get isDisposed(): boolean {
    return this.#native.isDisposed
  }

  /**
   * The value at `x`, an integer in [0, r); zero for the zero polynomial.
   *
   * @throws ERR_NON_CANONICAL, ERR_INVALID_ARG; ERR_QUEUE_FULL; ERR_DISPOSED
   */
  async evaluate(x: FieldLike, options?: ComputeOptions): Promise<bigint> {
    const at = elementBytes('x', x)
    return compute(options, (_, task) => this.#native.evaluate(at, task))
  }

  /**
   * The sum of both.
   *
   * @throws ERR_LIMIT, ERR_NO_MEMORY, ERR_QUEUE_FULL; ERR_INVALID_ARG, ERR_DISPOSED
   */
  async add(other: Polynomial, options?: ComputeOptions): Promise<Polynomial> {
    const native = nativePolynomialOf(checkPolynomial('other', other))
    return Polynomial.#made(options, (limit, task) => this.#native.add(native, limit, task))
  }

  /**
   * This one less the other.
   *
   * @throws as `add`
   */
  async sub(other: Polynomial, options?: ComputeOptions): Promise<Polynomial> {
    const native = nativePolynomialOf(checkPolynomial('other', other))
    return Polynomial.#made(options, (limit, task) => this.#native.sub(native, limit, task))
  }

  /**
   * The product of both, whose degree is the sum of the degrees.
   *
   * @throws ERR_DOMAIN above degree 2^28 - 1; what `add` throws
   */
  async mul(other: Polynomial, options?: ComputeOptions): Promise<Polynomial> {
    const native = nativePolynomialOf(checkPolynomial('other', other))
    return Polynomial.#made(options, (limit, task) => this.#native.mul(native, limit, task))
  }

  /**
   * Every coefficient times `factor`.
   *
   * @throws ERR_NON_CANONICAL; what `add` throws
   */
  async scale(factor: FieldLike, options?: ComputeOptions): Promise<Polynomial> {
    const bytes = elementBytes('factor', factor)
    return Polynomial.#made(options, (limit, task) => this.#native.scale(bytes, limit, task))
  }

  /**
   * Quotient and remainder of the division by X - `root`.
   *
   * @throws as `scale`
   */
  async divideByLinear(root: FieldLike, options?: ComputeOptions): Promise<Division> {
    const bytes = elementBytes('root', root)
    const division = await compute(options, (limit, task) =>
      this.#native.divideByLinear(bytes, limit, task),
    )
    return { quotient: new Polynomial(division.takeQuotient()), remainder: division.remainder }
  }

  /**
   * A copy of the coefficients, that of X^0 first: as many as the degree and one.
   *
   * @throws ERR_LIMIT, ERR_NO_MEMORY, ERR_QUEUE_FULL; ERR_DISPOSED
   */
  async coefficients(options?: ComputeOptions): Promise<FrVector> {
    return makeVector(
      await compute(options, (limit, task) => this.#native.coefficients(limit, task)),
    )
  }

  dispose(): void {
    this.#native.dispose()
  }

  /** @internal */
  protected describe(): readonly [kind: string, size: string] {
    return ['Polynomial', this.degree < 0 ? 'zero' : `degree ${this.degree}`]
  }

  static #of(
    vector: FrVector,
    options: ComputeOptions | undefined,
    areEvaluations: boolean,
  ): Promise<Polynomial> {
    const { makePolynomial } = binding()
    return Polynomial.#made(options, (limit, task) =>
      makePolynomial(nativeVectorOf(vector), areEvaluations, limit, task),
    )
  }

  static async #made(
    options: ComputeOptions | undefined,
    start: (limit: number | undefined, task: NativeTask) => Promise<NativePolynomial>,
  ): Promise<Polynomial> {
    return new Polynomial(await compute(options, start))
  }
}

/** An argument that must be a polynomial. @internal */
export function checkPolynomial(name: string, value: unknown): Polynomial {
  if (value instanceof Polynomial) return value
  throw wrongType(name, 'a Polynomial', showType(value))
}
