// Openings of several polynomials with one proof, against both schemes as they are written down, for
// a tau that the tests know: challenges by node:crypto, everything else by @noble/curves.

import { createHash } from 'node:crypto'
import { bn254 } from '@noble/curves/bn254.js'
import test, { type ExecutionContext } from 'ava'
import { stats } from 'nalloc'
import {
  type G1,
  Kzg,
  type KzgOpeningAtPoint,
  type KzgOpeningAtPoints,
  type KzgQuery,
  Polynomial,
  Srs,
} from 'nalloc/bn254'
import { Fr, G1Point, plain, Q, R, scalars, valueAt } from './_bn254.ts'

const TAU = 987654321987654321n
const MAX_DEGREE = 31
const POINT = 77n
const CONTEXT = Buffer.from('for whom the proof is')
const OFF_CURVE = { x: 1n, y: 3n }

let srs: Srs
let kzg: Kzg
const coefficients = [9, 0, 1, MAX_DEGREE + 1, 2].map((length, i) =>
  length === 0 ? [] : [...scalars(length + 8, i + 1).slice(9), 5n],
)
const polynomials: Polynomial[] = []

test.before(async () => {
  srs = await Srs.unsafeForTests(TAU, MAX_DEGREE)
  kzg = new Kzg(srs)
  for (const own of coefficients) polynomials.push(await Polynomial.fromCoefficients(own))
})

test.after.always(() => {
  srs.dispose()
  for (const polynomial of polynomials) polynomial.dispose()
})

function times(factor: bigint): G1 {
  return factor === 0n ? null : plain(G1Point.BASE.multiply(factor))
}

function sum(numbers: readonly bigint[]): bigint {
  return numbers.reduce((total, number) => Fr.add(total, number), 0n)
}

/** The product of `x` less each of these. */
function vanishing(points: readonly bigint[], x: bigint): bigint {
  return points.reduce((product, point) => Fr.mul(product, Fr.sub(x, point)), 1n)
}

/** The value at `x` of the polynomial of least degree with `values` at `points`. */
function interpolate(points: readonly bigint[], values: readonly bigint[], x: bigint): bigint {
  return sum(
    points.map((point, i) => {
      const others = points.filter((other) => other !== point)
      const share = Fr.div(vanishing(others, x), vanishing(others, point))
      return Fr.mul(values[i] as bigint, share)
    }),
  )
}

// What challenges are the hash of, as docs/kzg.md has it.
const word = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
const count = (length: number): Buffer => Buffer.from(length.toString(16).padStart(16, '0'), 'hex')
const text = (bytes: Buffer): Buffer => Buffer.concat([count(bytes.length), bytes])
const list = (numbers: readonly bigint[]): Buffer =>
  Buffer.concat([count(numbers.length), ...numbers.map(word)])
const pointWords = (point: G1): Buffer => Buffer.concat([point?.x ?? 0n, point?.y ?? 0n].map(word))

function hash(parts: readonly Buffer[]): Buffer {
  return createHash('sha512').update(Buffer.concat(parts)).digest()
}

/** Of a statement about the SRS of `TAU`. */
function statementHash(name: string, context: Buffer, statement: readonly Buffer[]): Buffer {
  const { x, y } = bn254.G2.Point.BASE.multiply(TAU).toAffine()
  const tauG2 = [x.c1, x.c0, y.c1, y.c0].map(word)
  return hash([text(Buffer.from(name)), ...tauG2, text(context), ...statement])
}

function challenge(digest: Buffer): bigint {
  return BigInt(`0x${Buffer.from(digest).reverse().toString('hex')}`) % R
}

