// Traces in their binary form: what is read, what is refused, and what becomes of half a file.

import fs from 'node:fs'
import test from 'ava'
import { NallocError } from 'nalloc'
import type { TraceEvent } from '../ts/trace/event.ts'
import { readJson, root } from './_repository.ts'
import { eventOf, eventsOf, example, traceOf } from './_trace.ts'

/** A record of the example, in the words of its JSON. */
interface GoldenRecord extends Readonly<Record<string, unknown>> {
  readonly kind: string
}

interface Golden {
  readonly chunks: readonly { readonly records: readonly GoldenRecord[] }[]
}

const FILE = fs.readFileSync(example)
/** Where parts of the example stand. */
const AT = { version: 8, headerBytes: 12, firstChunk: 112 }
const KINDS: Readonly<Record<string, string>> = { realloc: 'resize' }
/** Records that are no events of the program. */
const REMARKS = ['thread', 'name', 'dropped', 'exit']

/** What the example's JSON says of an event. */
function goldenOf({ kind, timeUs, thread, bytes, alignLog2, phase, ...rest }: GoldenRecord) {
  const isBlock = ['alloc', 'zeroed', 'grown', 'realloc'].includes(kind)
  return {
    kind: KINDS[kind] ?? kind,
    timeUs,
    thread,
    ...('block' in rest && { block: rest['block'] }),
    ...(isBlock && { bytes, log2Align: alignLog2, movedTo: rest['newBlock'] ?? rest['block'] }),
    ...(kind === 'begin' || kind === 'end' ? { phase: phase === 0 ? 'commit' : phase } : {}),
    ...(kind === 'sample' && { sample: sampleOf(rest) }),
    ...(isBlock && { isHit: isInPlace(kind, rest) ? undefined : rest['warm'] }),
  }
}

function isInPlace(kind: string, { block, newBlock }: Record<string, unknown>): boolean {
  return kind === 'realloc' && block === newBlock
}

function sampleOf(record: Record<string, unknown>) {
  const names = [
    'liveBytes',
    'highBytes',
    'cachedBytes',
    'residentBytes',
    'minorFaults',
    'majorFaults',
  ]
  return Object.fromEntries(names.map((name) => [name, record[name]]))
}

function refusalOf(file: Uint8Array): NallocError | undefined {
  try {
    eventsOf(file)
    return undefined
  } catch (error) {
    if (error instanceof NallocError) return error
    throw error
  }
}

/** The example with other bytes at some place. */
function changed(at: number, ...bytes: readonly number[]): Buffer {
  const file = Buffer.from(FILE)
  file.set(bytes, at)
  return file
}

test('everything in the example of docs/FORMATS.md is found, in pieces of any length', (t) => {
  const { chunks } = readJson<Golden>(root, 'crates/nalloc/tests/golden/trace.json')
  const expected = chunks
    .flatMap(({ records }) => records)
    .filter(({ kind }) => !REMARKS.includes(kind))
    .map(goldenOf)

  for (const pieceBytes of [1, 7, 100, FILE.length]) {
    const { events, end } = eventsOf(FILE, pieceBytes)

    t.is(events.length, expected.length)
    for (const [i, event] of events.entries()) t.like(event, expected[i] ?? {}, `event ${i}`)
    t.is(end.eventCount, expected.length)
    t.like(end.process, { program: 'prover', pid: 4711, startUnixMs: 1_700_000_000_123 })
    t.deepEqual(end.shortfalls, ['17 records are missing: the disk was slower than the program.'])
  }
})

test('a file that was cut off is used to its last whole chunk, and says so', (t) => {
  const whole = eventsOf(FILE)
  const secondChunk = FILE.indexOf('chnk', AT.firstChunk + 1)
  const inFirst = whole.events.filter(({ timeUs }) => timeUs < 12_000).length

  for (let length = 0; length < FILE.length; length += 1) {
    const file = FILE.subarray(0, length)
    if (length < AT.firstChunk) {
      const refusal = refusalOf(file.length === 0 ? FILE.subarray(0, 1) : file)
      t.is(refusal?.code, 'ERR_TRUNCATED', `${length}`)
      continue
    }
    const { events, end } = eventsOf(file)
    t.is(events.length, length < secondChunk ? 0 : inFirst)
    const isAtBorder = length === AT.firstChunk || length === secondChunk
    const shown = isAtBorder ? /has no end: the process was killed/ : /was cut off: .* byte \d+/
    t.regex(end.shortfalls[0] ?? '', shown, `${length}`)
  }
})

test('another version is told apart from a damaged file', (t) => {
  const refusal = refusalOf(changed(AT.version, 2))

  t.is(refusal?.code, 'ERR_UNSUPPORTED_VERSION')
  t.regex(refusal?.message ?? '', /byte 8: expected a trace of version 1, got 2\. Read it with/)
})

