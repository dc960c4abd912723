import { Serializer } from 'node:v8'
import test from 'ava'
import { field, signals } from './_internal.ts'
import { randomWords } from './_random.ts'

const SEED = 20260101
const { ELEMENT_LIMBS, PRIME, VALUE_DIGITS_MAX, writeElement } = field

/** What the limbs hold, or undefined when the value was refused. */
function parse(value: unknown): bigint | undefined {
  const limbs = new Uint16Array(ELEMENT_LIMBS).fill(0xabcd)
  if (!writeElement(limbs, value)) return undefined
  return limbs.reduceRight((sum, limb) => (sum << 16n) + BigInt(limb), 0n)
}

function reduce(value: bigint): bigint {
  return ((value % PRIME) + PRIME) % PRIME
}

const EDGES = [
  0n,
  1n,
  9n,
  10n,
  2n ** 16n - 1n,
  2n ** 16n,
  2n ** 53n - 1n,
  2n ** 64n,
  PRIME - 1n,
  PRIME,
  PRIME + 1n,
  2n * PRIME,
  5n * PRIME,
  2n ** 256n - 1n,
  2n ** 256n,
  2n ** 320n + 1n,
  10n ** 300n,
]

test('decimal text, 0x text and bigints of every size are reduced modulo r', (t) => {
  const next = randomWords(SEED)
  const randoms = Array.from({ length: 300 }, (_, i) => {
    let value = 0n
    for (let word = 0; word <= i % 12; word += 1) value = (value << 32n) + BigInt(next())
    return value
  })

  for (const value of [...EDGES, ...randoms].flatMap((magnitude) => [magnitude, -magnitude])) {
    const sign = value < 0n ? '-' : ''
    const hex = `${sign}0x${(value < 0n ? -value : value).toString(16)}`
    const expected = reduce(value)

    t.is(parse(value), expected, `bigint ${value}`)
    t.is(parse(value.toString()), expected, `decimal ${value}`)
    t.is(parse(hex), expected, hex)
    t.is(parse(hex.toUpperCase().replace('0X', '0x')), expected, hex)
  }
})

test('the copy that is made of a bigint is wiped', (t) => {
  const { releaseBuffer } = Serializer.prototype
  const released: Buffer[] = []
  Serializer.prototype.releaseBuffer = function () {
    const buffer = releaseBuffer.call(this)
    released.push(buffer)
    return buffer
  }
  t.teardown(() => {
    Serializer.prototype.releaseBuffer = releaseBuffer
  })

  parse(PRIME - 2n)
  parse(10n ** 500n)

  t.is(released.length, 2)
  t.true(released.every((bytes) => bytes.length > 32 && bytes.every((byte) => byte === 0)))
})

test('safe integers are taken, all other numbers are refused', (t) => {
  for (const value of [0, -0, 1, -1, 65535, 65536, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER]) {
    t.is(parse(value), reduce(BigInt(value)), String(value))
    t.is(parse(-value), reduce(-BigInt(value)), String(-value))
  }
  for (const value of [0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.is(parse(value), undefined, String(value))
  }
})

test('text that is not an integer is refused', (t) => {
  const bad = [
    '',
    '-',
    '0x',
    '-0x',
    '+1',
    ' 1',
    '1 ',
    '1.0',
    '1e3',
    '1n',
    '0b1',
    '12a',
    '0xg',
    '--1',
  ]
  for (const text of [...bad, '１', '0x@', '0x`', '/', ':', '1'.repeat(VALUE_DIGITS_MAX + 1)]) {
    t.is(parse(text), undefined, JSON.stringify(text))
  }
  t.is(parse('1'.repeat(VALUE_DIGITS_MAX)), reduce(BigInt('1'.repeat(VALUE_DIGITS_MAX))))
  t.is(parse('007'), 7n)
})

test('what is no number is refused', (t) => {
  for (const value of [true, null, undefined, {}, [], Symbol('1'), () => 1, new Uint8Array(32)]) {
    t.is(parse(value), undefined)
  }
  t.is(parse(2n ** 5000n), undefined)
})

test('signal names hash as 64-bit FNV-1a of their UTF-8', (t) => {
  const next = randomWords(SEED)
  const names = ['', 'a', 'secret', 'merkleProofSiblings', 'größe', '署名', '\u{1f600}']
  const randoms = Array.from({ length: 200 }, () => String.fromCharCode(next() % 0xd800, 65))

  for (const name of [...names, ...randoms]) {
    let hash = 0xcbf29ce484222325n
    for (const byte of Buffer.from(name))
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
    const { high, low } = signals.hashOfName(name)

    t.is((BigInt(high) << 32n) + BigInt(low), hash, JSON.stringify(name))
  }
})
