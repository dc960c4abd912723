// What is refused, by code and message.

import test, { type ExecutionContext } from 'ava'
import { Arena } from 'nalloc'
import { FrVector, G1Vector, msm, ntt } from 'nalloc/bn254'
import { bytesOf, bytesOfPoints, points, Q, R } from './_bn254.ts'

type Make = ErrorConstructor | TypeErrorConstructor | RangeErrorConstructor

async function refused(
  t: ExecutionContext,
  call: () => unknown,
  [code, message, instanceOf = Error]: readonly [string, string, Make?],
): Promise<void> {
  const error = await t.throwsAsync(async () => call(), { instanceOf })
  t.deepEqual([(error as { code?: string } | undefined)?.code, error?.message], [code, message])
}

const outside = (name: string) =>
  [
    'ERR_NON_CANONICAL',
    `${name}: expected an integer in [0, r), got one outside. Reduce it modulo r first.`,
  ] as const
const kind = (name: string, got: string, make: Make = RangeError) =>
  [
    'ERR_INVALID_ARG',
    `${name}: expected a bigint, a safe integer or decimal text, got ${got}`,
    make,
  ] as const

test('values that are no elements are named by their index', async (t) => {
  const rows = [
    [[1n, R], outside('values[1]')],
    [[-1n], outside('values[0]')],
    [[0, 0, -1], outside('values[2]')],
    [[`${R}`], outside('values[0]')],
    [[2n ** 300n], outside('values[0]')],
    [[0.5], kind('values[0]', 'a number that is none')],
    [[Number.NaN], kind('values[0]', 'a number that is none')],
    [[2 ** 53], kind('values[0]', 'a number that is none')],
    [['0x1'], kind('values[0]', 'text of another form')],
    [['01'], kind('values[0]', 'text of another form')],
    [['-1'], kind('values[0]', 'text of another form')],
    [[''], kind('values[0]', 'text of another form')],
    [[1n, undefined], kind('values[1]', 'undefined', TypeError)],
    [[null], kind('values[0]', 'null', TypeError)],
    [[[1n]], kind('values[0]', 'an array', TypeError)],
    [[true], kind('values[0]', 'a boolean', TypeError)],
  ] as const

  for (const [values, expected] of rows) {
    await refused(t, () => FrVector.from(values as never), expected)
  }
  const iterable = 'values: expected an iterable of integers, got'
  for (const [values, got] of [
    [5, 'a number'],
    ['12', 'a string'],
    [null, 'null'],
    [{}, 'an object'],
    [new Uint8Array(32), 'bytes: use fromBytes'],
  ] as const) {
    const expected = ['ERR_INVALID_ARG', `${iterable} ${got}`, TypeError] as const
    await refused(t, () => FrVector.from(values as never), expected)
  }
})

test('bytes that are no elements are named by their index, late in the vector too', async (t) => {
  const bytes = new Uint8Array(32 * 40_000)
  bytes.set(bytesOf([R]), 32 * 39_999)
  const at = (index: number) =>
    [
      'ERR_NON_CANONICAL',
      `elements[${index}]: expected a number below r, got one at or above it`,
    ] as const

  await refused(t, () => FrVector.fromBytes(bytes), at(39_999))
  await refused(t, () => FrVector.fromBytes(new Uint8Array(64).fill(255, 32)), at(1))
  await refused(t, () => FrVector.fromBytes(bytesOf([R - 1n, R])), at(1))
  await refused(t, () => FrVector.fromBytes(new Uint8Array(33)), [
    'ERR_INVALID_ARG',
    'bytes: expected a multiple of 32 bytes, got 33',
    RangeError,
  ])
  for (const [value, got] of [
    ['x.bin', 'a string'],
    [[1, 2], 'an array'],
    [undefined, 'undefined'],
  ] as const) {
    const message = `bytes: expected bytes, 32 for each, got ${got}`
    const expected = ['ERR_INVALID_ARG', message, TypeError] as const
    await refused(t, () => FrVector.fromBytes(value as never), expected)
  }
})

test('bytes that are detached while they are copied are an error', async (t) => {
  const bytes = new Uint8Array(32 * 100_000)
  const copying = FrVector.fromBytes(bytes)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })

  await refused(t, () => copying, [
    'ERR_INVALID_ARG',
    'bytes: expected bytes, got a detached buffer',
    TypeError,
  ])
})

test('points that are none are named by their index', async (t) => {
  const all = bytesOfPoints(points(3000, 1))
  const changed = (index: number, numbers: readonly bigint[]): Uint8Array => {
    const bytes = all.slice()
    bytes.set(bytesOf(numbers), 64 * index)
    return bytes
  }
  const canonical = (index: number) =>
    [
      'ERR_NON_CANONICAL',
      `points[${index}]: expected coordinates below q, got one at or above it`,
    ] as const
  const onCurve = (index: number) =>
    ['ERR_NOT_ON_CURVE', `points[${index}]: expected a point of the curve, got none`] as const

  await refused(t, () => G1Vector.fromBytes(changed(2999, [1n, 3n])), onCurve(2999))
  await refused(t, () => G1Vector.fromBytes(changed(7, [0n, 2n])), onCurve(7))
  await refused(t, () => G1Vector.fromBytes(changed(1500, [1n + Q, 2n])), canonical(1500))
  await refused(t, () => G1Vector.fromBytes(changed(0, [1n, Q]), { check: 'none' }), canonical(0))
  await refused(t, () => G1Vector.fromBytes(new Uint8Array(65)), [
    'ERR_INVALID_ARG',
    'bytes: expected a multiple of 64 bytes, got 65',
    RangeError,
  ])
  await refused(t, () => G1Vector.fromBytes(all, { check: 'all' as never }), [
    'ERR_INVALID_ARG',
    `check: expected 'curve' or 'none', got "all"`,
    RangeError,
  ])
  using unchecked = await G1Vector.fromBytes(changed(7, [0n, 2n]), { check: 'none' })
  t.deepEqual(unchecked.at(7), { x: 0n, y: 2n })
})

