// `nalloc report TRACE`: what a program did with its memory, as a page, as text, or as JSON.

import { readTrace } from '../../trace/read.ts'
import { type Command, type Invocation, UsageError } from '../command.ts'
import { EXIT } from '../exitCodes.ts'
import { Outputs } from '../outputs.ts'
import { countText } from '../quantities.ts'
import { reportJson } from '../report/json.ts'
import { pageOf } from '../report/page.ts'
import { type Profile, Profiler } from '../report/profile.ts'
import { reportText } from '../report/text.ts'

/** Of what is drawn where nobody looks at a screen. */
const COLUMNS = 100

export const report: Command = {
  name: 'report',
  summary: 'show what a program did with its memory',
  arguments: [
    { name: 'TRACE', help: 'a trace that NALLOC_TRACE made, or one as CSV; gzip or not' },
  ],
  flags: ['output', 'against', 'text'],
  examples: [
    'nalloc report trace.nltrace -o report.html',
    'nalloc report trace.nltrace --against before.nltrace -o report.html',
    'nalloc report --text - < trace.nltrace',
  ],
  notes:
    'Without -o the page goes to stdout; a terminal gets the text. The page needs nothing but ' +
    'itself: no network, no other file. Of a trace that was cut off, what is there is shown.',

  async run(invocation) {
    const { args, flags, terminal, signal } = invocation
    const { output, against } = flags
    if (flags.text && terminal.isJson) {
      throw new UsageError('--text and --json: expected at most one of them')
    }
    const traces = against === undefined ? args : [...args, against]
    if (traces.filter((trace) => trace === '-').length > 1) {
      throw new UsageError('expected at most one trace -, because stdin can be read once')
    }
    const outputs = new Outputs(output === undefined || output === '-' ? [] : [output], traces)
    try {
      const [profile, other] = await profilesOf(traces, invocation)
      if (!profile) throw new UsageError('expected a trace, got none')
      const profiles = other ? ([profile, other] as const) : ([profile] as const)
      for (const each of profiles) await tellShortfalls(each, invocation)
      const [isText, isStdout] = [wantsText(invocation), output === undefined || output === '-']
      const page = isStdout && (isText || terminal.isJson) ? '' : pageOf(profiles)
      if (!isStdout) await outputs.write([page], signal)
      if (terminal.isJson) await terminal.answer(reportJson(profile, other))
      else if (isText) await terminal.print(reportText(profiles, styleOf(invocation)))
      else if (isStdout) await terminal.print(page)
      signal.throwIfAborted()
      outputs.place()
      if (!isStdout) await terminal.talk(`${output}: ${countText(profile.eventCount)} events`)
      return EXIT.done
    } finally {
      outputs.discard()
    }
  },
}

/** A page on a screen helps nobody. */
function wantsText({ flags, terminal }: Invocation): boolean {
  return flags.text === true || (flags.output === undefined && terminal.columns !== undefined)
}

async function profilesOf(
  traces: readonly string[],
  { signal }: Invocation,
): Promise<readonly Profile[]> {
  const profiles: Profile[] = []
  for (const trace of traces) {
    const profiler = new Profiler()
    const end = await readTrace(trace, profiler.take, signal)
    profiles.push(profiler.finish(end.name, end))
  }
  return profiles
}

async function tellShortfalls(
  { name, shortfalls }: Profile,
  { terminal }: Invocation,
): Promise<void> {
  for (const sentence of shortfalls) await terminal.complain(`${name}: ${sentence}`)
}

function styleOf({ terminal }: Invocation): Parameters<typeof reportText>[1] {
  return { columns: terminal.columns ?? COLUMNS, colors: terminal.resultColors }
}
