// What a command is. `main.ts` turns each into one of commander's; nothing else knows commander.

import type { FlagName, Flags } from './flags.ts'
import type { Terminal } from './terminal.ts'

/** A positional argument. */
export interface Argument {
  /** As help and messages call it, such as `ZKEY`. */
  readonly name: string
  readonly help: string
}

/** One run of a command. */
export interface Invocation {
  /** As many as the command has arguments, then its rest. */
  readonly args: readonly string[]
  readonly flags: Flags
  readonly terminal: Terminal
  /** Fires on SIGINT, on SIGTERM and when --timeout is over. */
  readonly signal: AbortSignal
}

/** A command of `nalloc`. */
export interface Command {
  readonly name: string
  /** One line, without a full stop. */
  readonly summary: string
  readonly arguments: readonly Argument[]
  /** One or more words behind the arguments, which are taken as they stand. */
  readonly rest?: Argument
  /** Beside the common flags. */
  readonly flags: readonly FlagName[]
  /** Those of the common flags that it takes; all of them when absent. */
  readonly commonFlags?: readonly FlagName[]
  /** Commands that run as they stand where the files are. Help starts with them. */
  readonly examples: readonly string[]
  /** What the flags do not say. */
  readonly notes?: string
  /** The exit status: one of EXIT, or that of a program that it ran. */
  run(invocation: Invocation): Promise<number>
}

/** A mistake in what was typed: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  /** How the command is typed, and where there is more. */
  readonly usage: string | undefined

  constructor(message: string, usage?: string) {
    super(message)
    this.usage = usage
  }
}
