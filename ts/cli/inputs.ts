// Files that a command reads: a path, or `-` for stdin.

import { readWholeSync } from '../_file.ts'
import { describeStart, type FileArgument, type FileKind } from '../_sniff.ts'
import { checkSource } from '../_source.ts'
import { NallocError } from '../errors.ts'
import { UsageError } from './command.ts'
import { readStdin } from './stdin.ts'

/** What an argument is read from. */
export type Input = string | Uint8Array

/** Inputs of the largest circuits, and verification keys, have some megabytes. */
const JSON_BYTES_MAX = 2 ** 28

/** What a file of JSON can be. */
export type JsonKind =
  | 'a verification key'
  | 'public signals'
  | 'a proof'
  | 'a proof together with its public signals'
  | 'other JSON'

/** A file of JSON, and what it is. */
export interface JsonFile {
  readonly value: unknown
  readonly kind: JsonKind
}

/** How a message names an argument: its place from 1, and its name in the help. */
export interface ArgumentName {
  readonly name: string
  readonly position: number
}

/**
 * Runs `use` with the arguments, of which one may be `-`: its bytes are read from stdin first, and
 * overwritten afterwards, because they may be a witness. Throws UsageError for more than one `-`.
 */
export async function withInputs<T>(
  args: readonly string[],
  signal: AbortSignal,
  use: (...inputs: Input[]) => Promise<T>,
): Promise<T> {
  if (args.filter((arg) => arg === '-').length > 1) {
    throw new UsageError('expected at most one argument -, because stdin can be read once')
  }
  if (!args.includes('-')) return use(...args)
  const bytes = await readStdin(signal)
  try {
    return await use(...args.map((arg) => (arg === '-' ? bytes : arg)))
  } finally {
    // A thread that has taken the bytes over overwrites them itself.
    if (bytes.length > 0) bytes.fill(0)
  }
}

/** How messages name an input. */
export function nameOf(input: Input): string {
  return typeof input === 'string' ? input : 'stdin'
}

/** An argument that is a file of a binary format, for messages that say what it is instead. */
export function fileArgument(
  name: string,
  position: number,
  expected: FileKind,
  input: Input,
): FileArgument {
  return { name, position, expected, source: checkSource(name, input) }
}

/** Parses a file of JSON. Its content, which may be secret, is in no message. */
export function readJson(input: Input, { name, position }: ArgumentName): JsonFile {
  const bytes = typeof input === 'string' ? readWholeSync(input, JSON_BYTES_MAX) : input
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return { value, kind: kindOf(value) }
  } catch {
    const described = describeStart(bytes.subarray(0, 8))
    const found = described === 'JSON' ? 'JSON with a mistake in it' : described
    const message = `argument ${position} (${name}), ${nameOf(input)}: expected JSON, got ${found}.`
    throw new NallocError('ERR_BAD_MAGIC', message, { details: { name, found } })
  } finally {
    if (typeof input === 'string') bytes.fill(0)
  }
}

/** Refuses JSON of another kind than its place asks for, and says which kinds there are. */
export function checkKinds(
  files: readonly (JsonFile & ArgumentName & { readonly expected: JsonKind })[],
): void {
  const wrong = files.filter(({ kind, expected }) => kind !== expected)
  if (wrong.length === 0) return
  const facts = wrong.map(({ name, position, kind }) => `argument ${position} (${name}) is ${kind}`)
  const isSwap = wrong.every(({ kind }) => wrong.some(({ expected }) => expected === kind))
  const message = isSwap
    ? `${facts.join(', ')}: swapped?`
    : `${facts.join(', ')}: expected ${wrong.map(({ expected }) => expected).join(' and ')}.`
  const details = Object.fromEntries(wrong.map(({ name, kind }) => [name, kind]))
  throw new NallocError('ERR_BAD_MAGIC', message, { details })
}

function kindOf(value: unknown): JsonKind {
  if (Array.isArray(value)) return 'public signals'
  if (typeof value !== 'object' || value === null) return 'other JSON'
  if ('pi_a' in value) return 'a proof'
  if ('proof' in value && 'publicSignals' in value) {
    return 'a proof together with its public signals'
  }
  return 'IC' in value || 'vk_alpha_1' in value ? 'a verification key' : 'other JSON'
}
