// Reads a trace of either form: the form is told by its first bytes.

import { describeStart } from '../_sniff.ts'
import { NallocError } from '../errors.ts'
import { CsvParser } from './csvReader.ts'
import type { TraceEnd, TraceVisitor } from './event.ts'
import { MAGIC } from './format.ts'
import type { TraceParser } from './parser.ts'
import { TraceSource } from './source.ts'
import { BinaryParser } from './traceReader.ts'

/** The forms of traces: as a process recorded it, the same made from CSV, and CSV. */
export type TraceForm = 'recorded' | 'converted' | 'csv'

/** A trace that was read. */
export interface ReadTrace extends TraceEnd {
  /** What messages call it. */
  readonly name: string
}

/**
 * Hands every event of a trace to a visitor; `-` is stdin, and both forms may be packed by gzip.
 * Throws what the two parsers throw, ERR_IO, ERR_BAD_MAGIC, and the signal's reason.
 */
export async function readTrace(
  argument: string,
  visitor: TraceVisitor,
  signal: AbortSignal,
): Promise<ReadTrace> {
  const reading = readInSteps(argument, () => visitor, signal)
  for (;;) {
    const { done, value } = await reading.next()
    if (done) return value
  }
}

/** As `readTrace`, in steps of some megabytes; which visitor it is may depend on the form. */
export async function* readInSteps(
  argument: string,
  visitorFor: (form: TraceForm) => TraceVisitor,
  signal: AbortSignal,
): AsyncGenerator<void, ReadTrace> {
  const source = new TraceSource(argument)
  let parser: TraceParser | undefined
  for await (const piece of source.pieces(signal)) {
    parser ??= choose(source.name, piece, visitorFor)
    parser.push(piece)
    yield
  }
  if (!parser) throw noTrace(source.name, 'an empty file')
  const end = parser.end()
  const shortfalls = source.isCutOff ? ['The gzip file around it was cut off.'] : end.shortfalls
  return { ...end, shortfalls, name: source.name }
}

function choose(
  name: string,
  start: Uint8Array,
  visitorFor: (form: TraceForm) => TraceVisitor,
): TraceParser {
  const text = Buffer.from(start.subarray(0, MAGIC.length)).toString('latin1')
  // A header that was cut off is one of a trace all the same.
  if (MAGIC.startsWith(text)) {
    return new BinaryParser(name, (isOfProcess) =>
      visitorFor(isOfProcess ? 'recorded' : 'converted'),
    )
  }
  if (/^[#\d]/.test(text)) return new CsvParser(name, visitorFor('csv'))
  throw noTrace(name, describeStart(start.subarray(0, 8)))
}

function noTrace(name: string, got: string): NallocError {
  return new NallocError('ERR_BAD_MAGIC', `${name}: expected a trace, got ${got}.`, {
    hint: 'NALLOC_TRACE=FILE writes one; docs/report.md says how.',
    details: { file: name },
  })
}
