// What a command says and returns when it fails.

import { codeOf, ERROR_CODES, type ErrorCode, NallocError } from '../errors.ts'
import { UsageError } from './command.ts'
import { EXIT, EXIT_OF_ERROR, type ExitCode } from './exitCodes.ts'
import { Interruption } from './interruption.ts'
import { type Answer, OutputError, type Terminal } from './terminal.ts'

/** What --json prints for an error. */
interface ErrorAnswer extends Answer {
  readonly schema: 'nalloc/error@1'
  /** One of ERROR_CODES, or CLI_USAGE, CLI_OUTPUT, CLI_STOPPED. */
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  readonly details?: unknown
}

interface Failure {
  readonly code: string
  readonly exitCode: ExitCode
  readonly message: string
  /** How to type it, for a mistake in that. */
  readonly hint?: string | undefined
  readonly error: unknown
}

/** Reports an error; the exit status of it. */
export async function report(error: unknown, terminal: Terminal): Promise<ExitCode> {
  const failure = classify(error)
  const { code, message, exitCode } = failure
  const { colors } = terminal
  await terminal.complain(`${colors.red('error')} ${code}: ${message}`)
  if (failure.hint) await terminal.complain(failure.hint)
  if (exitCode === EXIT.defect) await terminal.complain(howToReport())
  else if (code.startsWith('ERR_')) {
    await terminal.talk(colors.dim(`see docs/errors.md#${code.toLowerCase()}`))
  }
  if (terminal.isVerbose) await terminal.complain(colors.dim(tracesOf(error).join('\n')))
  // What cannot be printed has been said on stderr.
  if (terminal.isJson) await terminal.answer(answerOf(failure)).catch(() => undefined)
  return exitCode
}

function classify(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError) {
    return { code: 'CLI_USAGE', exitCode: EXIT.usage, message, hint: error.usage, error }
  }
  if (error instanceof OutputError) {
    return { code: 'CLI_OUTPUT', exitCode: EXIT.environment, message, error }
  }
  if (error instanceof Interruption) {
    return { code: 'CLI_STOPPED', exitCode: error.exitCode, message, error }
  }
  const code = ERROR_CODES.find((known) => known === codeOf(error)) ?? ('ERR_INTERNAL' as ErrorCode)
  return { code, exitCode: EXIT_OF_ERROR[code], message, error }
}

function answerOf({ code, message, error, hint }: Failure): ErrorAnswer {
  const facts =
    error instanceof NallocError ? { hint: error.hint, details: error.details } : { hint }
  return { schema: 'nalloc/error@1', code, message, ...facts }
}

function howToReport(): string {
  return (
    'This is a defect of nalloc. Please report it with the command, without secret files, and ' +
    'with what nalloc doctor --json prints.'
  )
}

/** The stacks of an error and of its causes. Our own messages hold no secrets; others' may. */
function tracesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  const code = codeOf(error)
  return [
    `${error.name}${code === undefined ? '' : ` ${code}`}`,
    ...frames,
    ...tracesOf(error.cause),
  ]
}
