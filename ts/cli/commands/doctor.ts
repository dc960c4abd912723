// `nalloc doctor`: whether proofs can be made here, and what they lack.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from '../command.ts'
import { gatherFacts, thisHost } from '../doctor/facts.ts'
import { exitCodeOf, reportOf, reportText } from '../doctor/report.ts'

export const doctor: Command = {
  name: 'doctor',
  summary: 'check this machine, and prove and verify once',
  arguments: [],
  flags: ['strict'],
  examples: ['nalloc doctor', 'nalloc doctor --json'],
  notes:
    'The self-test searches the memory of this process for the witness that it has proved. Exit ' +
    'status: 0 fine, 1 a check failed (with --strict: or warned), 5 nothing can be proved here.',

  async run({ flags, terminal, signal }) {
    const facts = await gatherFacts(thisHost(), signal)
    const report = reportOf(facts, packageVersion())
    if (terminal.isJson) await terminal.answer(report)
    else await terminal.print(`${reportText(report)}\n`)
    return exitCodeOf(report, flags.strict === true ? 'warnings' : 'failures')
  },
}

function packageVersion(): string {
  const file = path.join(__dirname, '../../../package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
