// Traces for tests: those of the repository, and events that are made up.

import fs from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { TraceEnd, TraceEvent } from '../ts/trace/event.ts'
import type { TraceParser } from '../ts/trace/parser.ts'
import { trace } from './_internal.ts'
import { root } from './_repository.ts'

/** Recorded provers, by name, as CSV packed by gzip. */
export const RECORDED = ['groth16', 'halo2', 'p3-keccak', 'p3-poseidon2', 'plonky2', 'winter']

/** The example of docs/FORMATS.md, and what a reader must find in it. */
export const example = path.join(root, 'crates/nalloc/tests/golden/trace.nltrace')

const SAMPLE = {
  liveBytes: 0,
  highBytes: 0,
  cachedBytes: 0,
  residentBytes: 0,
  minorFaults: 0,
  majorFaults: 0,
}

export function recordedFile(name: string): string {
  return path.join(root, 'benches/traces', `${name}.csv.gz`)
}

export function recordedText(name: string): string {
  return gunzipSync(fs.readFileSync(recordedFile(name))).toString()
}

/** An event with these fields. */
export function eventOf(fields: Partial<TraceEvent>): TraceEvent {
  const { block = 0 } = fields
  return {
    kind: 'alloc',
    timeUs: 0,
    thread: 0,
    block,
    movedTo: block,
    bytes: 65_536,
    log2Align: 4,
    isHit: undefined,
    phase: 'prove',
    sample: SAMPLE,
    ...fields,
  }
}

/** A file in the binary form, as if a process had recorded these events. */
export function traceOf(events: readonly TraceEvent[]): Buffer {
  const writer = new trace.BinaryWriter('test', '0.0.0')
  for (const event of events) writer.put(event)
  writer.putExit()
  const file = Buffer.concat(writer.end())
  const pidAt = 32
  file.writeUInt32LE(4711, pidAt)
  return file
}

/** Every event of a file, which is read in pieces of this length. */
export function eventsOf(
  file: Uint8Array,
  pieceBytes = file.length,
): { readonly events: readonly TraceEvent[]; readonly end: TraceEnd } {
  const events: TraceEvent[] = []
  const visitor = (event: TraceEvent): void => {
    events.push({ ...event })
  }
  const parser: TraceParser =
    file[0] === 'n'.charCodeAt(0)
      ? new trace.BinaryParser('file', () => visitor)
      : new trace.CsvParser('file', visitor)
  for (let at = 0; at < file.length; at += pieceBytes) {
    parser.push(file.subarray(at, at + pieceBytes))
  }
  return { events, end: parser.end() }
}
