// Ceremonies: files that snarkjs made, flat files, and files that lie.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import test, { type ExecutionContext } from 'ava'
import { stats } from 'nalloc'
import { FrVector, Kzg, Polynomial, type RawLayout, Srs } from 'nalloc/bn254'
import { G1Point, plain, R, scalars, valueAt } from './_bn254.ts'
import { endSnarkjs, holdCeremony } from './_ceremony.ts'

const POWER = 4
const TAU = 987654321n
const G2Point = bn254.G2.Point

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-srs-'))
/** Of a ceremony that had two contributions, and of one that had none. */
let ptau: string
let fresh: string

test.before(async () => {
  const ceremony = await holdCeremony(POWER, folder)
  ptau = ceremony.second
  fresh = ceremony.fresh
  await endSnarkjs()
})

test.after.always(() => fs.rmSync(folder, { recursive: true }))

function word(number: bigint): Uint8Array {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
}

/** Powers of `TAU` in words of EIP-196, from `first` on. */
function flatFile(length: number, first = 0): Uint8Array {
  const powers = Array.from({ length }, (_, i) => TAU ** BigInt(first + i) % R)
  const points = powers.map((power) => G1Point.BASE.multiply(power).toAffine())
  return Buffer.concat(points.flatMap(({ x, y }) => [word(x), word(y)]))
}

function tauG2(tau = TAU): Uint8Array {
  const { x, y } = G2Point.BASE.multiply(tau).toAffine()
  return Buffer.concat([x.c1, x.c0, y.c1, y.c0].map(word))
}

const LAYOUT: RawLayout = { encoding: 'ethereum', tauG2: tauG2() }

/** Opens a polynomial of the highest degree, and verifies that. */
async function isUsable(t: ExecutionContext, srs: Srs): Promise<void> {
  const kzg = new Kzg(srs)
  using polynomial = await Polynomial.fromCoefficients(scalars(srs.maxDegree + 1, 5))
  const opening = await kzg.open(polynomial, 77)
  t.is(opening.value, valueAt(scalars(srs.maxDegree + 1, 5), 77n))
  t.true(await kzg.verify(opening))
  t.false(await kzg.verify({ ...opening, value: 1n }))
}

test('the powers of a ceremony of snarkjs, from a path and from bytes', async (t) => {
  const bytes = fs.readFileSync(ptau)
  for (const maxDegree of [1, 5, 2 ** (POWER + 1) - 2]) {
    for (const source of [ptau, bytes]) {
      using srs = await Srs.fromPtau(source, maxDegree)
      t.is(srs.maxDegree, maxDegree)
      await isUsable(t, srs)
    }
  }
})

test('flat files, from the generator or from tau on, with bytes before the points', async (t) => {
  const maxDegree = 9
  const file = path.join(folder, 'g1.dat')
  fs.writeFileSync(file, Buffer.concat([Buffer.alloc(28, 7), flatFile(maxDegree, 1)]))
  const sources = [
    [flatFile(maxDegree + 1), LAYOUT],
    [flatFile(maxDegree + 5), { ...LAYOUT, first: 'generator', skipBytes: 0 }],
    [file, { ...LAYOUT, first: 'tau', skipBytes: 28 }],
  ] as const

  for (const [source, layout] of sources) {
    using srs = await Srs.fromRaw(source, layout, maxDegree)
    const coefficients = scalars(maxDegree + 1, 11)
    using polynomial = await Polynomial.fromCoefficients(coefficients)
    const commitment = await new Kzg(srs).commit(polynomial)
    t.deepEqual(commitment, plain(G1Point.BASE.multiply(valueAt(coefficients, TAU))))
    await isUsable(t, srs)
  }
})

