// Runs `nalloc` as a shell would, and says how it ended.

import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import type { Ending } from './_child.ts'
import { root } from './_repository.ts'

/** No command of these tests takes this long, unless it hangs. */
const LIFE_MS = 60_000

export const program = path.join(root, 'dist/cli/main.js')

export interface CliOptions {
  readonly cwd?: string
  /** Bytes for stdin; it is closed without. */
  readonly stdin?: Uint8Array | string
  /** Added to the environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What runs main.js: Node, with these arguments. */
  readonly node?: readonly string[]
  readonly program?: string
  /** Called with the running child. */
  readonly onStart?: (child: ChildProcess) => void
}

/** Variables of the machine that runs the tests must not decide about colours or progress. */
const CLEAN = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined }

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<Ending> {
  const { cwd = root, stdin, env = {}, node = [], program: main = program, onStart } = options
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...node, main, ...args], {
      cwd,
      env: { ...process.env, ...CLEAN, ...env },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    const texts = { stdout: '', stderr: '' }
    let killed: string | undefined
    const timer = setTimeout(() => {
      killed = `still running after ${LIFE_MS} ms`
      child.kill('SIGKILL')
    }, LIFE_MS)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      texts.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      texts.stderr += text
    })
    // A program that fails before it has read everything closes its end.
    child.stdin?.on('error', () => undefined).end(stdin)
    child.on('error', reject)
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      resolve({ status, signal, ...texts, killed })
    })
    onStart?.(child)
  })
}
