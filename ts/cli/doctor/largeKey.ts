// A key that takes 34 MiB of the addon's heap, and as much again while it is copied, so that it can
// be seen what pages the heap obtains.
//
// It has the header of the self-test's key, many more wires, and every other point at infinity,
// which is all zero bytes: nothing is computed, and most pages of its file are never written here.

import { ProvingKey } from '../../provingKey.ts'
import { KEY_BASE64 } from './selfTestCircuit.ts'

/** Each wire has 320 bytes of points. */
const N_VARS = 110_000
const N_PUBLIC = 0
const DOMAIN_SIZE = 2
/** Lengths of the sections behind the header, for no coefficient. */
const SECTION_BYTES: readonly (readonly [id: number, bytes: number])[] = [
  [3, 64 * (N_PUBLIC + 1)],
  [4, 4],
  [5, 64 * N_VARS],
  [6, 64 * N_VARS],
  [7, 128 * N_VARS],
  [8, 64 * (N_VARS - N_PUBLIC - 1)],
  [9, 64 * DOMAIN_SIZE],
]
/** Magic, version, number of sections; a section's number and length. */
const [START_BYTES, HEAD_BYTES] = [12, 12] as const
/** Sections 1 and 2 of the self-test's key come first, with their heads. */
const COPIED_BYTES = START_BYTES + HEAD_BYTES + 4 + HEAD_BYTES + 660
const COUNTS_OFFSET = COPIED_BYTES - 660 + 72
const SECTIONS_OFFSET = 8

/** Opens it. Throws what opening a key throws, such as ERR_NO_MEMORY. */
export function openLargeKey(signal: AbortSignal): Promise<ProvingKey> {
  const bytes = SECTION_BYTES.reduce((sum, [, bytes]) => sum + HEAD_BYTES + bytes, COPIED_BYTES)
  const file = Buffer.alloc(bytes)
  Buffer.from(KEY_BASE64, 'base64').copy(file, 0, 0, COPIED_BYTES)
  file.writeUInt32LE(2 + SECTION_BYTES.length, SECTIONS_OFFSET)
  for (const [i, count] of [N_VARS, N_PUBLIC, DOMAIN_SIZE].entries()) {
    file.writeUInt32LE(count, COUNTS_OFFSET + 4 * i)
  }
  let offset = COPIED_BYTES
  for (const [id, bytes] of SECTION_BYTES) {
    file.writeUInt32LE(id, offset)
    file.writeBigUInt64LE(BigInt(bytes), offset + 4)
    offset += HEAD_BYTES + bytes
  }
  return ProvingKey.open(file, { signal })
}
