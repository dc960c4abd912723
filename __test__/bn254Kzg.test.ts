// Commitments and openings against their definition, for a tau that the tests know, and against the
// pairing of @noble/curves.

import path from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import test from 'ava'
import { stats } from 'nalloc'
import { FrVector, type G1, Kzg, type KzgOpening, Polynomial, Srs } from 'nalloc/bn254'
import { Fr, G1Point, naiveTransform, type Point, plain, Q, R, scalars, valueAt } from './_bn254.ts'
import { assertEnding, runNode } from './_child.ts'
import { root } from './_repository.ts'

const TAU = 1234567890123456789n
const MAX_DEGREE = 63

let srs: Srs
let kzg: Kzg

test.before(async () => {
  srs = await Srs.unsafeForTests(TAU, MAX_DEGREE)
  kzg = new Kzg(srs)
})

test.after.always(() => srs.dispose())

function times(factor: bigint): Point {
  return factor === 0n ? G1Point.ZERO : G1Point.BASE.multiply(factor)
}

function pointOf(point: G1): Point {
  return point === null ? G1Point.ZERO : G1Point.fromAffine(point)
}

/** e(C - y G + z P, G2) = e(P, tau G2), by the oracle's pairing. */
function isAccepted({ commitment, point, value, proof }: KzgOpening): boolean {
  const zP = point === 0n ? G1Point.ZERO : pointOf(proof).multiplyUnsafe(point)
  const left = pointOf(commitment).subtract(times(value)).add(zP)
  const { Fp12 } = bn254.fields
  const pairs = [
    { g1: left, g2: bn254.G2.Point.BASE },
    { g1: pointOf(proof).negate(), g2: bn254.G2.Point.BASE.multiply(TAU) },
  ].filter(({ g1 }) => !g1.is0())
  return pairs.length === 0 || Fp12.eql(bn254.pairingBatch(pairs), Fp12.ONE)
}

for (const length of [0, 1, 2, 33, MAX_DEGREE + 1]) {
  test(`a polynomial of ${length} coefficients is committed to, opened and verified`, async (t) => {
    const coefficients = scalars(length, 1).map((number) => (number + 1n) % R)
    using polynomial = await Polynomial.fromCoefficients(coefficients)
    const atTau = valueAt(coefficients, TAU)

    const commitment = await kzg.commit(polynomial)
    t.deepEqual(commitment, plain(times(atTau)))
    for (const point of [0n, 1n, R - 1n, 12345n, TAU]) {
      const opening = await kzg.open(polynomial, point)
      const value = valueAt(coefficients, point)
      t.deepEqual([opening.commitment, opening.point, opening.value], [commitment, point, value])
      if (point !== TAU) {
        const quotient = Fr.div(Fr.sub(atTau, value), Fr.sub(TAU, point))
        t.deepEqual(opening.proof, plain(times(quotient)))
      }
      t.true(isAccepted(opening))
      t.true(await kzg.verify(opening))
      t.deepEqual(await kzg.open(polynomial, point, { commitment }), opening)
    }
  })
}

test('values at the roots of unity are committed to as the polynomial that has them', async (t) => {
  for (const log2 of [0, 3, 6]) {
    const coefficients = scalars(2 ** log2, 7)
    using values = await FrVector.from(naiveTransform(coefficients))

    t.deepEqual(await kzg.commitEvaluations(values), plain(times(valueAt(coefficients, TAU))))
  }
})

test('an opening in which anything differs is not accepted, alone and among others', async (t) => {
  using polynomial = await Polynomial.fromCoefficients(scalars(20, 3))
  const openings = await Promise.all([1, 2, 3, 4, 5].map((at) => kzg.open(polynomial, at)))
  const [first] = openings as [KzgOpening]
  const other = plain(times(3n))
  const offCurve = { x: 1n, y: 3n }
  const wrong = [
    { ...first, value: (first.value + 1n) % R },
    { ...first, point: 9n },
    { ...first, commitment: other },
    { ...first, proof: other },
    { ...first, proof: null },
    { ...first, commitment: offCurve },
    { ...first, proof: { x: 1n + Q, y: 2n } },
    { ...first, value: R },
    { ...first, value: -1n },
    { ...first, value: 5 },
    { ...first, proof: { x: 2n ** 256n, y: 0n } },
    { ...first, proof: undefined },
    {},
    null,
    'opening',
  ] as KzgOpening[]

  t.true(await kzg.verifyBatch(openings))
  t.true(await kzg.verifyBatch([]))
  t.false(isAccepted(wrong[0] as KzgOpening), 'the oracle can refuse')
  for (const [i, opening] of wrong.entries()) {
    t.false(await kzg.verify(opening), `${i}`)
    t.false(await kzg.verifyBatch([...openings, opening]), `${i}`)
  }
})

