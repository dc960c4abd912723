// Writes traces in their binary form: docs/FORMATS.md, section 13.
//
// May assume that events are those of a trace: by time, with numbers within the bounds of the
// format, and phases with names of at most 200 bytes. A chunk is handed out when it is full.

import type { Sample, TraceEvent } from './event.ts'
import {
  CHUNK_HEAD_BYTES,
  CHUNK_MAGIC,
  FLAG,
  KIND,
  LOG2_ALIGN_FIRST,
  PAYLOAD_BYTES_MAX,
  PHASES_MAX,
  SAMPLE_UNIT_BYTES,
} from './format.ts'
import { writeHeader } from './header.ts'

/** No record of ours is longer: a name of 200 bytes, with tag and numbers. */
const RECORD_BYTES_MAX = 256

const KIND_OF_EVENT = {
  alloc: KIND.alloc,
  zeroed: KIND.zeroed,
  grown: KIND.grown,
  resize: KIND.realloc,
  free: KIND.free,
  refused: KIND.refused,
  begin: KIND.begin,
  end: KIND.end,
  sample: KIND.sample,
} as const

/** Turns events into the bytes of a file. */
export class BinaryWriter {
  readonly #chunk = Buffer.alloc(CHUNK_HEAD_BYTES + PAYLOAD_BYTES_MAX)
  readonly #finished: Uint8Array[]
  readonly #threads = new Set<number>()
  readonly #phases = new Map<string, number>()
  #chunkCount = 0
  #records = 0
  /** Where the next byte of the chunk goes. */
  #at = 0
  /** Where the tag of the record stands. */
  #tagAt = 0
  #timeUs = 0
  #thread = 0
  #block = 0
  #log2Align = LOG2_ALIGN_FIRST

  /** Begins a file of a program that nobody traced. */
  constructor(program: string, version: string) {
    this.#finished = [writeHeader(program, version)]
  }

  /** Puts an event behind the others. Throws RangeError for more phases than the format has. */
  put(event: TraceEvent): void {
    if (!this.#threads.has(event.thread)) this.#introduce(event)
    const { kind } = event
    const phase = kind === 'begin' || kind === 'end' ? this.#phaseOf(event) : 0
    this.#start(event, KIND_OF_EVENT[kind])
    switch (kind) {
      case 'begin':
      case 'end':
        this.#number(phase)
        break
      case 'sample':
        this.#sample(event.sample)
        break
      case 'refused':
        this.#align(event)
        this.#number(event.bytes)
        break
      case 'free':
        this.#blockNumber(event.block)
        break
      default:
        this.#blockFields(event)
    }
  }

  /** Says that the program ended by itself. */
  putExit(): void {
    this.#start({ timeUs: this.#timeUs, thread: this.#thread }, KIND.exit)
  }

  /** What can be written to the file, in order. */
  take(): readonly Uint8Array[] {
    return this.#finished.splice(0)
  }

  /** The same for the end of the file. */
  end(): readonly Uint8Array[] {
    this.#finish()
    return this.take()
  }

  /** A thread is introduced before its first record. */
  #introduce(event: TraceEvent): void {
    this.#threads.add(event.thread)
    this.#start(event, KIND.thread)
    this.#number(event.thread)
    this.#number(0)
  }

  /** The number of a phase, which is named before it is used. */
  #phaseOf(event: TraceEvent): number {
    const known = this.#phases.get(event.phase)
    if (known !== undefined) return known
    const phase = this.#phases.size
    if (phase === PHASES_MAX) {
      throw new RangeError(`phases: expected at most ${PHASES_MAX} names, got more`)
    }
    this.#phases.set(event.phase, phase)
    const name = Buffer.from(event.phase)
    this.#start(event, KIND.name)
    this.#number(phase)
    this.#number(name.length)
    this.#at += name.copy(this.#chunk, this.#at)
    return phase
  }

  /** Begins a record, and a chunk where there is no room. */
  #start({ timeUs, thread }: Pick<TraceEvent, 'timeUs' | 'thread'>, kind: number): void {
    if (this.#at + RECORD_BYTES_MAX > this.#chunk.length) this.#finish()
    if (this.#at === 0) this.#begin(timeUs, thread)
    const isOther = thread !== this.#thread
    this.#tagAt = this.#at
    this.#chunk[this.#at] = isOther ? kind | FLAG.thread : kind
    this.#at += 1
    this.#number(timeUs - this.#timeUs)
    if (isOther) this.#number(thread)
    this.#timeUs = timeUs
    this.#thread = thread
    this.#records += 1
  }

  #begin(timeUs: number, thread: number): void {
    const chunk = this.#chunk
    chunk.fill(0, 0, CHUNK_HEAD_BYTES)
    chunk.write(CHUNK_MAGIC, 'latin1')
    chunk.writeUInt32LE(this.#chunkCount, 8)
    chunk.writeUInt32LE(thread, 12)
    chunk.writeBigUInt64LE(BigInt(timeUs), 16)
    this.#at = CHUNK_HEAD_BYTES
    this.#timeUs = timeUs
    this.#thread = thread
    this.#block = 0
    this.#log2Align = LOG2_ALIGN_FIRST
    this.#records = 0
  }

  #finish(): void {
    if (this.#at === 0) return
    this.#chunk.writeUInt32LE(this.#at - CHUNK_HEAD_BYTES, 4)
    this.#chunk.writeUInt32LE(this.#records, 24)
    this.#finished.push(Buffer.from(this.#chunk.subarray(0, this.#at)))
    this.#chunkCount += 1
    this.#at = 0
  }

  #blockFields(event: TraceEvent): void {
    const { block, movedTo, bytes, isHit } = event
    this.#align(event)
    this.#blockNumber(block)
    this.#number(bytes)
    if (isHit === true) this.#flag(FLAG.warm)
    if (movedTo === block) return
    this.#flag(FLAG.moved)
    this.#blockNumber(movedTo)
  }

  #flag(flag: number): void {
    this.#chunk[this.#tagAt] = (this.#chunk[this.#tagAt] as number) | flag
  }

  #align({ log2Align }: TraceEvent): void {
    if (log2Align === this.#log2Align) return
    this.#flag(FLAG.align)
    this.#number(log2Align)
    this.#log2Align = log2Align
  }

  #blockNumber(block: number): void {
    const step = block - this.#block
    this.#number(step >= 0 ? 2 * step : -2 * step - 1)
    this.#block = block
  }

  #sample(sample: Sample): void {
    const { liveBytes, highBytes, cachedBytes, residentBytes, minorFaults, majorFaults } = sample
    for (const bytes of [liveBytes, highBytes, cachedBytes, residentBytes]) {
      this.#number(Math.floor(bytes / SAMPLE_UNIT_BYTES))
    }
    this.#number(minorFaults)
    this.#number(majorFaults)
  }

  /** A varint. */
  #number(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#chunk[this.#at] = (rest % 0x80) | 0x80
      this.#at += 1
      rest = Math.floor(rest / 0x80)
    }
    this.#chunk[this.#at] = rest
    this.#at += 1
  }
}
