// Writes containers by hand: .r1cs and .ptau files, and what no tool would write.

/** A section of a container. */
export interface MadeSection {
  readonly id: number
  readonly bytes: Uint8Array
  /** Written in place of the true length. */
  readonly claimedBytes?: bigint
}

/** What a container is made of; the true number of sections is written unless another is given. */
export interface MadeContainer {
  readonly magic: string
  readonly version: number
  readonly sections: readonly MadeSection[]
  readonly claimedSections?: number
}

/** The bytes of a container. */
export function containerOf(made: MadeContainer): Buffer {
  const { magic, version, sections, claimedSections = sections.length } = made
  const parts = sections.map(({ id, bytes, claimedBytes = BigInt(bytes.length) }) =>
    Buffer.concat([u32(id), u64(claimedBytes), bytes]),
  )
  return Buffer.concat([Buffer.from(magic), u32(version), u32(claimedSections), ...parts])
}

/** The sections of a container that is whole. */
export function sectionsOf(file: Buffer): MadeSection[] {
  const sections: MadeSection[] = []
  for (let at = 12; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at + 4))
    const start = at + 12
    sections.push({ id: file.readUInt32LE(at), bytes: file.subarray(start, start + length) })
    at = start + length
  }
  return sections
}

/** A prime as a header has it: the length of an element, then the prime. */
export function primeBytes(length: number, prime: bigint): Buffer {
  const hex = prime.toString(16).padStart(length * 2, '0')
  return Buffer.concat([u32(length), Buffer.from(hex, 'hex').reverse()])
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i)
  return bytes
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
