// The records of a trace in its binary form, chunk by chunk.
//
// What records refer to is set anew at the start of each chunk; only the names of phases come from
// earlier ones. May assume that a chunk is there as a whole, and nothing about what is in it.

import { emptyEvent, type MutableEvent, type Sample, type TraceVisitor } from './event.ts'
import {
  BLOCK_MAX,
  CHUNK_HEAD_BYTES,
  FLAG,
  FLAGS_OF_KIND,
  KIND,
  KIND_MASK,
  LOG2_ALIGN_FIRST,
  LOG2_ALIGN_MAX,
  PHASES_MAX,
  SAMPLE_UNIT_BYTES,
  THREAD_MAX,
} from './format.ts'
import { textOf } from './header.ts'
import { malformed } from './parser.ts'

const VARINT_BYTES_MAX = 8
const NUMBER_MAX = Number.MAX_SAFE_INTEGER
const THREAD_NAME_BYTES_MAX = 15

/** What chunks are decoded for. */
export interface Decoding {
  /** What messages call the file. */
  readonly file: string
  readonly visitor: TraceVisitor
  /** Whether a block without a flag had fresh pages; else nobody knows. */
  readonly knowsHits: boolean
}

/** What was found so far. */
export interface Found {
  /** How many events were handed over. */
  readonly eventCount: number
  /** How many records are missing. */
  readonly dropped: number
  /** Whether the process ended by itself. */
  readonly hasExit: boolean
}

/** Decodes the chunks of one file, in their order. */
export class ChunkDecoder {
  readonly #file: string
  readonly #visitor: TraceVisitor
  readonly #knowsHits: boolean
  readonly #event: MutableEvent = emptyEvent()
  readonly #phases = new Map<number, string>()
  #found = { eventCount: 0, dropped: 0, hasExit: false }
  #chunkCount = 0
  #bytes: Uint8Array = new Uint8Array(0)
  /** Where the chunk stands in the file. */
  #offset = 0
  /** The next byte of the chunk. */
  #at = 0
  #block = 0

  constructor({ file, visitor, knowsHits }: Decoding) {
    this.#file = file
    this.#visitor = visitor
    this.#knowsHits = knowsHits
  }

  get found(): Found {
    return this.#found
  }