/** The proof that several polynomials have these values at one point. */
function proofAtPoint(opening: KzgOpeningAtPoint, context: Buffer): G1 {
  const { commitments, point, values } = opening
  const gamma = challenge(
    statementHash('nalloc kzg one point v1', context, [
      word(point),
      count(commitments.length),
      ...commitments.map(pointWords),
      list(values),
    ]),
  )
  const above = sum(
    coefficients.map((own, i) => {
      const difference = Fr.sub(valueAt(own, TAU), values[i] as bigint)
      return Fr.mul(Fr.pow(gamma, BigInt(i)), difference)
    }),
  )
  return times(Fr.div(above, Fr.sub(TAU, point)))
}

/** Quotient and proof of several points. */
function proofsAtPoints({ claims, quotient }: KzgOpeningAtPoints, context: Buffer): [G1, G1] {
  const first = statementHash('nalloc kzg points v1', context, [
    count(claims.length),
    ...claims.flatMap(({ commitment, points, values }) => [
      pointWords(commitment),
      list(points),
      list(values),
    ]),
  ])
  const gamma = challenge(first)
  const all = [...new Set(claims.flatMap(({ points }) => points))]
  const opened = claims
    .map((claim, i) => ({ ...claim, atTau: valueAt(coefficients[i] ?? [], TAU), i: BigInt(i) }))
    .filter(({ points }) => points.length > 0)
  const h = sum(
    opened.map(({ points, values, atTau, i }) => {
      const difference = Fr.sub(atTau, interpolate(points, values, TAU))
      return Fr.mul(Fr.pow(gamma, i), Fr.div(difference, vanishing(points, TAU)))
    }),
  )
  const z = challenge(hash([first, pointWords(quotient)]))
  const combined = sum(
    opened.map(({ points, values, atTau, i }) => {
      const rest = all.filter((point) => !points.includes(point))
      const difference = Fr.sub(atTau, interpolate(points, values, z))
      return Fr.mul(Fr.mul(Fr.pow(gamma, i), vanishing(rest, z)), difference)
    }),
  )
  const remainder = Fr.sub(combined, Fr.mul(vanishing(all, z), h))
  return [times(h), times(Fr.div(remainder, Fr.sub(TAU, z)))]
}

/** Points of each polynomial: shared ones, its own, none. */
const POINTS = [[1n, 2n, POINT], [POINT], [5n], [R - 1n, 0n, 2n, 12345n], []]

function queries(): KzgQuery[] {
  return polynomials.map((polynomial, i) => ({ polynomial, points: POINTS[i] ?? [] }))
}

for (const context of [Buffer.alloc(0), CONTEXT]) {
  const options = context.length === 0 ? {} : { context }
  const name = context.length === 0 ? 'without' : 'within'

  test(`several polynomials are opened at one point ${name} a context`, async (t) => {
    const opening = await kzg.openAtPoint(polynomials, POINT, options)

    t.deepEqual(
      opening.commitments,
      coefficients.map((own) => times(valueAt(own, TAU))),
    )
    t.is(opening.point, POINT)
    t.deepEqual(
      opening.values,
      coefficients.map((own) => valueAt(own, POINT)),
    )
    t.deepEqual(opening.proof, proofAtPoint(opening, context))
    t.true(await kzg.verifyAtPoint(opening, options))
    const given = { ...options, commitments: opening.commitments }
    t.deepEqual(await kzg.openAtPoint(polynomials, `${POINT}`, given), opening)
    const { buffer } = new Uint8Array(context)
    t.true(await kzg.verifyAtPoint(opening, { context: buffer }))
  })

  test(`several polynomials are opened at points of their own ${name} a context`, async (t) => {
    const opening = await kzg.openAtPoints(queries(), options)

    for (const [i, { commitment, points, values }] of opening.claims.entries()) {
      t.deepEqual(commitment, times(valueAt(coefficients[i] ?? [], TAU)))
      t.deepEqual(points, POINTS[i])
      t.deepEqual(
        values,
        points.map((point) => valueAt(coefficients[i] ?? [], point)),
      )
    }
    t.deepEqual([opening.quotient, opening.proof], proofsAtPoints(opening, context))
    t.true(await kzg.verifyAtPoints(opening, options))
    const given = queries().map((query, i) => ({
      ...query,
      commitment: i % 2 === 0 ? (opening.claims[i]?.commitment ?? null) : undefined,
    }))
    t.deepEqual(await kzg.openAtPoints(given, options), opening)
  })
}

