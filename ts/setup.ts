// Keys for development: a setup whose secrets everybody knows, in seconds.
//
// The key comes in pieces, in the order of the file, so that one of any size takes little memory:
// each piece is a native task of its own and waits its turn beside proofs.

import { Call } from './_call.ts'
import { checkOptions, checkSize } from './_check.ts'
import { runWithFile } from './_nativeFile.ts'
import { type FileArgument, withKindsNamed } from './_sniff.ts'
import { checkSource, type Opened, type Source } from './_source.ts'
import { binding, type NativeSetup } from './native.ts'
import type { SetupOptions } from './options.ts'
import type { VerifyingKeyJson } from './verifyingKey.ts'

/** Shortest time between two reports of progress. */
const REPORT_MS_MIN = 100

/** A key that is being made. Whoever has it disposes of it. @internal */
export interface Setup {
  readonly nConstraints: number
  /** Length of the finished key. */
  readonly bytes: number
  /** The key, once. */
  pieces(): AsyncGenerator<Uint8Array, void, undefined>
  verifyingKeyJson(): Promise<VerifyingKeyJson>
  dispose(): void
}

/**
 * Makes a proving key for development, as the pieces of a `.zkey` file. **Its secrets are public, so
 * anybody can forge proofs for it.** `ProvingKey.open` refuses it unless `allowInsecure` is set, and
 * its `info` says `unsafeDev`. Keys for production come from a ceremony, with snarkjs: docs/setup.md.
 *
 * The same circuit gives the same key, always. Nothing happens before the first piece is asked for,
 * but for the check of the arguments.
 *
 * @throws ERR_IO; ERR_BAD_MAGIC, ERR_TRUNCATED, ERR_UNSUPPORTED_CURVE, ERR_INDEX_RANGE and others that
 * name what is wrong with the circuit; ERR_UNSUPPORTED_PROTOCOL for custom gates; ERR_LIMIT above
 * `memoryLimit`; ERR_FILE_CHANGED
 * @example
 * import { writeFile } from 'node:fs/promises'
 * import { ProvingKey, setupUnsafeDev } from 'nalloc'
 *
 * await writeFile('dev.zkey', setupUnsafeDev('circuit.r1cs'))
 * using key = await ProvingKey.open('dev.zkey', { allowInsecure: true })
 * console.log(key.info.unsafeDev) // true
 */
export function setupUnsafeDev(
  r1cs: Source,
  options?: SetupOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = checkSource('r1cs', r1cs)
  const checked = checkOptions(options)
  const memoryLimitBytes = checkSize('memoryLimit', checked.memoryLimit)
  const call = new Call(checked)
  return whole(source, memoryLimitBytes, call, checked)
}

async function* whole(
  source: Opened,
  memoryLimitBytes: number | undefined,
  call: Call,
  options: Partial<SetupOptions>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const setup = await begin(source, memoryLimitBytes, call, options)
  try {
    yield* setup.pieces()
  } finally {
    setup.dispose()
  }
}

/** Reads the circuit. @internal */
export async function beginSetup(r1cs: Source, options: SetupOptions): Promise<Setup> {
  const memoryLimitBytes = checkSize('memoryLimit', options.memoryLimit)
  return begin(checkSource('r1cs', r1cs), memoryLimitBytes, new Call(options), options)
}

/** `call` reports progress; each native task has one of its own, which reports none. */
async function begin(
  source: Opened,
  memoryLimitBytes: number | undefined,
  call: Call,
  { signal }: Partial<SetupOptions>,
): Promise<Setup> {
  const tasks = new Call({ signal })
  const settings = {
    name: source.name,
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
  }
  const args: FileArgument[] = [{ name: 'r1cs', position: 1, expected: 'an .r1cs file', source }]
  const native = await withKindsNamed(args, async () => {
    const { beginUnsafeDevSetup } = binding()
    return runWithFile(source, tasks, (file, task) => beginUnsafeDevSetup(file, settings, task))
  })
  return {
    nConstraints: native.nConstraints,
    bytes: native.bytes,
    pieces: () => pieces(native, call, tasks),
    verifyingKeyJson: async () =>
      JSON.parse(await tasks.run((task) => native.verifyingKeyJson(task))) as VerifyingKeyJson,
    dispose: () => native.dispose(),
  }
}

async function* pieces(
  native: NativeSetup,
  call: Call,
  tasks: Call,
): AsyncGenerator<Uint8Array, void, undefined> {
  let done = 0
  let reportedMs = Number.NEGATIVE_INFINITY
  for (;;) {
    const nowMs = performance.now()
    if (nowMs - reportedMs >= REPORT_MS_MIN || done === native.bytes) {
      call.report('setup', done / native.bytes)
      reportedMs = nowMs
    }
    const piece = await tasks.run((task) => native.next(task))
    if (piece === null) return
    done += piece.length
    yield piece
  }
}
