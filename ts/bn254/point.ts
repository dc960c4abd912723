// Points as JavaScript has them.

import { showType } from '../_check.ts'
import { wrongType } from '../errors.ts'

const COORDINATE_BYTES = 32
/** Bytes of a point of G1. @internal */
export const POINT_BYTES = 2 * COORDINATE_BYTES
/** Whether a coordinate is below q is asked by native code; above this it has no bytes. */
const COORDINATE_END = 2n ** 256n

/** A point of G1 by its coordinates, integers in [0, q); null is infinity. */
export type G1 = { readonly x: bigint; readonly y: bigint } | null

/** x and y from little-endian bytes; zeros are infinity. @internal */
export function pointOf(bytes: Uint8Array): G1 {
  const x = numberOf(bytes.subarray(0, COORDINATE_BYTES))
  const y = numberOf(bytes.subarray(COORDINATE_BYTES, POINT_BYTES))
  return x === 0n && y === 0n ? null : { x, y }
}

/** 32 little-endian bytes as a number. @internal */
export function numberOf(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, COORDINATE_BYTES)
  let number = 0n
  for (let at = COORDINATE_BYTES - 8; at >= 0; at -= 8) {
    number = (number << 64n) | view.getBigUint64(at, true)
  }
  return number
}

/** Whether a value has the form of a point. @internal */
export function isPoint(value: unknown): value is G1 {
  if (value === null) return true
  if (typeof value !== 'object') return false
  const { x, y } = value as Partial<NonNullable<G1>>
  return isCoordinate(x) && isCoordinate(y)
}

/** x and y as little-endian bytes; zeros for infinity. @internal */
export function bytesOfPoint(name: string, point: unknown): Uint8Array {
  const expected = '{ x, y } of bigints in [0, q), or null'
  if (!isPoint(point)) throw wrongType(name, expected, showType(point))
  const bytes = new Uint8Array(POINT_BYTES)
  if (point === null) return bytes
  writeNumber(bytes, point.x)
  writeNumber(bytes.subarray(COORDINATE_BYTES), point.y)
  return bytes
}

function isCoordinate(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value < COORDINATE_END
}

function writeNumber(bytes: Uint8Array, number: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, COORDINATE_BYTES)
  for (let at = 0; at < COORDINATE_BYTES; at += 8) {
    view.setBigUint64(at, number >> BigInt(8 * at), true)
  }
}
