// What the tests of `nalloc/bn254` compare with: @noble/curves, and sums and transforms written down
// as they are defined.

import { bn254 } from '@noble/curves/bn254.js'
import { randomWords } from './_random.ts'

export const { Fr } = bn254.fields
export const G1Point = bn254.G1.Point
export const R = Fr.ORDER
export const Q = bn254.fields.Fp.ORDER
/** Numbers of which something special is known. */
export const EDGES = [
  0n,
  1n,
  2n,
  R - 1n,
  R - 2n,
  (R - 1n) / 2n,
  (R + 1n) / 2n,
  2n ** 64n,
  2n ** 253n,
]

export type Point = InstanceType<typeof G1Point>

/** Numbers below r from a seed; the first ones are edges. */
export function scalars(length: number, seed: number): bigint[] {
  const random = randomWords(seed)
  return Array.from({ length }, (_, i) => {
    let number = 0n
    for (let word = 0; word < 8; word += 1) number = (number << 32n) | BigInt(random() >>> 0)
    return EDGES[i] ?? number % R
  })
}

/** Multiples of the generator, and infinity among them. */
export function points(length: number, seed: number): Point[] {
  const random = randomWords(seed)
  return Array.from({ length }, (_, i) => {
    return i % 7 === 3 ? G1Point.ZERO : G1Point.BASE.multiply(BigInt(1 + (random() >>> 8)))
  })
}

/** 32 little-endian bytes for each number. */
export function bytesOf(numbers: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 32)
  const view = new DataView(bytes.buffer)
  for (const [i, number] of numbers.entries()) {
    for (let word = 0; word < 4; word += 1) {
      view.setBigUint64(32 * i + 8 * word, number >> BigInt(64 * word), true)
    }
  }
  return bytes
}

/** x and y of each point, zeros for infinity. */
export function bytesOfPoints(all: readonly Point[]): Uint8Array {
  return bytesOf(all.flatMap((point) => coordinates(point)))
}

function coordinates(point: Point): bigint[] {
  if (point.is0()) return [0n, 0n]
  const { x, y } = point.toAffine()
  return [x, y]
}

/** A point as `nalloc/bn254` has it. */
export function plain(point: Point): { x: bigint; y: bigint } | null {
  return point.is0() ? null : point.toAffine()
}

/** The sum of all products, one after the other. */
export function sumOf(all: readonly Point[], factors: readonly bigint[]): Point {
  return all.reduce((sum, point, i) => {
    const factor = factors[i] ?? 0n
    return factor === 0n ? sum : sum.add(point.multiply(factor))
  }, G1Point.ZERO)
}

/** The transform as it is defined, on the coset of `shift`. */
export function naiveTransform(values: readonly bigint[], shift = 1n): bigint[] {
  const root = Fr.pow(5n, (R - 1n) / BigInt(values.length))
  return values.map((_, i) => {
    return valueAt(values, Fr.mul(shift, Fr.pow(root, BigInt(i))))
  })
}

/** The value of a polynomial by its coefficients. */
export function valueAt(coefficients: readonly bigint[], x: bigint): bigint {
  return coefficients.reduceRight((value, c) => Fr.add(Fr.mul(value, x), c), 0n)
}
