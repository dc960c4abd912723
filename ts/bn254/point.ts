// Points as JavaScript has them.

const COORDINATE_BYTES = 32

/** A point of G1 by its coordinates, integers in [0, q); null is infinity. */
export type G1 = { readonly x: bigint; readonly y: bigint } | null

/** x and y from little-endian bytes; zeros are infinity. @internal */
export function pointOf(bytes: Uint8Array): G1 {
  const x = numberOf(bytes.subarray(0, COORDINATE_BYTES))
  const y = numberOf(bytes.subarray(COORDINATE_BYTES))
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
