// `nalloc inspect`: what a file is and what it will take, without its values.

import fs from 'node:fs'
import { type Command, UsageError } from '../command.ts'
import { EXIT } from '../exitCodes.ts'
import { inspectFile } from '../inspect/inspection.ts'
import { inspectionText } from '../inspect/text.ts'
import { insecureKeyWarning } from '../proving.ts'
import type { Terminal } from '../terminal.ts'

/** Smaller files are read before anybody sees a bar. */
const SHOWN_BYTES_MIN = 2 ** 26
const REPORT_MS_MIN = 50
const STDIN = '/dev/stdin'

export const inspect: Command = {
  name: 'inspect',
  summary: 'tell what a file is, and what it will take',
  arguments: [{ name: 'FILE', help: '.zkey, .wtns, .r1cs, .ptau, .wasm, or JSON of a proof' }],
  flags: [],
  examples: ['nalloc inspect circuit.zkey', 'nalloc inspect --json witness.wtns'],
  notes:
    'No value of a witness, no coefficient and no point is printed. FILE is read at several ' +
    'places, so - takes a file (nalloc inspect - < circuit.zkey) and no pipe.',

  async run({ args, terminal, signal }) {
    const [argument = ''] = args
    const [path, name] = argument === '-' ? [stdinPath(), 'stdin'] : [argument, argument]
    const onProgress = progressOn(terminal)
    const inspection = await inspectFile(path, name, { signal, onProgress })
    terminal.hideProgress()
    if ('isInsecure' in inspection && (inspection.isInsecure || inspection.unsafeDev)) {
      await terminal.complain(insecureKeyWarning(terminal, name))
    }
    if (terminal.isJson) await terminal.answer(inspection)
    else await terminal.print(`${inspectionText(inspection)}\n`)
    return EXIT.done
  },
}

function stdinPath(): string {
  if (fs.fstatSync(0).isFile()) return STDIN
  throw new UsageError(
    '-: expected stdin to be a file, as in nalloc inspect - < FILE; name the file',
  )
}

function progressOn(terminal: Terminal): (done: number, total: number) => void {
  const startMs = performance.now()
  let reportedMs = startMs
  return (done, total) => {
    const nowMs = performance.now()
    if (total < SHOWN_BYTES_MIN || nowMs - reportedMs < REPORT_MS_MIN) return
    reportedMs = nowMs
    terminal.progress({ phase: 'load', ratio: done / total, elapsedMs: nowMs - startMs })
  }
}
