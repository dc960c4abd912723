// A trace in its other form: the binary one as CSV, and CSV as the binary one.

import { CsvWriter } from './csvWriter.ts'
import type { TraceVisitor } from './event.ts'
import { type ReadTrace, readInSteps } from './read.ts'
import { BinaryWriter } from './traceWriter.ts'

/** What the header of a trace that was made from CSV calls its program. */
const PROGRAM = 'csv'

/** What makes the bytes of a form. */
interface Writer {
  readonly visitor: TraceVisitor
  /** What can be written. */
  take(): readonly Uint8Array[]
  /** What is left for the end; a trace that was cut off has none of its own. */
  end(isWhole: boolean): readonly Uint8Array[]
}

/**
 * The bytes of the other form, as they are made; at last what was read. `version` is that of who
 * makes a trace. Throws what `readTrace` throws.
 */
export async function* convertTrace(
  argument: string,
  version: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, ReadTrace> {
  let writer: Writer | undefined
  const reading = readInSteps(
    argument,
    (form) => {
      writer = form === 'csv' ? binaryWriter(version) : csvWriter(form === 'converted')
      return writer.visitor
    },
    signal,
  )
  for (;;) {
    const { done, value } = await reading.next()
    if (!done) yield* writer?.take() ?? []
    else {
      yield* writer?.end(value.shortfalls.length === 0) ?? []
      return value
    }
  }
}

function csvWriter(keepsIds: boolean): Writer {
  const writer = new CsvWriter({ keepsIds })
  let lines = writer.header
  const take = (): readonly Uint8Array[] => {
    const bytes = Buffer.from(lines)
    lines = ''
    return bytes.length > 0 ? [bytes] : []
  }
  const visitor: TraceVisitor = (event) => {
    lines += writer.linesOf(event)
  }
  return { visitor, take, end: take }
}

function binaryWriter(version: string): Writer {
  const writer = new BinaryWriter(PROGRAM, version)
  return {
    visitor: (event) => writer.put(event),
    take: () => writer.take(),
    end: (isWhole) => {
      if (isWhole) writer.putExit()
      return writer.end()
    },
  }
}
