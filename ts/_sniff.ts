// Says what a file is when it is not what was expected: most often two arguments were swapped.

import { readStart } from './_file.ts'
import type { Opened } from './_source.ts'
import { codeOf, NallocError } from './errors.ts'

/** A kind of file, as messages call it. @internal */
export type FileKind = 'a .zkey file' | 'a .wtns file' | 'an .r1cs file' | 'a WebAssembly module'

/** An argument that is a file, in the order of the call. @internal */
export interface FileArgument {
  readonly name: string
  /** Its place in the call, from 1. */
  readonly position: number
  readonly expected: FileKind
  /** Absent for an object that is known to be of the right kind. */
  readonly source: Opened | undefined
}

/** Bytes that tell kinds apart. @internal */
export const START_BYTES = 8
const MAGIC_BYTES = 4
const KINDS: Readonly<Record<string, string>> = {
  zkey: 'a .zkey file',
  wtns: 'a .wtns file',
  r1cs: 'an .r1cs file',
  ptau: 'a .ptau file',
  '\0asm': 'a WebAssembly module',
}
/** What is no file of ours, by its first bytes: the same words as the addon's. */
const STRANGERS: readonly (readonly [start: string, name: string])[] = [
  ['\x7fELF', 'a program'],
  ['\x1f\x8b', 'a gzip archive: unpack it first'],
  ['PK\x03\x04', 'a zip archive: unpack it first'],
  ['\x28\xb5\x2f\xfd', 'a zstd archive: unpack it first'],
  ['version ', 'a Git LFS pointer: run git lfs pull'],
  ['{', 'JSON'],
  ['[', 'JSON'],
  ['<', "HTML or XML, perhaps a server's error page"],
  ['\0\0\0\0', 'zeros: an unfinished download or a sparse copy'],
]

/** What a file seems to be by its first bytes, as messages call it. @internal */
export function describeStart(start: Uint8Array): string {
  const text = textOf(start)
  const stranger = STRANGERS.find(([prefix]) => text.startsWith(prefix))
  return KINDS[text.slice(0, MAGIC_BYTES)] ?? stranger?.[1] ?? 'bytes of no known kind of file'
}

/**
 * Runs `work`; when it fails because a file is of the wrong kind, the error says what each argument
 * is. @internal
 */
export async function withKindsNamed<T>(
  args: readonly FileArgument[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (codeOf(error) !== 'ERR_BAD_MAGIC') throw error
    throw (await explain(args, error)) ?? error
  }
}

async function explain(
  args: readonly FileArgument[],
  cause: unknown,
): Promise<NallocError | undefined> {
  const found = await Promise.all(
    args.map(async ({ source }) => (source ? await kindOf(source) : undefined)),
  )
  const wrong = args.flatMap((argument, i) => {
    const kind = found[i]
    return kind === undefined || kind === argument.expected ? [] : [{ ...argument, kind }]
  })
  if (wrong.length === 0) return undefined
  const isSwap = wrong.every(({ kind }) => wrong.some(({ expected }) => expected === kind))
  const facts = wrong.map(({ name, position, kind }) => `argument ${position} (${name}) is ${kind}`)
  const message = isSwap
    ? `${facts.join(', ')}: swapped?`
    : `${facts.join(', ')}: expected ${wrong.map(({ expected }) => expected).join(' and ')}.`
  const details = Object.fromEntries(wrong.map(({ name, kind }) => [name, kind]))
  return new NallocError('ERR_BAD_MAGIC', message, { details, cause })
}

async function kindOf(source: Opened): Promise<string | undefined> {
  // Not to be read is another error, which the call itself reports when it gets there.
  const start =
    source.kind === 'bytes'
      ? source.bytes.subarray(0, MAGIC_BYTES)
      : await readStart(source.path, MAGIC_BYTES).catch(() => new Uint8Array())
  return KINDS[textOf(start)]
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