test('lengths that have no domain, or differ, or are too large are refused', async (t) => {
  const domain = (length: number) =>
    ['ERR_DOMAIN', `vector: expected 2^0..2^28 elements, a power of two, got ${length}`] as const
  for (const length of [0, 3, 6, 1023]) {
    using vector = FrVector.alloc(length)
    await refused(t, () => ntt.forward(vector), domain(length))
    await refused(t, () => ntt.inverse(vector, { coset: 2 }), domain(length))
  }
  for (const length of [2 ** 28 + 1, 2 ** 29, -1, 1.5]) {
    await refused(t, () => FrVector.alloc(length), [
      'ERR_INVALID_ARG',
      `length: expected an integer in 0..268435456, got ${length}`,
      RangeError,
    ])
  }
  using three = await G1Vector.fromBytes(new Uint8Array(192))
  for (const length of [0, 2, 4]) {
    using vector = FrVector.alloc(length)
    await refused(t, () => msm(three, vector), [
      'ERR_LENGTH_MISMATCH',
      `scalars: expected 3 elements, one for each point, got ${length}`,
    ])
  }
})

test('a sum that is asked to keep secrets is refused, not computed in another way', async (t) => {
  using points = await G1Vector.fromBytes(new Uint8Array(64))
  using scalars = await FrVector.from([1])
  const sum = (secret: unknown) => msm(points, scalars, { secret } as object)
  const expected = 'false: no sum takes a time that does not depend on its scalars'

  for (const [secret, got] of [
    [true, 'true'],
    [1, '1'],
    [null, 'null'],
    ['no', '"no"'],
  ]) {
    const message = `secret: expected ${expected}, got ${got}`
    await refused(t, () => sum(secret), ['ERR_INVALID_ARG', message, RangeError])
  }
  t.is(await sum(false), null)
  t.is(await sum(undefined), null)
})

test('indices, ranges, cosets and objects of another kind are refused', async (t) => {
  using vector = await FrVector.from([1, 2, 3, 4])
  using empty = FrVector.alloc(0)
  using points = await G1Vector.fromBytes(new Uint8Array(64))
  const range = (message: string) => ['ERR_INVALID_ARG', message, RangeError] as const
  const type = (message: string) => ['ERR_INVALID_ARG', message, TypeError] as const

  await refused(t, () => vector.at(4), range('index: expected an integer in 0..3, got 4'))
  await refused(t, () => vector.at(-1), range('index: expected an integer in 0..3, got -1'))
  await refused(
    t,
    () => vector.at('0' as never),
    type('index: expected an integer in 0..3, got "0"'),
  )
  await refused(t, () => empty.at(0), range('index: expected none, for there is nothing, got 0'))
  await refused(t, () => vector.set(0, R), outside('value'))
  await refused(t, () => vector.set(0, {} as never), kind('value', 'an object', TypeError))
  await refused(t, () => vector.slice(5), range('start: expected an integer in 0..4, got 5'))
  await refused(t, () => vector.slice(3, 2), range('end: expected an integer in 3..4, got 2'))
  await refused(t, () => ntt.forward(vector, { coset: R }), outside('coset'))
  await refused(
    t,
    () => ntt.forward(vector, { coset: 0n }),
    range('coset: expected an integer in [1, r), got zero, which has none'),
  )
  await refused(
    t,
    () => ntt.forward([1n] as never),
    type('vector: expected an FrVector, got an array'),
  )
  await refused(
    t,
    () => msm(vector as never, vector),
    type('points: expected a G1Vector, got an object of class FrVector'),
  )
  await refused(
    t,
    () => msm(points, null as never),
    type('scalars: expected an FrVector, got null'),
  )
  await refused(
    t,
    () => FrVector.alloc(1, { arena: {} as Arena }),
    type('arena: expected an Arena, got an object'),
  )
  await refused(t, () => points.at(1), range('index: expected an integer in 0..0, got 1'))
  t.deepEqual([vector.at(0), vector.at(3)], [1n, 4n], 'nothing was changed')
})

test('an arena that is too small refuses a vector and gives nothing away', async (t) => {
  using arena = new Arena('64K')

  t.throws(() => FrVector.alloc(2049, { arena }), { code: 'ERR_LIMIT' })
  await t.throwsAsync(FrVector.fromBytes(new Uint8Array(32 * 2049), { arena }), {
    code: 'ERR_LIMIT',
  })
  t.is(FrVector.alloc(2048, { arena }).length, 2048)
})