test('one polynomial is opened as several, and as many as there may be', async (t) => {
  const [first] = polynomials as [Polynomial]
  const alone = await kzg.openAtPoint([first], POINT)
  const { proof, value } = await kzg.open(first, POINT)
  t.deepEqual([alone.proof, alone.values], [proof, [value]])
  t.true(await kzg.verifyAtPoint(alone))
  const many = Array.from({ length: 1024 }, () => first)
  const commitments = many.map(() => alone.commitments[0] ?? null)
  const opening = await kzg.openAtPoint(many, POINT, { commitments })
  t.true(await kzg.verifyAtPoint(opening))
  const points = many.map((_, i) => i)
  const all = await kzg.openAtPoints([{ polynomial: first, points }])
  t.true(await kzg.verifyAtPoints(all))
})

/** What a change makes of a value, as many times as there are changes. */
async function noneIsAccepted<T>(
  t: ExecutionContext,
  good: T,
  check: (opening: T) => Promise<boolean>,
  changes: readonly ((opening: T) => unknown)[],
): Promise<void> {
  t.true(await check(good))
  for (const [i, change] of changes.entries()) t.false(await check(change(good) as T), `${i}`)
}

test('an opening at one point in which anything differs is not accepted', async (t) => {
  const opening = await kzg.openAtPoint(polynomials, POINT, { context: CONTEXT })
  const with0 = <T>(list: readonly T[], value: unknown): unknown[] => [value, ...list.slice(1)]
  const check = (one: KzgOpeningAtPoint) => kzg.verifyAtPoint(one, { context: CONTEXT })

  await noneIsAccepted(t, opening, check, [
    (o) => ({ ...o, values: with0(o.values, 1n) }),
    (o) => ({ ...o, values: with0(o.values, R) }),
    (o) => ({ ...o, values: with0(o.values, 1) }),
    (o) => ({ ...o, values: with0(o.values, -1n) }),
    (o) => ({ ...o, values: o.values.slice(1) }),
    (o) => ({ ...o, values: 5n }),
    (o) => ({ ...o, commitments: with0(o.commitments, null) }),
    (o) => ({ ...o, commitments: with0(o.commitments, OFF_CURVE) }),
    (o) => ({ ...o, commitments: with0(o.commitments, { x: 1n + Q, y: 2n }) }),
    (o) => ({ ...o, commitments: o.commitments.toReversed() }),
    (o) => ({ ...o, commitments: o.commitments.slice(1) }),
    (o) => ({ ...o, commitments: [], values: [] }),
    (o) => ({ ...o, commitments: Array(1025).fill(null), values: Array(1025).fill(0n) }),
    (o) => ({ ...o, point: POINT + 1n }),
    (o) => ({ ...o, proof: null }),
    (o) => ({ ...o, proof: OFF_CURVE }),
    () => ({}),
    () => null,
    () => 'opening',
  ])
  t.false(await kzg.verifyAtPoint(opening))
  t.false(await kzg.verifyAtPoint(opening, { context: Buffer.from('for somebody else') }))
  t.false(await new Kzg(await Srs.unsafeForTests(5n, 3)).verifyAtPoint(opening))
})

