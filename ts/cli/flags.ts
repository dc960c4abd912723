// Every flag of the command line, once: its form, its help, its check. Commands name the flags that
// they take; help is printed from here.

import { InvalidArgumentError } from 'commander'
import { checkSha256, checkSize } from '../_check.ts'

const THREADS_MAX = 1024
/** Longer than any proof, and within what a timer can wait. */
const TIMEOUT_MS_MAX = 24 * 60 * 60 * 1000
const STDOUT_PATHS = ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

interface Definition<T> {
  /** As commander takes it: short form, long form, name of the value. */
  readonly form: string
  readonly help: string
  /** From the text of the value; absent for a flag without one. */
  readonly parse?: (text: string) => T
}

function define<T = true>(definition: Definition<T>): Definition<T> {
  return definition
}

/** All flags by the name under which commander hands them over. */
export const FLAGS = {
  output: define<string>({
    form: '-o, --output <file>',
    help: 'write the result there; - is stdout',
    parse: checkPath,
  }),
  public: define<string>({
    form: '--public <file>',
    help: 'write the public signals there; - is stdout',
    parse: checkPath,
  }),
  against: define<string>({
    form: '--against <trace>',
    help: 'compare with this trace',
    parse: checkPath,
  }),
  text: define({ form: '--text', help: 'draw in the terminal' }),
  explain: define({ form: '--explain', help: 'say why a proof is not valid' }),
  strict: define({ form: '--strict', help: 'exit with 1 for a warning too' }),
  threads: define<number>({
    form: '--threads <n>',
    help: 'threads that prove (default: as many as this process may use)',
    parse: parseThreads,
  }),
  memoryLimit: define<number>({
    form: '--memory-limit <size>',
    help: 'refuse what needs more: 512M, 2G, 25%',
    parse: parseSize,
  }),
  cacheLimit: define<number>({
    form: '--cache-limit <size>',
    help: 'what stays in memory once nobody is at work: 512M, 2G, 25%',
    parse: parseSize,
  }),
  trace: define<string>({
    form: '--trace <file>',
    help: 'write down what becomes of large blocks, for nalloc report',
    parse: checkPath,
  }),
  require: define({ form: '--require', help: 'end a program that nalloc cannot take over' }),
  timeout: define<number>({
    form: '--timeout <duration>',
    help: 'give up after 500ms, 30s, 5m, 1h',
    parse: parseDuration,
  }),
  sha256: define<string>({
    form: '--sha256 <digest>',
    help: 'refuse a proving key with another digest',
    parse: parseSha256,
  }),
  allowInsecure: define({
    form: '--allow-insecure',
    help: 'take a key without a phase 2, for tests: anybody can forge its proofs',
  }),
  unsafeDev: define({
    form: '--unsafe-dev',
    help: 'make a key from secrets that everybody knows, for development',
  }),
  vk: define<string>({
    form: '--vk <file>',
    help: 'write the verification key there; - is stdout',
    parse: checkPath,
  }),
  json: define({ form: '--json', help: 'print one JSON object on stdout' }),
  quiet: define({ form: '-q, --quiet', help: 'print no talk and no progress' }),
  verbose: define({ form: '-v, --verbose', help: 'print phases, and the cause of an error' }),
} as const

/** The name of a flag. */
export type FlagName = keyof typeof FLAGS

/** The flags that were given. */
export type Flags = {
  readonly [Name in FlagName]?: (typeof FLAGS)[Name] extends Definition<infer T> ? T : never
} & {
  /** False after --no-color. */
  readonly color?: boolean
}

/** Flags of every command. */
export const COMMON_FLAGS = ['timeout', 'json', 'quiet', 'verbose'] as const

function checkPath(text: string): string {
  if (text === '' || text.includes('\0')) throw new InvalidArgumentError('Expected a path or -.')
  // To open what is open already would write over what was printed there, or beside it.
  return STDOUT_PATHS.includes(text) ? '-' : text
}

function parseThreads(text: string): number {
  const threads = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (threads >= 1 && threads <= THREADS_MAX) return threads
  throw new InvalidArgumentError(`Expected a whole number in 1..${THREADS_MAX}.`)
}

function parseSize(text: string): number {
  try {
    const bytes = checkSize('size', /^\d{1,16}$/.test(text) ? Number(text) : (text as '1M'))
    if (bytes !== undefined) return bytes
  } catch {
    // Said below in the words of the command line.
  }
  throw new InvalidArgumentError('Expected bytes, or a size such as 512M, 2G or 25%.')
}

function parseDuration(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? []
  const timeoutMs = Math.round(Number(digits) * (UNIT_MS[unit] ?? Number.NaN))
  if (timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX) return timeoutMs
  throw new InvalidArgumentError('Expected 1ms to 24h, such as 500ms, 30s, 5m or 1h.')
}

function parseSha256(text: string): string {
  try {
    const digest = checkSha256('sha256', text)
    if (digest !== undefined) return digest
  } catch {
    // Said below in the words of the command line.
  }
  throw new InvalidArgumentError('Expected 64 hexadecimal digits.')
}
