// Programs under gdb: what happens to a process just before it is gone, or when its runtime refuses.

import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { childFile } from './_child.ts'

const QUIET = ['set debuginfod enabled off', 'set breakpoint pending on']

const trial = spawnSync('gdb', ['-nx', '-q', '-batch', '-ex', 'run', '--args', '/bin/true'])

/** Whether there is a debugger that may trace its children. */
export const canTrace = trial.stdout?.includes('exited normally') ?? false

/** Why a test that needs one is skipped. */
export const NO_DEBUGGER = '(skipped: no gdb that may trace)'

/** Runs a program of the `children` folder under gdb, which runs `commands` one after the other. */
export function debug(
  commands: readonly string[],
  name: string,
  args: readonly string[] = [],
): ChildProcessByStdio<Writable, Readable, null> {
  const options = [...QUIET, ...commands].flatMap((command) => ['-ex', command])
  const program = ['--args', process.execPath, childFile(name), ...args]
  return spawn('gdb', ['-nx', '-q', '-batch', ...options, ...program], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
}
