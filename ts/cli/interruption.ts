// What stops a command from outside: SIGINT, SIGTERM and --timeout.
//
// The first signal cancels: native work stops within some milliseconds, and what was begun is
// taken back. The second ends the process at once.

import { EXIT, type ExitCode } from './exitCodes.ts'
import type { Terminal } from './terminal.ts'

const EXITS = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const

/** Why a command was stopped: the reason of its signal. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Runs `work` with a signal that fires when it is to stop. */
export async function interruptible<T>(
  timeoutMs: number | undefined,
  terminal: Terminal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController()
  const onSignal = (name: keyof typeof EXITS): void => {
    if (stop.signal.aborted) process.exit(EXITS[name])
    stop.abort(new Interruption(`stopped by ${name}`, EXITS[name]))
    terminal.talk(`${name}: stopping; once more ends at once`)
  }
  const onTimeout = (): void => {
    const message = `--timeout: not done after ${timeoutMs} ms, stopped`
    stop.abort(new Interruption(message, EXIT.environment))
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs)
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    return await work(stop.signal)
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}
