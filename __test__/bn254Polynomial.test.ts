// Polynomials against the same operations on lists of bigints.

import test from 'ava'
import { stats } from 'nalloc'
import { FrVector, ntt, Polynomial } from 'nalloc/bn254'
import { bytesOf, EDGES, Fr, naiveTransform, R, scalars, valueAt } from './_bn254.ts'

/** Pairs of lengths: none, one, on both sides of the shortest that a transform multiplies. */
const LENGTHS = [
  [0, 0],
  [0, 5],
  [1, 1],
  [1, 40],
  [5, 3],
  [32, 70],
  [33, 33],
  [40, 100],
  [128, 129],
] as const

async function list(polynomial: Polynomial): Promise<bigint[]> {
  using vector = await polynomial.coefficients()
  return Array.from({ length: vector.length }, (_, i) => vector.at(i))
}

function trimmed(numbers: readonly bigint[]): bigint[] {
  const last = numbers.findLastIndex((number) => number !== 0n)
  return numbers.slice(0, last + 1)
}

function combined(
  a: readonly bigint[],
  b: readonly bigint[],
  combine: (a: bigint, b: bigint) => bigint,
): bigint[] {
  const length = Math.max(a.length, b.length)
  return trimmed(Array.from({ length }, (_, i) => combine(a[i] ?? 0n, b[i] ?? 0n)))
}

function product(a: readonly bigint[], b: readonly bigint[]): bigint[] {
  const all: bigint[] = Array(Math.max(a.length + b.length - 1, 0)).fill(0n)
  for (const [i, x] of a.entries()) {
    for (const [j, y] of b.entries()) all[i + j] = Fr.add(all[i + j] as bigint, Fr.mul(x, y))
  }
  return trimmed(all)
}

for (const [lengthA, lengthB] of LENGTHS) {
  test(`sums and products of ${lengthA} and ${lengthB} coefficients`, async (t) => {
    const a = scalars(lengthA, 1)
    // The leading terms of equal lengths cancel.
    const b = scalars(lengthB, 2).map((number, i) =>
      i === lengthA - 1 ? R - (a[i] ?? 0n) : number,
    )
    using one = await Polynomial.fromCoefficients(a)
    using other = await Polynomial.fromCoefficients(b.map((number) => number % R))
    const [x, y] = [trimmed(a), trimmed(b.map((number) => number % R))]

    using sum = await one.add(other)
    using difference = await one.sub(other)
    using times = await one.mul(other)
    using back = await other.mul(one)

    t.deepEqual([one.degree, other.degree], [x.length - 1, y.length - 1])
    t.deepEqual(
      await list(sum),
      combined(x, y, (a, b) => Fr.add(a, b)),
    )
    t.deepEqual(
      await list(difference),
      combined(x, y, (a, b) => Fr.sub(a, b)),
    )
    t.deepEqual(await list(times), product(x, y))
    t.deepEqual(await list(back), product(x, y))
  })
}

for (const length of [0, 1, 2, 9, 100, 5000]) {
  test(`${length} coefficients: values, multiples, division by X - z`, async (t) => {
    const numbers = scalars(length, 3)
    using polynomial = await Polynomial.fromCoefficients(numbers)
    const own = trimmed(numbers)

    t.is(polynomial.degree, own.length - 1)
    t.deepEqual(await list(polynomial), own)
    for (const x of [0n, 1n, R - 1n, 12345678901234567890n, EDGES[5] as bigint]) {
      t.is(await polynomial.evaluate(x), valueAt(own, x))
      const { quotient, remainder } = await polynomial.divideByLinear(x)
      t.is(remainder, valueAt(own, x))
      t.is(quotient.degree, Math.max(own.length - 2, -1))
      // p = q (X - z) + p(z)
      using divisor = await Polynomial.fromCoefficients([(R - x) % R, 1])
      using rest = await Polynomial.fromCoefficients([remainder])
      using multiple = await quotient.mul(divisor)
      using whole = await multiple.add(rest)
      t.deepEqual(await list(whole), own)
      quotient.dispose()
    }
    using scaled = await polynomial.scale(R - 2n)
    t.deepEqual(
      await list(scaled),
      own.map((number) => Fr.mul(number, R - 2n)),
    )
    using zero = await polynomial.scale(0)
    t.deepEqual([zero.degree, await zero.evaluate(5)], [-1, 0n])
  })
}

