// A sink that collects a witness as a .wtns file, which the library itself never makes.

/** The modulus r of BN254's scalars. */
export const PRIME = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const HEADER_BYTES = 76

/** Collects what a calculator writes. */
export class WtnsSink {
  readonly file: Buffer
  isDisposed = false
  /** The views that it was given: the calculator's own buffer, which it wipes. */
  readonly seen: Uint8Array[] = []

  constructor(readonly length: number) {
    this.file = Buffer.concat([headerOf(length), Buffer.alloc(length * 32)])
  }

  write(index: number, bytes: Uint8Array): void {
    this.file.set(bytes, HEADER_BYTES + index * 32)
    this.seen.push(bytes)
  }

  dispose(): void {
    this.isDisposed = true
  }
}

/** The bytes of a plain little-endian element. */
export function elementBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()
}

/** A .wtns file with these values. */
export function wtnsOf(values: readonly bigint[]): Buffer {
  return Buffer.concat([headerOf(values.length), ...values.map(elementBytes)])
}

function headerOf(length: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.write('wtns')
  header.writeUInt32LE(2, 4)
  header.writeUInt32LE(2, 8)
  header.writeUInt32LE(1, 12)
  header.writeBigUInt64LE(40n, 16)
  header.writeUInt32LE(32, 24)
  elementBytes(PRIME).copy(header, 28)
  header.writeUInt32LE(length, 60)
  header.writeUInt32LE(2, 64)
  header.writeBigUInt64LE(BigInt(length * 32), 68)
  return header
}
