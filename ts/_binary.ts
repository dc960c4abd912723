// Looks at a binary before the system's loader does: that one ends the process with SIGBUS for a
// file that was cut short, and says "No such file or directory" of another processor's.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** What ELF calls the processors that there are binaries for, and some that there are not. */
const MACHINES: Readonly<Record<number, string>> = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64' }
const HEADER_BYTES = 64
/** "\x7fELF", of 64 bits, little-endian. */
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1])
// Where the header of a file of 64 bits says what, in bytes.
const MACHINE_AT = 18
const SECTIONS_AT = 40
const SECTION_BYTES_AT = 58
const SECTION_COUNT_AT = 60

/** Why `file` cannot be loaded on a processor; undefined if nothing speaks against it. @internal */
export function binaryProblem(file: string, arch: string): string | undefined {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    const header = Buffer.alloc(HEADER_BYTES)
    const length = readSync(descriptor, header, 0, HEADER_BYTES, 0)
    if (length < HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) {
      return `expected a library of 64 bits, found ${size} bytes of something else`
    }
    const machine = header.readUInt16LE(MACHINE_AT)
    if (MACHINES[machine] !== arch) {
      return `expected a library for ${arch}, found one for ${MACHINES[machine] ?? machine}`
    }
    // The table of sections is what linkers write last.
    const tableBytes = header.readUInt16LE(SECTION_BYTES_AT) * header.readUInt16LE(SECTION_COUNT_AT)
    const end = header.readBigUInt64LE(SECTIONS_AT) + BigInt(tableBytes)
    return BigInt(size) < end ? `expected ${end} bytes, found ${size}: cut short` : undefined
  } finally {
    closeSync(descriptor)
  }
}