test('files that lie are refused, with the place', async (t) => {
  const bytes = fs.readFileSync(ptau)
  const { length } = bytes
  const changed = (at: number, value: number): Uint8Array => {
    const copy = Uint8Array.from(bytes)
    copy[at] = value
    return copy
  }
  const swapped = flatFile(4)
  swapped.set(flatFile(1, 3), 2 * 64)
  const wrong: [string, RegExp, () => Promise<Srs>][] = [
    ['ERR_INSECURE_SRS', /tau is 1/, () => Srs.fromPtau(fresh, 3)],
    ['ERR_DEGREE', /section 2/, () => Srs.fromPtau(ptau, 2 ** (POWER + 1) - 1)],
    ['ERR_BAD_MAGIC', /ptau/, () => Srs.fromPtau(changed(0, 0), 3)],
    ['ERR_TRUNCATED', /cut off/, () => Srs.fromPtau(bytes.subarray(0, length / 2), 3)],
    ['ERR_UNSUPPORTED_CURVE', /BN254/, () => Srs.fromPtau(changed(40, 1), 3)],
    ['ERR_IO', /none.ptau/, () => Srs.fromPtau(path.join(folder, 'none.ptau'), 3)],
    ['ERR_DEGREE', /4/, () => Srs.fromRaw(flatFile(4), LAYOUT, 4)],
    ['ERR_BAD_SRS', /tau/, () => Srs.fromRaw(swapped, LAYOUT, 3)],
    ['ERR_BAD_SRS', /tau/, () => Srs.fromRaw(flatFile(4), { ...LAYOUT, tauG2: tauG2(5n) }, 3)],
    [
      'ERR_NOT_ON_CURVE',
      /tauG2/,
      () => rawWith(Buffer.concat([tauG2().subarray(0, 96), word(1n)])),
    ],
    ['ERR_INVALID_ARG', /expected 128 bytes, got 64/, () => rawWith(tauG2().subarray(64))],
  ]

  const { liveBytes } = stats()
  for (const [code, message, open] of wrong) {
    await t.throwsAsync(open, { code, message })
  }
  t.is(stats().liveBytes, liveBytes)
})

/** Where each section of a .ptau begins. */
function sectionsOf(bytes: Uint8Array): Map<number, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const starts = new Map<number, number>()
  let at = 12
  for (let left = view.getUint32(8, true); left > 0; left -= 1) {
    starts.set(view.getUint32(at, true), at + 12)
    at += 12 + Number(view.getBigUint64(at + 4, true))
  }
  return starts
}

test('what is wrong in a .ptau is told with its section and the point', async (t) => {
  const good = Uint8Array.from(fs.readFileSync(ptau))
  const sections = sectionsOf(good)
  const start = (id: number): number => sections.get(id) ?? Number.NaN
  const changed = (id: number, at: number, bytes: readonly number[]): Uint8Array => {
    const copy = good.slice()
    copy.set(bytes, start(id) + at)
    return copy
  }
  const ones = Array(32).fill(0xff) as number[]
  const zeros = Array(64).fill(0) as number[]
  const power5 = [...good.subarray(start(2) + 5 * 64, start(2) + 6 * 64)]
  const rows: [string, RegExp, Uint8Array][] = [
    ['ERR_UNSUPPORTED_CURVE', /section 1\b.*BN254 \(bn128\), got .*48 bytes/, changed(1, 0, [48])],
    ['ERR_UNSUPPORTED_CURVE', /section 1\b.*BN254 \(bn128\), got /, changed(1, 4, [0])],
    ['ERR_BAD_HEADER', /section 1\b.*1 to 28, got 29/, changed(1, 36, [29])],
    ['ERR_NOT_ON_CURVE', /section 2\b.*power 5: expected a point/, changed(2, 5 * 64, [1])],
    ['ERR_NON_CANONICAL', /section 2\b.*power 7: expected a number/, changed(2, 7 * 64 + 32, ones)],
    ['ERR_BAD_SRS', /section 2\b.*power 6: expected that of the tau/, changed(2, 6 * 64, power5)],
    ['ERR_POINT_AT_INFINITY', /section 2\b.*power 3: expected a point/, changed(2, 3 * 64, zeros)],
    ['ERR_NOT_ON_CURVE', /section 3\b.*power in G2 1: expected a point/, changed(3, 128, [1])],
    ['ERR_TRUNCATED', /section 2\b.*cut off/, good.subarray(0, start(2) + 10)],
    ['ERR_TRUNCATED', /section 1\b.*cut off/, good.subarray(0, start(1) + 10)],
    ['ERR_TRUNCATED', /cut off/, good.subarray(0, 14)],
    ['ERR_TRUNCATED', /cut off/, new Uint8Array()],
  ]

  for (const [code, message, bytes] of rows) {
    await t.throwsAsync(Srs.fromPtau(bytes, 8), { code, message })
    const file = path.join(folder, 'bad.ptau')
    fs.writeFileSync(file, bytes)
    await t.throwsAsync(Srs.fromPtau(file, 8), { code, message: /^.*bad\.ptau/ })
  }
  const flat = flatFile(6)
  flat[6 * 64 - 1] = (flat[6 * 64 - 1] ?? 0) ^ 1
  await t.throwsAsync(Srs.fromRaw(flat, LAYOUT, 5), {
    code: 'ERR_NOT_ON_CURVE',
    message: /point 5: /,
  })
  await t.throwsAsync(Srs.fromRaw(new Uint8Array(), LAYOUT, 5), { code: 'ERR_DEGREE' })
})

