// Which curve a file is over, by the primes in its header.

import type { ErrorCode } from '../../errors.ts'
import type { Fields } from './container.ts'

/** A curve as snarkjs calls it; BN254 is `bn128` there. */
export type CurveName = 'bn128' | 'bls12381' | 'unknown'

/** A prime as it stands in a header. */
export interface PrimeField {
  /** Bytes of an element. */
  readonly bytes: number
  readonly prime: bigint
}

interface Curve {
  readonly name: CurveName
  /** Coordinates of points. */
  readonly q: bigint
  /** Values of signals. */
  readonly r: bigint
}

const CURVES: readonly Curve[] = [
  {
    name: 'bn128',
    q: 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47n,
    r: 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n,
  },
  {
    name: 'bls12381',
    q: 0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn,
    r: 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n,
  },
]
/** Longer fields occur in no curve that anybody proves over; a hostile header may say anything. */
const FIELD_BYTES_MAX = 128

/** The curve with these primes; one that the file does not have is left out. */
export function curveOf(primes: { readonly q?: bigint; readonly r?: bigint }): CurveName {
  const { q, r } = primes
  const found = CURVES.find((curve) => (q ?? curve.q) === curve.q && (r ?? curve.r) === curve.r)
  return found?.name ?? 'unknown'
}

/** Reads the length of an element and the prime; `code` is what a senseless length gives. */
export function readField(fields: Fields, code: ErrorCode): PrimeField {
  const at = fields.at
  const bytes = fields.u32()
  if (bytes === 0 || bytes % 8 !== 0 || bytes > FIELD_BYTES_MAX) {
    const expected = `elements of 8 to ${FIELD_BYTES_MAX} bytes, a multiple of 8`
    throw fields.refusal(code, at, expected, bytes)
  }
  return { bytes, prime: fields.prime(bytes) }
}
