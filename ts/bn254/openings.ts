// Openings of several polynomials with one proof, and their bytes for native code.

import { show, showType } from '../_check.ts'
import { ELEMENT_BYTES } from '../_field.ts'
import { type Bytes, checkSource, unshared } from '../_source.ts'
import { wrongType, wrongValue } from '../errors.ts'
import type { NativePolynomial } from '../native.ts'
import type { FieldLike } from '../options.ts'
import { elementBytes, isBytes, isElement } from './_elements.ts'
import { bytesOfPoint, type G1, isPoint, numberOf, POINT_BYTES, pointOf } from './point.ts'
import { checkPolynomial, nativePolynomialOf, type Polynomial } from './polynomial.ts'

/** A claim that several committed polynomials have values at one point, and one proof for all. */
export interface KzgOpeningAtPoint {
  /** The commitments to the polynomials. */
  readonly commitments: readonly G1[]
  /** Where they are opened, an integer in [0, r). */
  readonly point: bigint
  /** Their values there, integers in [0, r), one for each commitment. */
  readonly values: readonly bigint[]
  /** The commitment to the quotient of a sum of the polynomials, less its value, by X less the point. */
  readonly proof: G1
}

/** A polynomial, and where it shall be opened: an entry of `Kzg.openAtPoints`. */
export interface KzgQuery {
  /** What is opened. */
  readonly polynomial: Polynomial
  /** Where: integers in [0, r), each of them once. None for a polynomial that is not opened. */
  readonly points: readonly FieldLike[]
  /**
   * The commitment to the polynomial, as `commit` gave it; with another one the opening is not
   * accepted. @defaultValue it is computed
   */
  readonly commitment?: G1 | undefined
}

/** What is claimed of one polynomial. */
export interface KzgClaim {
  /** The commitment to it. */
  readonly commitment: G1
  /** Where it is opened, integers in [0, r). */
  readonly points: readonly bigint[]
  /** Its values there, integers in [0, r), one for each point. */
  readonly values: readonly bigint[]
}

/**
 * A claim that several committed polynomials have values, each at points of its own, and one proof
 * for all.
 */
export interface KzgOpeningAtPoints {
  /** One for each polynomial. */
  readonly claims: readonly KzgClaim[]
  /** The commitment to the quotient of everything by all points. */
  readonly quotient: G1
  /** The proof of its value at a challenge. */
  readonly proof: G1
}

/** The most polynomials of one opening, and the most points: work grows with the square of both. */
const ITEMS_MAX = 1024
/** The most bytes of a context: a hash of it says as much. */
const CONTEXT_BYTES_MAX = 65_536

/** What native code takes of the polynomials of one opening. @internal */
export interface Opened {
  readonly polynomials: NativePolynomial[]
  /** null where it is not known. */
  readonly commitments: (Uint8Array | null)[]
}

/** The polynomials of `openAtPoint`. @internal */
export function checkPolynomials(
  polynomials: readonly Polynomial[],
  commitments: readonly G1[] | undefined,
): Opened {
  checkList('polynomials', polynomials, 'Polynomials')
  if (commitments !== undefined) {
    if (!Array.isArray(commitments)) {
      throw wrongType('commitments', 'an array of points', showType(commitments))
    }
    if (commitments.length !== polynomials.length) {
      const expected = `${polynomials.length}, one for each polynomial`
      throw wrongValue('commitments', expected, `${commitments.length}`)
    }
  }
  return {
    polynomials: polynomials.map((polynomial, i) =>
      nativePolynomialOf(checkPolynomial(`polynomials[${i}]`, polynomial)),
    ),
    commitments: polynomials.map((_, i) =>
      commitments === undefined ? null : bytesOfPoint(`commitments[${i}]`, commitments[i]),
    ),
  }
}

/** The polynomials of `openAtPoints`, and for each of them the bytes of its points. @internal */
export function checkQueries(
  queries: readonly KzgQuery[],
): Opened & { readonly points: Uint8Array[] } {
  checkList('queries', queries, '{ polynomial, points }')
  const polynomials: NativePolynomial[] = []
  const commitments: (Uint8Array | null)[] = []
  const points: Uint8Array[] = []
  let total = 0
  for (const [i, query] of queries.entries()) {
    const name = `queries[${i}]`
    if (typeof query !== 'object' || query === null) {
      throw wrongType(name, '{ polynomial, points }', show(query))
    }
    const { polynomial, points: own, commitment } = query
    polynomials.push(nativePolynomialOf(checkPolynomial(`${name}.polynomial`, polynomial)))
    commitments.push(
      commitment === undefined ? null : bytesOfPoint(`${name}.commitment`, commitment),
    )
    if (!Array.isArray(own)) {
      throw wrongType(`${name}.points`, 'an array of integers', showType(own))
    }
    total += own.length
    if (total > ITEMS_MAX) throw wrongValue('queries', `at most ${ITEMS_MAX} points in all`, 'more')
    points.push(joined(own.map((point, j) => elementBytes(`${name}.points[${j}]`, point))))
  }
  if (total === 0) throw wrongValue('queries', 'a point in one of them', 'none')
  return { polynomials, commitments, points }
}

