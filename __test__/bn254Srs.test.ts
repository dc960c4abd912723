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