test('degrees above the SRS and other arguments that do not fit are refused', async (t) => {
  using long = await Polynomial.fromCoefficients(scalars(MAX_DEGREE + 2, 1).fill(1n))
  using short = await Polynomial.fromCoefficients([1, 2])
  using three = FrVector.alloc(3)
  using many = FrVector.alloc(128)
  const degree = (got: number) => ({
    code: 'ERR_DEGREE',
    message: `polynomial: expected a degree of at most ${MAX_DEGREE}, got ${got}`,
  })
  const invalid = (message: string) => ({ code: 'ERR_INVALID_ARG', message })

  await t.throwsAsync(kzg.commit(long), degree(64))
  await t.throwsAsync(kzg.open(long, 1), degree(64))
  await t.throwsAsync(kzg.commitEvaluations(many), degree(127))
  await t.throwsAsync(kzg.commitEvaluations(three), {
    code: 'ERR_DOMAIN',
    message: 'evaluations: expected 2^0..2^28 elements, a power of two, got 3',
  })
  await t.throwsAsync(kzg.open(short, R), { code: 'ERR_NON_CANONICAL', message: /^point: / })
  await t.throwsAsync(kzg.open(short, 1, { commitment: { x: 1n, y: 3n } }), {
    code: 'ERR_NOT_ON_CURVE',
    message: 'commitment: expected a point of the curve, got none',
  })
  await t.throwsAsync(kzg.open(short, 1, { commitment: { x: Q, y: 3n } }), {
    code: 'ERR_NON_CANONICAL',
    message: 'commitment: expected coordinates below q, got one at or above it',
  })
  await t.throwsAsync(
    kzg.open(short, 1, { commitment: {} as G1 }),
    invalid('commitment: expected { x, y } of bigints in [0, q), or null, got an object'),
  )
  await t.throwsAsync(
    kzg.commit(three as never),
    invalid('polynomial: expected a Polynomial, got an object of class FrVector'),
  )
  t.throws(() => new Kzg({} as Srs), invalid('srs: expected an Srs, got an object'))
  await t.throwsAsync(
    Srs.unsafeForTests(TAU, 0),
    invalid('maxDegree: expected an integer in 1..268435455, got 0'),
  )
  await t.throwsAsync(Srs.unsafeForTests(0n, 3), { code: 'ERR_BAD_SRS', message: /^SRS: / })
  await t.throwsAsync(
    kzg.verifyBatch({} as never),
    invalid('openings: expected an array of openings, got an object'),
  )
  await t.throwsAsync(kzg.commit(short, { memoryLimit: 1 }), {
    code: 'ERR_LIMIT',
    message: /^the commitment: expected at most 1 bytes of memory/,
  })
})

test('calls can be stopped, and an SRS that is disposed stays for those that run', async (t) => {
  const own = await Srs.unsafeForTests(7n, 2 ** 16 - 1)
  const scheme = new Kzg(own)
  using polynomial = await Polynomial.fromCoefficients(
    Array.from({ length: 2 ** 16 }, (_, i) => BigInt(i) ** 15n % R),
  )
  const expected = await scheme.commit(polynomial)
  const reason = new Error('enough')
  const stop = new AbortController()
  const aborted = AbortSignal.abort(reason)

  for (const call of [
    Srs.unsafeForTests(7n, 3, { signal: aborted }),
    scheme.commit(polynomial, { signal: aborted }),
    scheme.open(polynomial, 1, { signal: aborted }),
  ]) {
    t.is(await t.throwsAsync(call as Promise<unknown>), reason)
  }
  const first = scheme.commit(polynomial)
  const second = scheme.commit(polynomial, { signal: stop.signal })
  const third = scheme.open(polynomial, 5)
  stop.abort(reason)
  own.dispose()

  t.is(await t.throwsAsync(second), reason)
  t.deepEqual(await first, expected)
  const opening = await third
  t.deepEqual(opening.commitment, expected)
  t.is(`${own}`, 'Srs(disposed)')
  const gone = {
    code: 'ERR_DISPOSED',
    message: 'SRS: expected a live one, got a disposed one. Make a new one',
  }
  await t.throwsAsync(scheme.commit(polynomial), gone)
  await t.throwsAsync(scheme.verify(opening), gone)
})

test.serial('memory of an SRS counts, and comes back', async (t) => {
  const { liveBytes } = stats()
  const own = await Srs.unsafeForTests(7n, 2 ** 16 - 1)
  t.true(stats().liveBytes >= liveBytes + 64 * 2 ** 16)

  own.dispose()
  t.true(stats().liveBytes < liveBytes + 2 ** 20)
})

test('the example commits, opens and verifies', async (t) => {
  const program = path.join(root, 'build/examples/kzg_commit_open_verify.js')

  const ending = await runNode([program, '10', '3'])

  assertEnding(t, ending, 0)
  t.regex(ending.stdout, /^verify +[0-9.]+ ms: valid$/m)
  t.regex(ending.stdout, /^altered value +refused$/m)
  t.regex(ending.stdout, /^verify all +[0-9.]+ ms: valid$/m)
  t.is(ending.stderr, '')
})