/** What a proof is for. @internal */
export function checkContext(context: Bytes | undefined): Uint8Array {
  if (context === undefined) return new Uint8Array()
  if (!isBytes(context)) throw wrongType('context', 'bytes', showType(context))
  const opened = checkSource('context', context)
  const bytes = opened.kind === 'bytes' ? unshared(opened.bytes) : new Uint8Array()
  if (bytes.length > CONTEXT_BYTES_MAX) {
    throw wrongValue('context', `at most ${CONTEXT_BYTES_MAX} bytes`, `${bytes.length}`)
  }
  return bytes
}

/** From the bytes of `kzgOpenAtPoint`. @internal */
export function openingAtPointOf(
  bytes: Uint8Array,
  count: number,
  point: Uint8Array,
): KzgOpeningAtPoint {
  const read = new Reader(bytes)
  return {
    commitments: times(count, () => read.point()),
    point: numberOf(point),
    values: times(count, () => read.element()),
    proof: read.point(),
  }
}

/** From the bytes of `kzgOpenAtPoints`. @internal */
export function openingAtPointsOf(
  bytes: Uint8Array,
  points: readonly Uint8Array[],
): KzgOpeningAtPoints {
  const read = new Reader(bytes)
  const commitments = points.map(() => read.point())
  const claims = points.map((own, i) => {
    const count = own.length / ELEMENT_BYTES
    const numbers = new Reader(own)
    return {
      commitment: commitments[i] ?? null,
      points: times(count, () => numbers.element()),
      values: times(count, () => read.element()),
    }
  })
  return { claims, quotient: read.point(), proof: read.point() }
}

/** The bytes of an opening at one point; none for what has not its form. @internal */
export function bytesAtPoint(opening: unknown): Uint8Array | undefined {
  if (typeof opening !== 'object' || opening === null) return undefined
  const { commitments, point, values, proof } = opening as Partial<KzgOpeningAtPoint>
  if (!isList(commitments, isPoint) || !isList(values, isElement)) return undefined
  if (commitments.length !== values.length || !isElement(point) || !isPoint(proof)) return undefined
  const parts = [elementOf(point), ...commitments.map(pointBytes), ...values.map(elementOf)]
  return joined([...parts, pointBytes(proof)])
}

/** The same of one at several points, and how many points each polynomial has. @internal */
export function bytesAtPoints(
  opening: unknown,
): { readonly counts: number[]; readonly bytes: Uint8Array } | undefined {
  if (typeof opening !== 'object' || opening === null) return undefined
  const { claims, quotient, proof } = opening as Partial<KzgOpeningAtPoints>
  if (!isList(claims, isClaim) || !isPoint(quotient) || !isPoint(proof)) return undefined
  const counts = claims.map(({ points }) => points.length)
  if (counts.reduce((sum, count) => sum + count, 0) > ITEMS_MAX) return undefined
  const parts = claims.flatMap(({ commitment, points, values }) => [
    pointBytes(commitment),
    ...[...points, ...values].map(elementOf),
  ])
  return { counts, bytes: joined([...parts, pointBytes(quotient), pointBytes(proof)]) }
}

function checkList(name: string, list: unknown, what: string): void {
  if (!Array.isArray(list)) throw wrongType(name, `an array of ${what}`, showType(list))
  if (list.length >= 1 && list.length <= ITEMS_MAX) return
  throw wrongValue(name, `1..${ITEMS_MAX} of them`, `${list.length}`)
}

function isClaim(value: unknown): value is KzgClaim {
  if (typeof value !== 'object' || value === null) return false
  const { commitment, points, values } = value as Partial<KzgClaim>
  if (!isPoint(commitment) || !isList(points, isElement) || !isList(values, isElement)) return false
  return points.length === values.length
}

/** An array of no more than so many items, each of them one. */
function isList<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.length <= ITEMS_MAX && value.every(isItem)
}

function pointBytes(point: G1): Uint8Array {
  return bytesOfPoint('point', point)
}

function elementOf(number: bigint): Uint8Array {
  return elementBytes('number', number)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

/** Reads one item after the other. */
class Reader {
  #rest: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#rest = bytes
  }

  point(): G1 {
    return pointOf(this.#take(POINT_BYTES))
  }

  element(): bigint {
    return numberOf(this.#take(ELEMENT_BYTES))
  }

  #take(length: number): Uint8Array {
    const taken = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return taken
  }
}
