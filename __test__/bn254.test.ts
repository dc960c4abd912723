// Vectors, transforms and sums against an oracle that has no code in common with them.

import test from 'ava'
import { Arena, stats } from 'nalloc'
import { FrVector, G1Vector, msm, ntt } from 'nalloc/bn254'
import {
  bytesOf,
  bytesOfPoints,
  EDGES,
  naiveTransform,
  plain,
  points,
  R,
  scalars,
  sumOf,
} from './_bn254.ts'
import { testBlocks } from './_markdown.ts'

testBlocks('docs/bn254.md')

/** More than one piece of what is copied in turns. */
const LONG = 17_000

function elements(vector: FrVector): bigint[] {
  return Array.from({ length: vector.length }, (_, i) => vector.at(i))
}

test('elements come back as they were given, from integers, texts, bigints and bytes', async (t) => {
  using mixed = await FrVector.from([0, 1, Number.MAX_SAFE_INTEGER, '0', `${R - 1n}`, R - 1n])
  t.deepEqual(elements(mixed), [0n, 1n, BigInt(Number.MAX_SAFE_INTEGER), 0n, R - 1n, R - 1n])

  const numbers = scalars(LONG, 1)
  const bytes = bytesOf(numbers)
  using fromBigints = await FrVector.from(numbers)
  using fromSet = await FrVector.from(new Set(EDGES))
  using fromBytes = await FrVector.fromBytes(bytes)
  using fromBuffer = await FrVector.fromBytes(bytes.slice().buffer)
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  using fromShared = await FrVector.fromBytes(shared)

  t.deepEqual(elements(fromSet), EDGES)
  for (const vector of [fromBigints, fromBytes, fromBuffer, fromShared]) {
    t.is(vector.length, LONG)
    t.is(Buffer.compare(await vector.toBytes(), bytes), 0)
    for (const i of [0, 5, 16_383, 16_384, LONG - 1])
      t.deepEqual(vector.at(i), numbers[i] as bigint)
  }
})

test('set replaces one element, slice copies some, alloc gives zeros', async (t) => {
  using vector = FrVector.alloc(5)
  t.deepEqual(elements(vector), [0n, 0n, 0n, 0n, 0n])
  vector.set(0, R - 1n)
  vector.set(4, '7')
  using middle = await vector.slice(3)
  using nothing = await vector.slice(2, 2)
  using all = await vector.slice()
  vector.set(4, 8)

  t.deepEqual(elements(vector), [R - 1n, 0n, 0n, 0n, 8n])
  t.deepEqual(elements(middle), [0n, 7n])
  t.deepEqual(elements(nothing), [])
  t.deepEqual(elements(all), [R - 1n, 0n, 0n, 0n, 7n])
})

test('a vector shows no element', async (t) => {
  const vector = await FrVector.from([123456789n])

  t.is(`${vector}`, 'FrVector(1 elements)')
  t.is(JSON.stringify({ vector }), '{"vector":"FrVector(1 elements)"}')
  t.false((await import('node:util')).inspect(vector, { showHidden: true }).includes('12345'))
  vector.dispose()
  t.is(`${vector}`, 'FrVector(disposed)')
})

for (const log2 of [0, 1, 2, 3, 5, 8, 9]) {
  test(`a transform of 2^${log2} is the one that is defined, and goes back`, async (t) => {
    const numbers = scalars(2 ** log2, log2)
    for (const coset of [undefined, 5n, R - 3n]) {
      using vector = await FrVector.from(numbers)

      await ntt.forward(vector, { coset })
      t.deepEqual(elements(vector), naiveTransform(numbers, coset))
      await ntt.inverse(vector, { coset })
      t.deepEqual(elements(vector), numbers)
    }
  })
}

test('a transform of 2^16 goes back, and its sum is the first coefficient', async (t) => {
  const numbers = scalars(2 ** 16, 3)
  using vector = await FrVector.fromBytes(bytesOf(numbers))

  await ntt.forward(vector)
  const sum = numbers.reduce((total, number) => total + number, 0n)
  t.is(vector.at(0), sum % R)
  await ntt.inverse(vector, {})

  t.is(Buffer.compare(await vector.toBytes(), bytesOf(numbers)), 0)
})

for (const length of [0, 1, 2, 9, 24, 25, 300]) {
  test(`a sum of ${length} points is that of the products`, async (t) => {
    const [all, factors] = [points(length, length), scalars(length, length)]
    using vector = await G1Vector.fromBytes(bytesOfPoints(all))
    using coefficients = await FrVector.from(factors)

    t.deepEqual(await msm(vector, coefficients), plain(sumOf(all, factors)))
  })
}

