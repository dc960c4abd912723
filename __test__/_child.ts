// Runs programs that are meant to end in a certain way, and says why when they do not.

import { spawn } from 'node:child_process'
import path from 'node:path'
import type { ExecutionContext } from 'ava'
import { root } from './_repository.ts'

/** After a child said "done", it must end by itself within this time. */
const GRACE_MS = 10_000
/** No child takes this long, unless it hangs. */
const LIFE_MS = 120_000

export interface Ending {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Why it was killed, if it was. */
  readonly killed: string | undefined
}

/** A program of the `children` folder. */
export function childFile(name: string): string {
  return path.join(__dirname, 'children', `${name}.js`)
}

/** Runs a program of the `children` folder, with some variables more. */
export function runChild(
  name: string,
  args: readonly string[],
  cwd = root,
  variables: Readonly<Record<string, string>> = {},
): Promise<Ending> {
  return runNode([childFile(name), ...args], cwd, variables)
}

/** Runs Node with these arguments, and some variables more. */
export function runNode(
  args: readonly string[],
  cwd = root,
  variables: Readonly<Record<string, string>> = {},
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...variables }
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const texts = { stdout: '', stderr: '' }
    let killed: string | undefined
    const kill = (why: string) => () => {
      killed = why
      child.kill('SIGKILL')
    }
    let timer = setTimeout(kill(`still running after ${LIFE_MS} ms`), LIFE_MS)
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        texts[stream] += text
        if (stream === 'stderr' || !text.includes('done')) return
        clearTimeout(timer)
        timer = setTimeout(kill(`still running ${GRACE_MS} ms after "done"`), GRACE_MS)
      })
    }
    child.on('error', reject)
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      resolve({ status, signal, ...texts, killed })
    })
  })
}

/** Asserts how a child ended; shows all that it said when it ended otherwise. */
export function assertEnding(t: ExecutionContext, ending: Ending, status: number): void {
  const said = JSON.stringify(ending, undefined, 2)
  t.is(ending.signal, null, said)
  t.is(ending.status, status, said)
}