test('an opening at several points in which anything differs is not accepted', async (t) => {
  const opening = await kzg.openAtPoints(queries(), { context: CONTEXT })
  const check = (one: KzgOpeningAtPoints) => kzg.verifyAtPoints(one, { context: CONTEXT })
  const claim0 = (o: KzgOpeningAtPoints, change: object): unknown => {
    return { ...o, claims: [{ ...o.claims[0], ...change }, ...o.claims.slice(1)] }
  }

  await noneIsAccepted(t, opening, check, [
    (o) => claim0(o, { values: [0n, 0n, 0n] }),
    (o) => claim0(o, { values: o.claims[0]?.values.slice(1) }),
    (o) => claim0(o, { points: [1n, 2n, 3n] }),
    (o) => claim0(o, { points: [1n, 2n, 2n] }),
    (o) => claim0(o, { points: [1n, 2n, R] }),
    (o) => claim0(o, { commitment: null }),
    (o) => claim0(o, { commitment: OFF_CURVE }),
    (o) => claim0(o, { points: Array(1025).fill(0n), values: Array(1025).fill(0n) }),
    (o) => ({ ...o, claims: o.claims.toReversed() }),
    (o) => ({ ...o, claims: o.claims.slice(1) }),
    (o) => ({ ...o, claims: [] }),
    (o) => ({ ...o, claims: [null] }),
    (o) => ({ ...o, quotient: null }),
    (o) => ({ ...o, quotient: OFF_CURVE }),
    (o) => ({ ...o, proof: o.quotient }),
    (o) => ({ ...o, proof: undefined }),
    () => ({}),
    () => null,
  ])
  t.false(await kzg.verifyAtPoints(opening))
})

