// Traces in their binary form: docs/FORMATS.md, section 13.
//
// May assume nothing about a byte. Chunks are decoded one by one when they are whole, so memory has
// a bound, and of a file that was cut off everything is used but its last chunk. Every number is
// compared with its bounds; what is wrong is named with the byte where it stands.

import { NallocError } from '../errors.ts'
import { ChunkDecoder, type Found } from './chunkDecoder.ts'
import type { TraceEnd, TraceVisitor } from './event.ts'
import { CHUNK_HEAD_BYTES, CHUNK_MAGIC, HEADER_BYTES_MIN, PAYLOAD_BYTES_MAX } from './format.ts'
import { headerBytesOf, readHeader, type TraceHeader } from './header.ts'
import { malformed, type TraceParser } from './parser.ts'

/** Reads the binary form, in pieces of any length. */
export class BinaryParser implements TraceParser {
  readonly #file: string
  readonly #visitorFor: (isOfProcess: boolean) => TraceVisitor
  #header: TraceHeader | undefined
  #decoder: ChunkDecoder | undefined
  /** Bytes that were not decoded yet: less than a chunk. */
  #rest: Uint8Array = new Uint8Array(0)
  /** Where they stand in the file. */
  #offset = 0

  /** Which visitor it is may depend on whether a process recorded the trace or it was CSV. */
  constructor(file: string, visitorFor: (isOfProcess: boolean) => TraceVisitor) {
    this.#file = file
    this.#visitorFor = visitorFor
  }

  push(bytes: Uint8Array): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    for (;;) {
      const used = this.#takePart(all.subarray(at))
      if (used === 0) break
      at += used
      this.#offset += used
    }
    this.#rest = new Uint8Array(all.subarray(at))
  }

  end(): TraceEnd {
    const header = this.#header
    if (!header || !this.#decoder) throw this.#truncatedHeader()
    const { found } = this.#decoder
    const { program, pid, startUnixMs, recorder, recorderVersion } = header
    return {
      eventCount: found.eventCount,
      shortfalls: this.#shortfalls(header, found),
      process: pid === 0 ? undefined : { program, pid, startUnixMs, recorder, recorderVersion },
    }
  }

  /** Takes the header or a chunk, if it is there as a whole; how many bytes it has. */
  #takePart(bytes: Uint8Array): number {
    if (this.#decoder) return this.#takeChunk(bytes, this.#decoder)
    if (bytes.length < HEADER_BYTES_MIN) return 0
    const length = headerBytesOf(bytes, this.#file)
    if (bytes.length < length) return 0
    this.#header = readHeader(bytes.subarray(0, length), this.#file)
    // What was made from CSV does not know which pages were warm.
    const knowsHits = this.#header.pid !== 0
    const visitor = this.#visitorFor(knowsHits)
    this.#decoder = new ChunkDecoder({ file: this.#file, visitor, knowsHits })
    return length
  }

  #takeChunk(bytes: Uint8Array, decoder: ChunkDecoder): number {
    if (bytes.length < CHUNK_HEAD_BYTES) return 0
    const view = new DataView(bytes.buffer, bytes.byteOffset, CHUNK_HEAD_BYTES)
    const magic = Buffer.from(bytes.subarray(0, 4)).toString('latin1')
    if (magic !== CHUNK_MAGIC) {
      throw this.#fault(0, `a chunk that begins with "${CHUNK_MAGIC}"`, JSON.stringify(magic))
    }
    const payloadBytes = view.getUint32(4, true)
    if (payloadBytes > PAYLOAD_BYTES_MAX) {
      throw this.#fault(4, `a chunk of at most ${PAYLOAD_BYTES_MAX} bytes`, `${payloadBytes}`)
    }
    const length = CHUNK_HEAD_BYTES + payloadBytes
    if (bytes.length < length) return 0
    decoder.decode(bytes.subarray(0, length), this.#offset)
    return length
  }

  #shortfalls({ forkedFromPid }: TraceHeader, found: Found): readonly string[] {
    const sentences: string[] = []
    if (this.#rest.length > 0) {
      sentences.push(
        `It was cut off: a part of a chunk stands at byte ${this.#offset}, the last of the file.`,
      )
    } else if (!found.hasExit) {
      sentences.push('It has no end: the process was killed, or its disk was full.')
    }
    if (found.dropped > 0) {
      sentences.push(`${found.dropped} records are missing: the disk was slower than the program.`)
    }
    if (forkedFromPid > 0) {
      const parent = `process ${forkedFromPid}`
      sentences.push(`Blocks from before the fork are not in it, but in the trace of ${parent}.`)
    }
    return sentences
  }

  #truncatedHeader(): NallocError {
    const got = this.#rest.length
    const message = `${this.#file}, byte 0: expected the header of a trace, got ${got} bytes of it.`
    return new NallocError('ERR_TRUNCATED', message, {
      hint: 'Nothing was recorded, or the file was cut off: record the trace again.',
      details: { file: this.#file, got },
    })
  }

  #fault(at: number, expected: string, got: string): NallocError {
    const offset = this.#offset + at
    return malformed({ file: this.#file, where: `byte ${offset}`, expected, got, offset })
  }
}
