// `nalloc convert TRACE`: a trace as CSV, or CSV as a trace.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { convertTrace } from '../../trace/convert.ts'
import type { ReadTrace } from '../../trace/read.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exitCodes.ts'
import { Outputs } from '../outputs.ts'
import { countText } from '../quantities.ts'

export const convert: Command = {
  name: 'convert',
  summary: 'turn a trace into CSV, or CSV into a trace',
  arguments: [
    { name: 'TRACE', help: 'a trace that NALLOC_TRACE made, or one as CSV; gzip or not' },
  ],
  flags: ['output'],
  commonFlags: ['timeout', 'quiet', 'verbose'],
  examples: [
    'nalloc convert trace.nltrace -o trace.csv',
    'nalloc convert recorded.csv.gz -o recorded.nltrace',
  ],
  notes:
    'What TRACE is decides what comes out; without -o it goes to stdout. CSV has a line for each ' +
    'block that is born, changes or ends, and for each phase called prove; the rest is left out.',

  async run({ args, flags, terminal, signal }) {
    const [trace = ''] = args
    const { output = '-' } = flags
    const outputs = new Outputs(output === '-' ? [] : [output], args)
    try {
      const conversion = new Conversion(convertTrace(trace, packageVersion(), signal))
      if (output !== '-') await outputs.write([conversion], signal)
      else for await (const bytes of conversion) await terminal.print(bytes)
      const { name, shortfalls, eventCount } = await conversion.rest()
      for (const sentence of shortfalls) await terminal.complain(`${name}: ${sentence}`)
      signal.throwIfAborted()
      outputs.place()
      await terminal.talk(`${name}: ${countText(eventCount)} events`)
      return EXIT.done
    } finally {
      outputs.discard()
    }
  },
}

/** The bytes of a conversion, and what it says at its end. */
class Conversion implements AsyncIterable<Uint8Array> {
  readonly #bytes: AsyncGenerator<Uint8Array, ReadTrace>
  #read: ReadTrace | undefined

  constructor(bytes: AsyncGenerator<Uint8Array, ReadTrace>) {
    this.#bytes = bytes
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.#read = yield* this.#bytes
  }

  /** What was read; what nobody has taken is read now. */
  async rest(): Promise<ReadTrace> {
    for (; this.#read === undefined; ) {
      const { done, value } = await this.#bytes.next()
      if (done) this.#read = value
    }
    return this.#read
  }
}

function packageVersion(): string {
  const file = path.join(__dirname, '../../../package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