test('openings are JSON where bigints are written as texts', async (t) => {
  const opening = await kzg.openAtPoints(queries())

  const json = JSON.stringify(opening, (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  )
  const again = JSON.parse(json, (_, value) => (typeof value === 'string' ? BigInt(value) : value))

  t.deepEqual(again, opening)
  t.true(await kzg.verifyAtPoints(again))
})

test('what cannot be opened is refused, with the place', async (t) => {
  using long = await Polynomial.fromCoefficients(Array(MAX_DEGREE + 2).fill(1))
  const [first, second] = polynomials as [Polynomial, Polynomial]
  const two = [first, second]
  const point = (commitments: unknown) => kzg.openAtPoint(two, 1, { commitments } as never)
  const at = (query: object) =>
    kzg.openAtPoints([{ polynomial: first, points: [1] }, query as never])
  const rows: [() => Promise<unknown>, string, string][] = [
    [
      () => kzg.openAtPoint([], 1),
      'ERR_INVALID_ARG',
      'polynomials: expected 1..1024 of them, got 0',
    ],
    [
      () => kzg.openAtPoint(Array(1025).fill(first), 1),
      'ERR_INVALID_ARG',
      'polynomials: expected 1..1024 of them, got 1025',
    ],
    [
      () => kzg.openAtPoint(first as never, 1),
      'ERR_INVALID_ARG',
      'polynomials: expected an array of Polynomials, got an object of class Polynomial',
    ],
    [
      () => kzg.openAtPoint([first, 5 as never], 1),
      'ERR_INVALID_ARG',
      'polynomials[1]: expected a Polynomial, got a number',
    ],
    [
      () => kzg.openAtPoint([first, long], 1),
      'ERR_DEGREE',
      'polynomials[1]: expected a degree of at most 31, got 32',
    ],
    [
      () => kzg.openAtPoint(two, R),
      'ERR_NON_CANONICAL',
      'point: expected an integer in [0, r), got one outside. Reduce it modulo r first.',
    ],
    [
      () => point([null]),
      'ERR_INVALID_ARG',
      'commitments: expected 2, one for each polynomial, got 1',
    ],
    [
      () => point('12'),
      'ERR_INVALID_ARG',
      'commitments: expected an array of points, got a string',
    ],
    [
      () => point([null, OFF_CURVE]),
      'ERR_NOT_ON_CURVE',
      'commitments[1]: expected a point of the curve, got none',
    ],
    [
      () => point([null, { x: Q, y: 0n }]),
      'ERR_NON_CANONICAL',
      'commitments[1]: expected coordinates below q, got one at or above it',
    ],
    [
      () => kzg.openAtPoint(two, 1, { context: 'text' as never }),
      'ERR_INVALID_ARG',
      'context: expected bytes, got a string',
    ],
    [
      () => kzg.openAtPoint(two, 1, { context: new Uint8Array(65_537) }),
      'ERR_INVALID_ARG',
      'context: expected at most 65536 bytes, got 65537',
    ],
    [() => kzg.openAtPoints([]), 'ERR_INVALID_ARG', 'queries: expected 1..1024 of them, got 0'],
    [
      () => kzg.openAtPoints([{ polynomial: first, points: [] }]),
      'ERR_INVALID_ARG',
      'queries: expected a point in one of them, got none',
    ],
    [
      () => at({ polynomial: second, points: Array(1024).fill(1) }),
      'ERR_INVALID_ARG',
      'queries: expected at most 1024 points in all, got more',
    ],
    [
      () => at(null as never),
      'ERR_INVALID_ARG',
      'queries[1]: expected { polynomial, points }, got null',
    ],
    [
      () => at({ polynomial: second }),
      'ERR_INVALID_ARG',
      'queries[1].points: expected an array of integers, got undefined',
    ],
    [
      () => at({ polynomial: second, points: [1, R] }),
      'ERR_NON_CANONICAL',
      'queries[1].points[1]: expected an integer in [0, r), got one outside. Reduce it modulo r first.',
    ],
    [
      () => at({ polynomial: second, points: [1, 3, '1'] }),
      'ERR_INVALID_ARG',
      'points of polynomial 1: expected different ones, got one twice',
    ],
    [
      () => at({ polynomial: long, points: [1] }),
      'ERR_DEGREE',
      'queries[1].polynomial: expected a degree of at most 31, got 32',
    ],
    [
      () => at({ polynomial: second, points: [1], commitment: OFF_CURVE }),
      'ERR_NOT_ON_CURVE',
      'queries[1].commitment: expected a point of the curve, got none',
    ],
  ]

  for (const [call, code, message] of rows) {
    await t.throwsAsync(call, { code, message })
  }
  await t.throwsAsync(kzg.openAtPoint(two, 1, { memoryLimit: 1 }), { code: 'ERR_LIMIT' })
  await t.throwsAsync(kzg.openAtPoints(queries(), { memoryLimit: 1 }), { code: 'ERR_LIMIT' })
})

test('openings can be stopped, and what is disposed under them stays until they end', async (t) => {
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  const opening = await kzg.openAtPoint(polynomials, POINT)
  const several = await kzg.openAtPoints(queries())
  for (const call of [
    kzg.openAtPoint(polynomials, 1, { signal }),
    kzg.openAtPoints(queries(), { signal }),
    kzg.verifyAtPoint(opening, { signal }),
    kzg.verifyAtPoints(several, { signal }),
  ]) {
    t.is(await t.throwsAsync(call as Promise<unknown>), reason)
  }

  const { liveBytes } = stats()
  const own = await Srs.unsafeForTests(TAU, 2 ** 15)
  const scheme = new Kzg(own)
  const length = 2 ** 15
  const long = await Polynomial.fromCoefficients(Array.from({ length }, (_, i) => i + 1))
  const first = scheme.openAtPoint([long, long], 5)
  const stop = new AbortController()
  const second = scheme.openAtPoints([{ polynomial: long, points: [1, 2] }], {
    signal: stop.signal,
  })
  stop.abort(reason)
  own.dispose()
  long.dispose()
  t.is(await t.throwsAsync(second as Promise<unknown>), reason)
  t.true(await kzg.verifyAtPoint(await first))
  await t.throwsAsync(scheme.verifyAtPoint(opening), { code: 'ERR_DISPOSED' })
  await t.throwsAsync(kzg.openAtPoint([long], 1), { code: 'ERR_DISPOSED' })
  t.true(stats().liveBytes < liveBytes + 2 ** 20)
})
