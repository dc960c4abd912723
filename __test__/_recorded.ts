// Reads a trace as docs/FORMATS.md, section 13, says: as much of it as tests of programs ask for.
// It is not the reader of `nalloc report`, so that both can be wrong only apart.

import assert from 'node:assert/strict'
import fs from 'node:fs'

const KINDS =
  'alloc zeroed free realloc grown refused begin end sample name thread dropped exit'.split(' ')
const TEXTS_AT = 72
const HEAD_BYTES = 32

/** A record without what no test asks for. */
export interface TraceRecord {
  readonly kind: string
  readonly thread: number
  /** What was asked for; 0 where nothing was. */
  readonly bytes: number
  /** Of a phase or a thread. */
  readonly name: string
}

export interface Trace {
  readonly pid: number
  readonly forkedFrom: number
  readonly program: string
  readonly recorder: string
  readonly records: readonly TraceRecord[]
}

class Bytes {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  byte(): number {
    const byte = this.#bytes[this.#at++]
    assert.ok(byte !== undefined, 'as many bytes as were promised')
    return byte
  }

  varint(): number {
    let value = 0
    for (let place = 0; place < 8; place++) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** (7 * place)
      if (byte < 0x80) return value
    }
    return assert.fail('expected a number of at most 8 bytes')
  }

  text(): string {
    const length = this.varint()
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }
}

/** Reads a whole trace: one that is cut off is a fault here. */
export function readTrace(file: string): Trace {
  const bytes = fs.readFileSync(file)
  assert.equal(bytes.toString('latin1', 0, 8), 'nltrace\n')
  assert.equal(bytes.readUInt32LE(8), 1)
  const texts: string[] = []
  let at = TEXTS_AT
  for (const place of [64, 66, 68]) {
    const length = bytes.readUInt16LE(place)
    texts.push(bytes.toString('utf8', at, at + length))
    at += length
  }
  const [program = '', recorder = ''] = texts
  const records: TraceRecord[] = []
  for (let start = bytes.readUInt32LE(12); start < bytes.length; ) {
    assert.equal(bytes.toString('latin1', start, start + 4), 'chnk')
    const end = start + HEAD_BYTES + bytes.readUInt32LE(start + 4)
    assert.ok(end <= bytes.length, 'whole chunks')
    const payload = new Bytes(bytes.subarray(start + HEAD_BYTES, end))
    let thread = bytes.readUInt32LE(start + 12)
    while (!payload.isAtEnd) {
      const record = readRecord(payload, thread)
      thread = record.thread
      records.push(record)
    }
    start = end
  }
  const [pid, forkedFrom] = [bytes.readUInt32LE(32), bytes.readUInt32LE(36)]
  return { pid, forkedFrom, program, recorder, records }
}

function readRecord(payload: Bytes, before: number): TraceRecord {
  const tag = payload.byte()
  const kind = KINDS[(tag & 15) - 1]
  assert.ok(kind !== undefined, `kind of tag ${tag}`)
  payload.varint()
  const thread = tag & 0x10 ? payload.varint() : before
  if (tag & 0x40) payload.varint()
  let [bytes, name] = [0, '']
  if (['alloc', 'zeroed', 'grown', 'realloc'].includes(kind)) {
    payload.varint()
    bytes = payload.varint()
    if (kind === 'realloc' && tag & 0x80) payload.varint()
  } else if (kind === 'refused') bytes = payload.varint()
  else if (['free', 'begin', 'end', 'dropped'].includes(kind)) payload.varint()
  else if (kind === 'sample') for (let place = 0; place < 6; place++) payload.varint()
  else if (kind !== 'exit') {
    payload.varint()
    name = payload.text()
  }
  return { kind, thread, bytes, name }
}

/** How many records there are of a kind, with so many bytes if that matters. */
export function countOf({ records }: Trace, kind: string, bytes?: number): number {
  const isWanted = (record: TraceRecord) =>
    record.kind === kind && (bytes === undefined || record.bytes === bytes)
  return records.filter(isWanted).length
}