function rawWith(point: Uint8Array): Promise<Srs> {
  return Srs.fromRaw(flatFile(4), { ...LAYOUT, tauG2: point }, 3)
}

test('arguments of the wrong kind are told, and limits and aborts hold', async (t) => {
  const bytes = flatFile(4)
  const layouts: [unknown, string][] = [
    [undefined, 'layout: expected an object with encoding and tauG2, got undefined'],
    [{ ...LAYOUT, encoding: 'pem' }, 'layout.encoding: expected one of '],
    [{ ...LAYOUT, first: 'last' }, "layout.first: expected 'generator' or 'tau', got \"last\""],
    [{ ...LAYOUT, skipBytes: -1 }, 'layout.skipBytes: expected an integer in '],
    [{ ...LAYOUT, tauG2: 'a path' }, 'layout.tauG2: expected bytes, got a path'],
  ]
  for (const [layout, message] of layouts) {
    const error = await t.throwsAsync(Srs.fromRaw(bytes, layout as RawLayout, 3), {
      code: 'ERR_INVALID_ARG',
    })
    t.true(error.message.startsWith(message), error.message)
  }
  for (const maxDegree of [0, 1.5, -1, 2 ** 28]) {
    await t.throwsAsync(Srs.fromPtau(ptau, maxDegree), { code: 'ERR_INVALID_ARG' })
  }
  await t.throwsAsync(Srs.fromPtau(ptau, 3, { memoryLimit: 1 }), { code: 'ERR_LIMIT' })
  const reason = new Error('enough')
  const opening = Srs.fromPtau(ptau, 3, { signal: AbortSignal.abort(reason) })
  t.is(await t.throwsAsync(opening), reason)
})

test('an opening as the arguments of a Solidity function', async (t) => {
  using srs = await Srs.unsafeForTests(TAU, 3)
  using polynomial = await Polynomial.fromCoefficients([5, 1])
  const opening = await new Kzg(srs).open(polynomial, 2)
  const hex = (number: bigint): string => `"0x${number.toString(16).padStart(64, '0')}"`
  const point = ({ x, y }: { x: bigint; y: bigint }): string => `[${hex(x)},${hex(y)}]`
  const { commitment, proof } = opening
  if (commitment === null || proof === null) return t.fail()

  const expected = [point(commitment), hex(2n), hex(7n), point(proof)].join(',')
  t.is(Kzg.toCalldata(opening), expected)
  using zero = await FrVector.from([0, 0])
  t.is(await new Kzg(srs).commitEvaluations(zero), null)
  t.throws(() => Kzg.toCalldata({ ...opening, proof: { x: 1n, y: 3n } }), {
    code: 'ERR_INVALID_ARG',
  })
})