test('what is malformed is named with its byte, what was expected, and what to do', (t) => {
  const record = AT.firstChunk + 32
  const rows: [file: Buffer, message: RegExp][] = [
    [changed(AT.headerBytes, 113), /byte 12: expected a header of \d+ to 4096 bytes.* got 113/],
    [changed(AT.headerBytes + 3, 1), /byte 12: expected a header/],
    [changed(70, 1), /byte 70: expected 0, got 1/],
    [changed(72, 0xff), /byte 72: expected 6 bytes of UTF-8/],
    [
      changed(AT.firstChunk, 0x43),
      /byte 112: expected a chunk that begins with "chnk", got "Chnk"/,
    ],
    [changed(AT.firstChunk + 6, 9), /byte 116: expected a chunk of at most 65536 bytes/],
    [changed(AT.firstChunk + 8, 5), /byte 120: expected chunk 0, got chunk 5/],
    [changed(AT.firstChunk + 23, 1), /byte 128: expected a time of 0 us to 2\^53 us/],
    [
      changed(AT.firstChunk + 24, 3),
      /expected the end of the chunk after 3 records, got more bytes/,
    ],
    [changed(AT.firstChunk + 24, 99), /expected a record, got the end of the chunk/],
    [changed(AT.firstChunk + 28, 1), /byte 140: expected 0, got 1/],
    [changed(record, 0x0e), /byte 144: expected a record of kind 1 to 13, got kind 14/],
    [changed(record, 0x00), /byte 144: expected a record of kind 1 to 13, got kind 0/],
    [changed(record, 0x2b), /byte 144: expected flags that kind 11 can have, got tag 0x2b/],
    [changed(record + 1, ...Array(9).fill(0x80)), /byte 145: .*got more than 8 bytes of a number/],
  ]
  for (const [file, message] of rows) {
    const refusal = refusalOf(file)

    t.is(refusal?.code, 'ERR_BAD_HEADER')
    t.regex(refusal?.message ?? '', message)
    t.regex(refusal?.message ?? '', /copy it again, or record the trace again\.$/)
    t.is(typeof refusal?.details['offset'], 'number')
  }
})

test('whatever a byte is changed to, the file is read or refused with a place', (t) => {
  const counts = { read: 0, refused: 0 }
  for (let at = 8; at < FILE.length; at += 1) {
    for (const value of [0, 1, 0x0f, 0x20, 0x7f, 0x80, 0xf0, 0xff]) {
      const refusal = refusalOf(changed(at, value))
      counts[refusal ? 'refused' : 'read'] += 1
      if (refusal) t.regex(refusal.message, /^file, byte \d+: expected .+, got .+/)
    }
  }
  t.true(counts.read > 100 && counts.refused > 1000, JSON.stringify(counts))
})

test('what a writer wrote is read again, with the largest numbers too', (t) => {
  const most = 2 ** 53 - 1
  const sample = {
    liveBytes: 4096,
    highBytes: 2 ** 52,
    cachedBytes: 0,
    residentBytes: 8192,
    minorFaults: most,
    majorFaults: 7,
  }
  const events: TraceEvent[] = [
    eventOf({ kind: 'sample', sample }),
    eventOf({ kind: 'begin', timeUs: 5, phase: 'naïve ✓' }),
    eventOf({ kind: 'alloc', timeUs: 5, block: 2 ** 45 - 1, bytes: most, isHit: true }),
    eventOf({
      kind: 'zeroed',
      timeUs: 9,
      thread: 3,
      block: -(2 ** 45 - 1),
      log2Align: 21,
      isHit: false,
    }),
    eventOf({ kind: 'resize', timeUs: 9, block: 2 ** 45 - 1, movedTo: -1, isHit: false }),
    eventOf({ kind: 'resize', timeUs: 10, block: -1, movedTo: -1, bytes: 1 }),
    eventOf({ kind: 'refused', timeUs: 2 ** 40, bytes: 2 ** 50, log2Align: 12 }),
    eventOf({ kind: 'free', timeUs: 2 ** 40, block: -1 }),
    eventOf({ kind: 'end', timeUs: most, phase: 'naïve ✓' }),
  ]

  const { events: read, end } = eventsOf(traceOf(events))

  t.deepEqual(end.shortfalls, [])
  for (const [i, event] of read.entries()) {
    const { kind, timeUs, thread } = events[i] ?? eventOf({})
    t.like(event, { kind, timeUs, thread })
  }
  t.like(read[0], { sample })
  t.like(read[2], { block: 2 ** 45 - 1, bytes: most, isHit: true })
  t.like(read[3], { block: -(2 ** 45 - 1), log2Align: 21, isHit: false })
  t.like(read[4], { block: 2 ** 45 - 1, movedTo: -1, isHit: false })
  t.like(read[5], { movedTo: -1, bytes: 1, isHit: undefined })
  t.is(read.at(-1)?.phase, 'naïve ✓')
})

test('chunks that are full begin anew, and each can stand at any border of a piece', (t) => {
  const events = Array.from({ length: 30_000 }, (_, i) =>
    eventOf({ timeUs: i * 1000, thread: i % 3, block: i * 7919, isHit: i % 2 === 0 }),
  )
  const file = traceOf(events)

  t.true(file.length > 3 * 2 ** 16)
  for (const pieceBytes of [999, 65_536, file.length]) {
    const { events: read } = eventsOf(file, pieceBytes)
    t.is(read.length, events.length)
    t.like(read.at(-1), { timeUs: 29_999_000, thread: 2, block: 29_999 * 7919, isHit: false })
  }
})
