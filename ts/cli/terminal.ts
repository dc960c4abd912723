// Where a command prints: results on stdout, talk on stderr, progress only where somebody looks.
//
// A reader who left (a closed pipe) is no error: the rest is not printed. What cannot be printed
// for another reason is, so that a full disk behind `>` is noticed.

import pc from 'picocolors'
import type { Progress, ProgressPhase } from '../options.ts'
import type { Flags } from './flags.ts'

/** `--json` objects say what they are. */
export interface Answer {
  /** Name and version, such as `nalloc/verify@1`; a version never changes its meaning. */
  readonly schema: string
}

/** What is used of a stream, so that tests can be a terminal. */
export interface Sink {
  readonly isTTY?: boolean
  /** Characters of a line, of a terminal. */
  readonly columns?: number
  write(text: string | Uint8Array, done: (error?: Error | null) => void): unknown
}

const PHASES: Readonly<Record<ProgressPhase, string>> = {
  queue: 'waiting',
  load: 'reading',
  check: 'checking points',
  ntt: 'transforming',
  witness: 'witness',
  quotient: 'quotient',
  msm: 'sums of points',
  finish: 'blinding',
  'self-verify': 'verifying',
  setup: 'making points',
}
const BAR_CHARS = 20
const CLEAR_LINE = '\r\x1b[K'

/** The streams of one run. */
export class Terminal {
  /** Of talk. */
  readonly colors: ReturnType<typeof pc.createColors>
  /** Of results. */
  readonly resultColors: ReturnType<typeof pc.createColors>
  /** Characters of a line of results; undefined where nobody looks at a screen. */
  readonly columns: number | undefined
  readonly isJson: boolean
  readonly #isQuiet: boolean
  readonly #isVerbose: boolean
  readonly #showsProgress: boolean
  readonly #stdout: Sink
  readonly #stderr: Sink
  readonly #startMs = performance.now()
  #phase: ProgressPhase | undefined
  #isBarShown = false

  constructor(flags: Flags, stdout: Sink, stderr: Sink, env: NodeJS.ProcessEnv) {
    const { json = false, quiet = false, verbose = false, color = true } = flags
    this.isJson = json
    this.#isQuiet = quiet
    this.#isVerbose = verbose
    this.#stdout = stdout
    this.#stderr = stderr
    this.#showsProgress = isScreen(stderr, env) && !quiet && !json && !env['CI']
    this.colors = pc.createColors(color && wantsColor(env, stderr))
    this.resultColors = pc.createColors(color && wantsColor(env, stdout))
    this.columns = stdout.isTTY ? stdout.columns : undefined
  }

  /** Prints a result as it is. */
  async print(text: string | Uint8Array): Promise<void> {
    await write(this.#stdout, text)
  }

  /** Prints a result as JSON in the form that snarkjs writes. */
  async printJson(value: unknown): Promise<void> {
    await this.print(`${JSON.stringify(value, undefined, 1)}\n`)
  }

  /** Prints the answer of --json. */
  async answer(value: Answer): Promise<void> {
    await this.printJson(value)
  }

  /** Tells people something; silent with --quiet. */
  async talk(text: string): Promise<void> {
    if (!this.#isQuiet) await this.complain(text)
  }

  /** Tells people who asked for it. */
  async detail(text: string): Promise<void> {
    if (this.#isVerbose) await this.talk(this.colors.dim(text))
  }

  /** Tells people what they must know, also with --quiet. */
  async complain(text: string): Promise<void> {
    this.hideProgress()
    // Nothing can be done when stderr itself is gone.
    await write(this.#stderr, `${text}\n`).catch(() => undefined)
  }

  /** Shows how far a task is, on a terminal; the phases with --verbose anywhere. */
  readonly progress = ({ phase, ratio }: Progress): void => {
    if (this.#showsProgress) {
      const filled = Math.round(ratio * BAR_CHARS)
      const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_CHARS - filled)}`
      const percent = `${Math.round(ratio * 100)} %`
      this.#draw(`${CLEAR_LINE}${bar} ${percent.padStart(5)}  ${PHASES[phase]}`)
      this.#isBarShown = true
    } else if (this.#isVerbose && !this.#isQuiet && phase !== this.#phase) {
      const elapsedMs = performance.now() - this.#startMs
      this.#draw(`${elapsedMs.toFixed(0).padStart(6)} ms  ${PHASES[phase]}\n`)
    }
    this.#phase = phase
  }

  /** Takes the bar away, if there is one. */
  hideProgress(): void {
    if (this.#isBarShown) this.#draw(CLEAR_LINE)
    this.#isBarShown = false
  }

  get isVerbose(): boolean {
    return this.#isVerbose
  }

  #draw(text: string): void {
    this.#stderr.write(text, () => undefined)
  }
}

function wantsColor(env: NodeJS.ProcessEnv, stream: Sink): boolean {
  if (env['NO_COLOR']) return false
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0'
  return isScreen(stream, env)
}

/** A terminal that knows how to clear a line. */
function isScreen(stream: Sink, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

function write(stream: Sink, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      const isGone = error && 'code' in error && error.code === 'EPIPE'
      if (error && !isGone) reject(new OutputError('stdout', error))
      else resolve()
    })
  })
}

/** A result that could not be written: exit status 5. */
export class OutputError extends Error {
  override readonly name = 'OutputError'

  constructor(target: string, cause: unknown) {
    super(`${target}: cannot be written: ${reasonOf(cause)}.`, { cause })
  }
}

/** A system's error without the names of its call and of our temporary files. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return 'syscall' in cause ? (cause.message.split(', ')[0] ?? '') : cause.message
}
