// Traces as text: lines `t_us,tid,op,id,size,log2align`, by time, as in benches/traces.
//
// May assume nothing about a line. A mark 2i begins the i-th phase `prove`, and 2i + 1 ends it; a
// line that begins with # is a comment. Nothing says what was cached or which pages were warm.

import { emptyEvent, type TraceEnd, type TraceEventKind, type TraceVisitor } from './event.ts'
import { BLOCK_MAX, LOG2_ALIGN_MAX, THREAD_MAX } from './format.ts'
import { LiveBlocks } from './liveBlocks.ts'
import { malformed, type TraceParser } from './parser.ts'

/** No line of ours has more; a longer one is no line of a trace. */
const LINE_BYTES_MAX = 2 ** 12
/** Of one value of a message. */
const SHOWN_CHARS_MAX = 40

const KINDS: Readonly<Record<string, TraceEventKind>> = {
  a: 'alloc',
  z: 'zeroed',
  g: 'grown',
  r: 'resize',
  f: 'free',
}
/** What marks begin and end. */
export const MARKED_PHASE = 'prove'

/** Reads the text, in pieces of any length. */
export class CsvParser implements TraceParser {
  readonly #file: string
  readonly #visitor: TraceVisitor
  readonly #event = emptyEvent()
  readonly #decoder = new TextDecoder('utf-8')
  /** Blocks that live, because a block must be born before it ends. */
  readonly #live = new LiveBlocks<true>()
  readonly #open = new Set<number>()
  /** The start of a line whose end is not there yet. */
  #rest = ''
  #line = 0
  /** Where the line begins, in bytes. */
  #offset = 0
  #eventCount = 0

  constructor(file: string, visitor: TraceVisitor) {
    this.#file = file
    this.#visitor = visitor
  }

  push(bytes: Uint8Array): void {
    this.#takeLines(this.#decoder.decode(bytes, { stream: true }))
  }

  end(): TraceEnd {
    this.#takeLines(this.#decoder.decode())
    const cut = `It was cut off in line ${this.#line + 1}, byte ${this.#offset}.`
    const shortfalls = this.#rest === '' ? [] : [cut]
    return { eventCount: this.#eventCount, shortfalls, process: undefined }
  }

  #takeLines(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      this.#line += 1
      this.#takeLine(line.endsWith('\r') ? line.slice(0, -1) : line)
      this.#offset += Buffer.byteLength(line) + 1
    }
    if (this.#rest.length > LINE_BYTES_MAX) this.#takeLine(this.#rest)
  }

  #takeLine(line: string): void {
    if (line.length > LINE_BYTES_MAX) {
      throw this.#fault(`a line of at most ${LINE_BYTES_MAX} bytes`, 'a longer one')
    }
    if (line.startsWith('#')) return
    const cells = line.split(',')
    const [time, thread, operation = '', block, size, log2Align] = cells
    if (cells.length < 4 || cells.length > 6) {
      throw this.#fault('t_us,tid,op,id,size,log2align', shown(line))
    }
    const event = this.#event
    const timeUs = this.#number('a time in microseconds', time)
    if (timeUs < event.timeUs) {
      throw this.#fault(`a time of ${event.timeUs} us or later`, `${timeUs}`)
    }
    event.timeUs = timeUs
    event.thread = this.#number('the number of a thread', thread, THREAD_MAX)
    event.block = this.#number('the number of a block', block, BLOCK_MAX)
    event.movedTo = event.block
    event.bytes = this.#number('a size in bytes', size ?? '0')
    event.log2Align = this.#number('a power of two', log2Align ?? '0', LOG2_ALIGN_MAX)
    if (operation === 'm') this.#mark(event.block)
    else this.#change(operation)
    this.#eventCount += 1
    this.#visitor(event)
  }

  #mark(mark: number): void {
    const span = Math.floor(mark / 2)
    const isBeginning = mark % 2 === 0
    if (isBeginning === this.#open.has(span)) {
      const state = isBeginning ? 'has begun already' : 'has not begun'
      throw this.#fault('a mark that fits those before', `${mark}, of a span that ${state}`)
    }
    this.#event.kind = isBeginning ? 'begin' : 'end'
    this.#event.phase = MARKED_PHASE
    if (isBeginning) this.#open.add(span)
    else this.#open.delete(span)
  }

  #change(operation: string): void {
    const { block, bytes } = this.#event
    const kind = KINDS[operation]
    if (kind === undefined) throw this.#fault('an operation a, z, g, r, f or m', shown(operation))
    const isBirth = kind !== 'free' && kind !== 'resize'
    if (isBirth === this.#live.has(block)) {
      const state = isBirth ? 'lives already' : 'does not live'
      throw this.#fault(`a block that can have ${operation}`, `block ${block}, which ${state}`)
    }
    if (kind !== 'free' && bytes === 0) throw this.#fault('a size of at least 1 byte', '0')
    this.#event.kind = kind
    if (isBirth) this.#live.set(block, true)
    if (kind === 'free') this.#live.delete(block)
  }

  #number(what: string, text = '', max = Number.MAX_SAFE_INTEGER): number {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
    if (value > max) throw this.#fault(what, shown(text))
    return value
  }

  #fault(expected: string, got: string): Error {
    const where = `line ${this.#line}, byte ${this.#offset}`
    return malformed({ file: this.#file, where, expected, got, offset: this.#offset })
  }
}

function shown(text: string): string {
  const start = text.slice(0, SHOWN_CHARS_MAX)
  return JSON.stringify(start.length < text.length ? `${start}...` : start)
}
