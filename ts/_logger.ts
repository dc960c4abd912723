// Talks to a logger in the way of snarkjs: `debug` while it works, `info` and `error` for verdicts.
// No line contains a value: not of an input, a witness, a public signal or a proof.

import { show } from './_check.ts'
import { wrongType } from './errors.ts'
import type { Progress, ProgressPhase } from './options.ts'

const LEVELS = ['debug', 'info', 'error'] as const
const PHASES: Readonly<Record<ProgressPhase, string>> = {
  queue: 'waiting in line',
  load: 'reading the proving key',
  check: 'checking points',
  ntt: 'transforming',
  witness: 'computing the witness',
  quotient: 'computing the quotient',
  msm: 'multiplying points',
  finish: 'blinding the proof',
  'self-verify': 'verifying the proof',
  setup: 'making points',
}

/** What is used of a logger, as `console`, winston and pino have it. One of them is enough. */
export interface LoggerLike {
  debug?(message: string): void
  info?(message: string): void
  error?(message: string): void
}

/** @internal */
export class Log {
  readonly #logger: LoggerLike | undefined
  #phase: ProgressPhase | undefined

  /** Takes a logger or nothing; `position` is its place in the call, from 1. */
  constructor(logger: unknown, position: number) {
    if (logger === undefined || logger === null) return
    const isLogger =
      (typeof logger === 'object' || typeof logger === 'function') &&
      LEVELS.some((level) => typeof (logger as LoggerLike)[level] === 'function')
    if (!isLogger) {
      const expected = `a logger with debug, info and error as argument ${position}, or undefined`
      throw wrongType('logger', expected, show(logger))
    }
    this.#logger = logger as LoggerLike
  }

  debug(message: string): void {
    this.#logger?.debug?.(`nalloc: ${message}`)
  }

  info(message: string): void {
    this.#logger?.info?.(`nalloc: ${message}`)
  }

  error(message: string): void {
    this.#logger?.error?.(`nalloc: ${message}`)
  }

  /** Logs each phase once, and hands every report on. */
  watch(
    onProgress: ((progress: Progress) => void) | undefined,
  ): ((progress: Progress) => void) | undefined {
    if (this.#logger === undefined) return onProgress
    return (progress) => {
      if (progress.phase !== this.#phase) this.debug(PHASES[progress.phase])
      this.#phase = progress.phase
      onProgress?.(progress)
    }
  }
}
