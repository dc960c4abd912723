// Files that take long to read, and little room on a disk.

import fs from 'node:fs'

/**
 * Writes a .zkey or a .wtns with one section more, which nobody reads: so many zeros that are on no
 * disk.
 */
export function writeLongFile(file: string, short: Buffer, paddingBytes: number): void {
  const head = Buffer.alloc(12)
  head.writeUInt32LE(99)
  head.writeBigUInt64LE(BigInt(paddingBytes), 4)
  const whole = Buffer.concat([short, head])
  whole.writeUInt32LE(short.readUInt32LE(8) + 1, 8)
  fs.writeFileSync(file, whole)
  fs.truncateSync(file, whole.length + paddingBytes)
}