test('points come back as they were given, checked or not', async (t) => {
  const some = points(60, 9)
  const all = Array.from({ length: LONG }, (_, i) => some[i % some.length] ?? some[0])
  const bytes = bytesOfPoints(all as typeof some)
  for (const check of ['curve', 'none'] as const) {
    using vector = await G1Vector.fromBytes(bytes, { check })

    t.is(vector.length, LONG)
    t.is(Buffer.compare(await vector.toBytes(), bytes), 0)
    t.deepEqual(vector.at(LONG - 1), plain(all.at(-1) as (typeof some)[0]))
  }
  using empty = await G1Vector.fromBytes(new Uint8Array())
  t.deepEqual(
    [empty.length, (await empty.toBytes()).length, `${empty}`],
    [0, 0, 'G1Vector(0 points)'],
  )
})

test('the order of points and scalars counts, and many of them agree with parts', async (t) => {
  const some = points(64, 5)
  const length = 4096
  const all = Array.from({ length }, (_, i) => some[i % 64] as (typeof some)[0])
  const factors = scalars(length, 6)
  const folded = some.map((_, i) => {
    return factors.filter((_, at) => at % 64 === i).reduce((sum, factor) => (sum + factor) % R, 0n)
  })
  using vector = await G1Vector.fromBytes(bytesOfPoints(all))
  using coefficients = await FrVector.from(factors)

  t.deepEqual(await msm(vector, coefficients), plain(sumOf(some, folded)))
})

test('a vector in an arena is one like others, until the arena is reset', async (t) => {
  using arena = new Arena('1M', { secret: true })
  const numbers = scalars(256, 8)
  const vector = await FrVector.fromBytes(bytesOf(numbers), { arena })
  using copy = await vector.slice()
  t.is(arena.usedBytes, 256 * 32)

  await ntt.forward(vector)
  t.deepEqual(elements(vector), naiveTransform(numbers))
  await ntt.inverse(vector)
  t.deepEqual(elements(vector), elements(copy))
  arena.reset()

  t.true(vector.isDisposed)
  const gone = { code: 'ERR_DISPOSED', message: /before a reset\. Its arena was reset or disposed/ }
  t.throws(() => vector.at(0), gone)
  t.throws(() => vector.set(0, 1), gone)
  await t.throwsAsync(vector.toBytes(), gone)
  await t.throwsAsync(vector.slice(), gone)
  await t.throwsAsync(ntt.forward(vector), gone)
  using next = FrVector.alloc(256, { arena })
  t.deepEqual(elements(next), Array(256).fill(0n))
  vector.dispose()
})

test('what is disposed in an arena is overwritten there, and nothing that came after it', async (t) => {
  using arena = new Arena('4M')
  const view = arena.alloc('u8', 64)
  const vector = await FrVector.from([3n, 4n], { arena })
  const late = await FrVector.from([5n], { arena })
  const bytes = new Uint8Array(view.buffer, view.byteOffset, arena.usedBytes)
  t.true(bytes.subarray(64, 128).some((byte) => byte !== 0))

  vector.dispose()
  t.true(bytes.subarray(64, 128).every((byte) => byte === 0))
  t.is(late.at(0), 5n)
  arena.reset()
  const taken = arena.alloc('u8', 1024)
  taken.fill(1)
  late.dispose()
  t.true(taken.every((byte) => byte === 1))
})

test.serial('memory of vectors counts, and comes back', async (t) => {
  const { liveBytes } = stats()
  const vector = FrVector.alloc(2 ** 16)
  const points = await G1Vector.fromBytes(new Uint8Array(64 * 2 ** 12))
  t.true(stats().liveBytes - liveBytes >= 32 * 2 ** 16 + 64 * 2 ** 12)

  vector.dispose()
  vector.dispose()
  points.dispose()
  // It is overwritten on another thread first.
  for (let turn = 0; turn < 1000 && stats().liveBytes > liveBytes; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.true(stats().liveBytes <= liveBytes)
})

test.serial('many zeros come from pages of their own, and are zeros again', async (t) => {
  const length = 2 ** 17
  const back = async (): Promise<void> => {
    for (let turn = 0; turn < 1000 && stats().liveBytes > liveBytes; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    t.true(stats().liveBytes <= liveBytes)
  }
  // Makes the tables of transforms, which are kept.
  using other = FrVector.alloc(length)
  await ntt.forward(other)
  const { liveBytes, fallbacks } = stats()

  for (let round = 1; round <= 2; round += 1) {
    const vector = FrVector.alloc(length)
    t.is(stats().fallbacks, fallbacks + round)
    t.is(stats().liveBytes, liveBytes + 32 * length)
    t.true((await vector.toBytes()).every((byte) => byte === 0))
    vector.set(length - 1, 5)
    await ntt.forward(vector)
    t.not(vector.at(0), 0n)
    vector.dispose()
    await back()
  }
  FrVector.alloc(2 ** 15).dispose()
  t.is(stats().fallbacks, fallbacks + 2, 'a few come from the heap')
})