test('values at the roots of unity, and the polynomial that has them', async (t) => {
  for (const log2 of [0, 1, 4, 7]) {
    const coefficients = scalars(2 ** log2, log2).map((number) => (number + 1n) % R)
    using values = await FrVector.from(naiveTransform(coefficients))
    using polynomial = await Polynomial.fromEvaluations(values)

    t.deepEqual(await list(polynomial), trimmed(coefficients))
    t.deepEqual(values.at(0), naiveTransform(coefficients)[0] as bigint, 'it is as it was')
    using copy = await Polynomial.fromCoefficients(values)
    using again = await copy.coefficients()
    await ntt.inverse(values)
    t.is(again.at(0), naiveTransform(coefficients)[0] as bigint)
  }
})

test('a product of 2^15 coefficients has the values that its factors have', async (t) => {
  const length = 2 ** 14 + 1
  using a = await FrVector.fromBytes(bytesOf(scalars(length, 5)))
  using one = await Polynomial.fromCoefficients(a)
  using square = await one.mul(one)

  t.is(square.degree, 2 ** 15)
  for (const x of [1n, R - 1n, 98765432109876543210n]) {
    const value = await one.evaluate(x)
    t.is(value, valueAt(scalars(length, 5), x))
    t.is(await square.evaluate(x), Fr.mul(value, value))
  }
})

test('a polynomial shows no coefficient, and ends', async (t) => {
  const polynomial = await Polynomial.fromCoefficients([123456789n, 5])
  using zero = await Polynomial.fromCoefficients([])

  t.deepEqual([`${polynomial}`, `${zero}`], ['Polynomial(degree 1)', 'Polynomial(zero)'])
  t.is(JSON.stringify([polynomial]), '["Polynomial(degree 1)"]')
  const product = polynomial.mul(polynomial)
  polynomial.dispose()
  polynomial.dispose()
  t.is((await product).degree, 2, 'a call that runs keeps it')
  const gone = {
    code: 'ERR_DISPOSED',
    message: 'polynomial: expected a live one, got a disposed one. Make a new one',
  }
  await t.throwsAsync(polynomial.evaluate(1), gone)
  await t.throwsAsync(zero.add(polynomial), gone)
  await t.throwsAsync(polynomial.coefficients(), gone)
  t.is(`${polynomial}`, 'Polynomial(disposed)')
})

test('what is no argument is refused, and limits hold', async (t) => {
  using polynomial = await Polynomial.fromCoefficients([1, 2])
  using three = FrVector.alloc(3)
  const invalid = (message: string) => ({ code: 'ERR_INVALID_ARG', message })
  const outside = (name: string) => ({
    code: 'ERR_NON_CANONICAL',
    message: `${name}: expected an integer in [0, r), got one outside. Reduce it modulo r first.`,
  })

  await t.throwsAsync(polynomial.evaluate(R), outside('x'))
  await t.throwsAsync(polynomial.scale(-1), outside('factor'))
  await t.throwsAsync(polynomial.divideByLinear(R), outside('root'))
  await t.throwsAsync(Polynomial.fromCoefficients([0, R]), outside('values[1]'))
  await t.throwsAsync(
    polynomial.add({} as Polynomial),
    invalid('other: expected a Polynomial, got an object'),
  )
  await t.throwsAsync(
    Polynomial.fromEvaluations([1] as never),
    invalid('evaluations: expected an FrVector, got an array'),
  )
  await t.throwsAsync(Polynomial.fromEvaluations(three), {
    code: 'ERR_DOMAIN',
    message: 'evaluations: expected 2^0..2^28 elements, a power of two, got 3',
  })
  await t.throwsAsync(polynomial.mul(polynomial, { memoryLimit: 1 }), {
    code: 'ERR_LIMIT',
    message: /^the polynomial: expected at most 1 bytes of memory, got a need of 96\./,
  })
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  for (const call of [
    Polynomial.fromCoefficients([1], { signal }),
    polynomial.evaluate(1, { signal }),
    polynomial.mul(polynomial, { signal }),
    polynomial.divideByLinear(1, { signal }),
    polynomial.coefficients({ signal }),
  ]) {
    t.is(await t.throwsAsync(call as Promise<unknown>), reason)
  }
})

test.serial('memory of polynomials comes back', async (t) => {
  const { liveBytes } = stats()
  const polynomial = await Polynomial.fromCoefficients(new Set([...Array(2 ** 16).keys()]))
  const other = await polynomial.add(polynomial)
  t.true(stats().liveBytes >= liveBytes + 2 * 32 * 2 ** 16)

  polynomial.dispose()
  other.dispose()
  for (let turn = 0; turn < 1000 && stats().liveBytes > liveBytes + 2 ** 20; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.true(stats().liveBytes <= liveBytes + 2 ** 20)
})
