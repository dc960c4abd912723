// One pass over a file, from its first byte to its last: every byte is read once and hashed.
//
// In a Groth16 key the indices of the coefficients are looked at on the way, because no header says
// how many constraints there are: the last row of A does. The bytes may be those of a witness: they
// go through one buffer, which is overwritten at the end. What OpenSSL keeps of them, the last
// 64 bytes at most, is out of reach.

import { createHash } from 'node:crypto'
import type { Container } from './container.ts'
import type { RegularFile } from './regularFile.ts'
import type { CoefficientTable } from './zkey.ts'

/** How a pass is watched and stopped. */
export interface PassOptions {
  readonly signal?: AbortSignal | undefined
  /** Called after each part with the bytes that were read and those that there are. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** What a pass over a Groth16 key found. */
export interface KeyDigest {
  readonly sha256: string
  readonly nConstraints: number
}

const CHUNK_BYTES = 2 ** 20
const [MATRIX, ROW, SIGNAL] = [0, 4, 8] as const

/**
 * The SHA-256 of the whole file, in hexadecimal digits. Throws ERR_FILE_CHANGED, ERR_IO, and the
 * signal's reason.
 */
export async function hashFile(file: RegularFile, options: PassOptions): Promise<string> {
  return new Pass(file, options).run([{ end: file.bytes }])
}

/** As `hashFile`, and the constraints; throws ERR_INDEX_RANGE for a coefficient that is of no place in the matrices. */
export async function hashKey(
  container: Container,
  table: CoefficientTable,
  options: PassOptions,
): Promise<KeyDigest> {
  const rows = new Rows(container, table)
  const end = table.offset + table.recordBytes * table.count
  const sha256 = await new Pass(container.file, options).run([
    { end: table.offset },
    { end, unitBytes: table.recordBytes, take: (chunk, offset) => rows.take(chunk, offset) },
    { end: container.file.bytes },
  ])
  return { sha256, nConstraints: rows.nConstraints }
}

/** A stretch of the file, from the end of the one before. */
interface Stretch {
  readonly end: number
  /** Chunks are multiples of this. */
  readonly unitBytes?: number
  readonly take?: (chunk: Buffer, offset: number) => void
}

class Pass {
  readonly #file: RegularFile
  readonly #options: PassOptions
  readonly #hash = createHash('sha256')
  readonly #buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)

  constructor(file: RegularFile, options: PassOptions) {
    this.#file = file
    this.#options = options
  }

  async run(stretches: readonly Stretch[]): Promise<string> {
    try {
      let offset = 0
      for (const stretch of stretches) {
        await this.#read(stretch, offset)
        offset = stretch.end
      }
      await this.#file.checkUnchanged()
      return this.#hash.digest('hex')
    } finally {
      this.#buffer.fill(0)
    }
  }

  async #read({ end, unitBytes = 1, take }: Stretch, start: number): Promise<void> {
    const { signal, onProgress } = this.#options
    const chunkBytes = CHUNK_BYTES - (CHUNK_BYTES % unitBytes)
    for (let offset = start; offset < end; offset += chunkBytes) {
      signal?.throwIfAborted()
      const chunk = this.#buffer.subarray(0, Math.min(chunkBytes, end - offset))
      await this.#file.read(offset, chunk)
      this.#hash.update(chunk)
      take?.(chunk, offset)
      onProgress?.(offset + chunk.length, this.#file.bytes)
    }
  }
}

/** The indices of coefficients: all must exist, and the last row of A says how many there are. */
class Rows {
  readonly #container: Container
  readonly #table: CoefficientTable
  /** One more than the last row of A that has a coefficient. */
  #rows = 0

  constructor(container: Container, table: CoefficientTable) {
    this.#container = container
    this.#table = table
  }

  /** Rows that are not there to bind the public signals. */
  get nConstraints(): number {
    return Math.max(this.#rows - this.#table.nPublic - 1, 0)
  }

  take(chunk: Buffer, offset: number): void {
    const { recordBytes, domainSize, nVars } = this.#table
    for (let at = 0; at < chunk.length; at += recordBytes) {
      const matrix = chunk.readUInt32LE(at + MATRIX)
      const row = chunk.readUInt32LE(at + ROW)
      const signal = chunk.readUInt32LE(at + SIGNAL)
      if (matrix > 1) this.#refuse(offset + at + MATRIX, 'matrix', 2, matrix)
      if (row >= domainSize) this.#refuse(offset + at + ROW, 'row', domainSize, row)
      if (signal >= nVars) this.#refuse(offset + at + SIGNAL, 'signal', nVars, signal)
      if (matrix === 0 && row >= this.#rows) this.#rows = row + 1
    }
  }

  #refuse(offset: number, index: string, limit: number, got: number): never {
    const { section, offset: first, recordBytes } = this.#table
    const number = Math.floor((offset - first) / recordBytes)
    const expected = `a ${index} below ${limit} in coefficient ${number}`
    const at = offset - section.offset
    throw this.#container.refusal('ERR_INDEX_RANGE', section, at, expected, got)
  }
}
