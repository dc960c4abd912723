// The report of `nalloc doctor`: the object that `--json` prints, and its lines for people.

import type { Environment } from '../../environment.ts'
import { EXIT, type ExitCode } from '../exitCodes.ts'
import { type Check, type CheckStatus, checksOf } from './checks.ts'
import { type Facts, isLoaded } from './facts.ts'

/** The name and version of the object's form; a version never changes its meaning. */
export const DOCTOR_SCHEMA = 'nalloc/doctor@1'

/** What `nalloc doctor --json` prints. */
export interface DoctorReport {
  readonly schema: typeof DOCTOR_SCHEMA
  readonly version: string
  /** `linux-x64-gnu`, or without the libc where the addon does not load. */
  readonly platform: string
  readonly kernel: string
  readonly node: string
  /** What `environment()` says; null where the addon does not load. */
  readonly environment: Environment | null
  readonly checks: readonly Check[]
}

/** How people read those of the checks that are no words. */
const NAMES: Readonly<Record<string, string>> = {
  'huge-pages': 'huge pages',
  'locked-memory': 'locked memory',
}

/** What counts as a problem: failures, or warnings too. */
export type Strictness = 'failures' | 'warnings'

/** A report on a machine, by nalloc of this version. */
export function reportOf(facts: Facts, version: string): DoctorReport {
  const environment = isLoaded(facts.addon) ? facts.addon.environment : null
  return {
    schema: DOCTOR_SCHEMA,
    version,
    platform: environment?.triple ?? facts.platform,
    kernel: facts.kernel,
    node: facts.nodeVersion,
    environment,
    checks: checksOf(facts),
  }
}

/** Whether all is well, there is a problem, or nothing can be proved here. */
export function exitCodeOf(report: DoctorReport, strictness: Strictness): ExitCode {
  if (report.environment === null) return EXIT.environment
  const problems: readonly CheckStatus[] = strictness === 'warnings' ? ['warn', 'fail'] : ['fail']
  return report.checks.some(({ status }) => problems.includes(status)) ? EXIT.no : EXIT.done
}

/** The report for people. */
export function reportText(report: DoctorReport): string {
  const { version, platform, kernel, node, checks } = report
  const names = checks.map(({ id }) => NAMES[id] ?? id)
  const width = Math.max(...names.map((name) => name.length))
  const lines = checks.map(({ status, message, fix }, i) => {
    const line = `  ${status.padEnd(4)}  ${(names[i] ?? '').padEnd(width)}  ${message}`
    return fix === undefined ? line : `${line}   fix: ${fix}`
  })
  return [`nalloc ${version}  ${platform}  kernel ${kernel}  Node ${node}`, ...lines].join('\n')
}