  /** Hands over what is in a chunk that begins at byte `offset` of the file. */
  decode(bytes: Uint8Array, offset: number): void {
    this.#bytes = bytes
    this.#offset = offset
    const records = this.#begin()
    for (let i = 0; i < records; i += 1) this.#takeRecord()
    if (this.#at === bytes.length) return
    throw this.#fault(this.#at, `the end of the chunk after ${records} records`, 'more bytes')
  }

  /** Takes the head of the chunk; how many records it has. */
  #begin(): number {
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, CHUNK_HEAD_BYTES)
    const sequence = view.getUint32(8, true)
    if (sequence !== this.#chunkCount) {
      throw this.#fault(8, `chunk ${this.#chunkCount}`, `chunk ${sequence}`)
    }
    const zero = view.getUint32(28, true)
    if (zero !== 0) throw this.#fault(28, '0', zero)
    const baseUs = Number(view.getBigUint64(16, true))
    if (baseUs > NUMBER_MAX || baseUs < this.#event.timeUs) {
      throw this.#fault(16, `a time of ${this.#event.timeUs} us to 2^53 us`, baseUs)
    }
    this.#chunkCount += 1
    const event = this.#event
    event.timeUs = baseUs
    event.thread = view.getUint32(12, true)
    event.log2Align = LOG2_ALIGN_FIRST
    this.#block = 0
    this.#at = CHUNK_HEAD_BYTES
    return view.getUint32(24, true)
  }

  #takeRecord(): void {
    const start = this.#at
    if (start >= this.#bytes.length) throw this.#fault(start, 'a record', 'the end of the chunk')
    const tag = this.#bytes[start] as number
    const kind = tag & KIND_MASK
    const flags = FLAGS_OF_KIND[kind]
    if (flags === undefined) throw this.#fault(start, 'a record of kind 1 to 13', `kind ${kind}`)
    if ((tag & ~KIND_MASK & ~flags) !== 0) {
      throw this.#fault(start, `flags that kind ${kind} can have`, `tag 0x${tag.toString(16)}`)
    }
    this.#at = start + 1
    const event = this.#event
    event.timeUs = this.#sum(event.timeUs, 'a time below 2^53 us')
    if ((tag & FLAG.thread) !== 0) event.thread = this.#number('the number of a thread', THREAD_MAX)
    if (!this.#takeFields(kind, tag)) return
    this.#found.eventCount += 1
    this.#visitor(event)
  }

  /** Takes what a kind has behind its tag; whether that is an event of the program. */
  #takeFields(kind: number, tag: number): boolean {
    const event = this.#event
    switch (kind) {
      case KIND.alloc:
      case KIND.zeroed:
      case KIND.grown:
        event.kind = kind === KIND.alloc ? 'alloc' : kind === KIND.zeroed ? 'zeroed' : 'grown'
        this.#takeBirth(tag)
        return true
      case KIND.free:
        event.kind = 'free'
        event.block = this.#takeBlock()
        return true
      case KIND.realloc:
        event.kind = 'resize'
        this.#takeRealloc(tag)
        return true
      case KIND.refused:
        event.kind = 'refused'
        this.#takeAlign(tag)
        event.bytes = this.#takeBytes()
        return true
      case KIND.begin:
      case KIND.end:
        event.kind = kind === KIND.begin ? 'begin' : 'end'
        event.phase = this.#phaseName(this.#takePhase())
        return true
      case KIND.sample:
        event.kind = 'sample'
        event.sample = this.#takeSample()
        return true
      default:
        this.#takeRemark(kind)
        return false
    }
  }

  /** What says something of the trace, and is no event of the program. */
  #takeRemark(kind: number): void {
    if (kind === KIND.exit) this.#found.hasExit = true
    else if (kind === KIND.dropped) {
      this.#found.dropped = this.#sum(this.#found.dropped, 'a number of records below 2^53')
    } else if (kind === KIND.thread) {
      this.#number('the number that the kernel has for a thread', THREAD_MAX)
      this.#takeText(THREAD_NAME_BYTES_MAX)
    } else this.#phases.set(this.#takePhase(), this.#takeText(this.#bytes.length))
  }

  #takeBirth(tag: number): void {
    const event = this.#event
    this.#takeAlign(tag)
    event.block = this.#takeBlock()
    event.movedTo = event.block
    event.bytes = this.#takeBytes()
    event.isHit = this.#isHit(tag)
  }

  #takeRealloc(tag: number): void {
    const event = this.#event
    const isMoved = (tag & FLAG.moved) !== 0
    this.#takeAlign(tag)
    event.block = this.#takeBlock()
    event.bytes = this.#takeBytes()
    event.movedTo = isMoved ? this.#takeBlock() : event.block
    event.isHit = isMoved ? this.#isHit(tag) : undefined
  }

  #takeSample(): Sample {
    const pages = (): number => {
      const most = Math.floor(NUMBER_MAX / SAMPLE_UNIT_BYTES)
      return this.#number('a number of pages', most) * SAMPLE_UNIT_BYTES
    }
    return {
      liveBytes: pages(),
      highBytes: pages(),
      cachedBytes: pages(),
      residentBytes: pages(),
      minorFaults: this.#number('a number of page faults'),
      majorFaults: this.#number('a number of page faults'),
    }
  }

  #isHit(tag: number): boolean | undefined {
    return this.#knowsHits ? (tag & FLAG.warm) !== 0 : undefined
  }

  #takeAlign(tag: number): void {
    if ((tag & FLAG.align) === 0) return
    this.#event.log2Align = this.#number('a power of two', LOG2_ALIGN_MAX)
  }

  #takeBlock(): number {
    const start = this.#at
    const coded = this.#number('the number of a block')
    // Not by bits: the number may have more than 32.
    const step = coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2
    const block = this.#block + step
    if (Math.abs(block) > BLOCK_MAX) {
      throw this.#fault(start, 'the number of a block below 2^45', block)
    }
    this.#block = block
    return block
  }

  #takeBytes(): number {
    const start = this.#at
    const bytes = this.#number('a size in bytes')
    if (bytes === 0) throw this.#fault(start, 'a size of at least 1 byte', 0)
    return bytes
  }

  #takePhase(): number {
    return this.#number(`the number of a phase below ${PHASES_MAX}`, PHASES_MAX - 1)
  }

  /** A name may have been dropped. */
  #phaseName(phase: number): string {
    return this.#phases.get(phase) ?? `phase ${phase}`
  }

  #takeText(bytesMax: number): string {
    const length = this.#number(`the length of a name, at most ${bytesMax}`, bytesMax)
    const [start, end] = [this.#at, this.#at + length]
    if (end > this.#bytes.length) {
      throw this.#fault(
        start,
        `${length} bytes of a name`,
        `${this.#bytes.length - start} to the end of the chunk`,
      )
    }
    const text = textOf(this.#bytes.subarray(start, end))
    if (text === undefined) throw this.#fault(start, `${length} bytes of UTF-8`, 'others')
    this.#at = end
    return text
  }

  /** A number and what follows, below 2^53. */
  #sum(before: number, what: string): number {
    const start = this.#at
    const sum = before + this.#number(what)
    if (sum > NUMBER_MAX) throw this.#fault(start, what, sum)
    return sum
  }

  /** A varint. */
  #number(what: string, max = NUMBER_MAX): number {
    const bytes = this.#bytes
    const start = this.#at
    const first = bytes[start]
    if (first !== undefined && first < 0x80 && first <= max) {
      this.#at = start + 1
      return first
    }
    let [value, scale] = [0, 1]
    for (let at = start; at < start + VARINT_BYTES_MAX; at += 1) {
      const byte = bytes[at]
      if (byte === undefined) throw this.#fault(start, what, 'the end of the chunk')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > max) throw this.#fault(start, what, value)
        this.#at = at + 1
        return value
      }
      scale *= 128
    }
    throw this.#fault(start, what, `more than ${VARINT_BYTES_MAX} bytes of a number`)
  }

  /** A fault at a byte of the chunk. */
  #fault(at: number, expected: string, got: string | number): Error {
    const offset = this.#offset + at
    const where = `byte ${offset}`
    return malformed({ file: this.#file, where, expected, got: String(got), offset })
  }
}
