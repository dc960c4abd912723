// Bytes to look for, which lie nowhere until they are written, byte by byte.

const NEEDLE_BYTES = 48

/** Numbers of needles: in ordinary memory, a small and a large secret, a secret arena. */
export const NEEDLES = [11, 22, 33, 44] as const

/** Writes a needle to the start of a view. */
export function writeNeedle(view: Uint8Array, number: number): void {
  for (let i = 0; i < NEEDLE_BYTES; i += 1)
    view[i] = (i * i * 37 + number * 101 + i * number) & 0xff
}

/** A needle, for the process that searches. */
export function needle(number: number): Buffer {
  const bytes = Buffer.alloc(NEEDLE_BYTES)
  writeNeedle(bytes, number)
  return bytes
}
