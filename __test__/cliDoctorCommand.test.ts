// `nalloc doctor` as a program, on this machine as it is, and on poorer ones.

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { DoctorReport } from '../ts/cli/doctor/report.ts'
import { assertEnding, type Ending, runNode } from './_child.ts'
import { root } from './_repository.ts'
import { packageWithoutAddon } from './_temporary.ts'
import { testIf } from './_testIf.ts'

const program = path.join(root, 'dist/cli/main.js')
const NOBODY = '65534'
/** Runs what follows as a user without rights, who may lock 64 KiB. */
const AS_NOBODY = [
  ...['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
  ...['sh', '-c', 'ulimit -l 64 && exec "$@"', 'sh'],
]

const run = (...args: string[]): Promise<Ending> => runNode([program, 'doctor', ...args])

function statusOf(report: DoctorReport, id: string): string | undefined {
  return report.checks.find((check) => check.id === id)?.status
}

/** Why nothing can be run as nobody here, if so. */
function whyNotNobody(): string | undefined {
  const [command = '', ...args] = [...AS_NOBODY, process.execPath, program, '--version']
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? undefined : `nothing runs as user ${NOBODY}: ${error?.message ?? stderr}`
}

function runAsNobody(...args: string[]): { status: number | null; report: DoctorReport } {
  const [command = '', ...rest] = [...AS_NOBODY, process.execPath, program, 'doctor', '--json']
  const { status, stdout } = spawnSync(command, [...rest, ...args], { encoding: 'utf8', cwd: '/' })
  return { status, report: JSON.parse(stdout) as DoctorReport }
}

function assertProved(t: ExecutionContext, report: DoctorReport): void {
  t.is(report.schema, 'nalloc/doctor@1')
  t.is(statusOf(report, 'addon'), 'ok')
  const selfTest = report.checks.find(({ id }) => id === 'self-test')
  t.is(selfTest?.status, 'ok', selfTest?.message)
  t.regex(selfTest?.message ?? '', /^prove\+verify in \d+ ms; 0 copies of 9 witness values left$/)
}

test('this machine proves, and the report goes to stdout alone', async (t) => {
  const ending = await run()

  assertEnding(t, ending, 0)
  t.is(ending.stderr, '')
  t.regex(ending.stdout, /^nalloc \d+\.\d+\.\d+ {2}linux-\w+-\w+ {2}kernel \S+ {2}Node \d/)
  t.regex(ending.stdout, /^ {2}ok {4}addon {10}.*, CPU path \w+$/m)
  t.regex(ending.stdout, /^ {2}ok {4}self-test {6}prove\+verify in \d+ ms; 0 copies of 9 /m)
})

test('--json prints one object with its schema, the environment and every check', async (t) => {
  const ending = await run('--json')

  assertEnding(t, ending, 0)
  const report = JSON.parse(ending.stdout) as DoctorReport
  assertProved(t, report)
  t.is(report.environment?.triple, report.platform)
  t.deepEqual(
    report.checks.map(({ id }) => id),
    ['addon', 'node', 'memory', 'huge-pages', 'locked-memory', 'threads', 'self-test'],
  )
})

const reason = whyNotNobody()
const ifNobody = testIf(reason === undefined, reason ?? '')

ifNobody('--strict makes a warning an exit status of 1, for a user without rights too', (t) => {
  const lenient = runAsNobody()
  const strict = runAsNobody('--strict')

  t.is(lenient.status, 0)
  assertProved(t, lenient.report)
  t.is(statusOf(lenient.report, 'locked-memory'), 'warn')
  t.is(strict.status, 1)
  assertProved(t, strict.report)
})

test('without an addon there is a report, and an exit status of 5', async (t) => {
  const folder = packageWithoutAddon(t)
  const doctor = path.join(folder, 'dist/cli/main.js')

  const ending = await runNode([doctor, 'doctor'], folder)
  const json = await runNode([doctor, 'doctor', '--json'], folder)

  assertEnding(t, ending, 5)
  t.is(ending.stderr, '')
  t.regex(ending.stdout, /^ {2}fail {2}addon {4}no prebuilt for linux-\w+-\w+ in node_modules\./m)
  t.regex(ending.stdout, /^ {2}ok {4}memory/m)
  assertEnding(t, json, 5)
  const report = JSON.parse(json.stdout) as DoctorReport
  t.is(report.environment, null)
  t.deepEqual(
    report.checks.map(({ id }) => id),
    ['addon', 'node', 'memory', 'threads'],
  )
})
