// A file on its way to the native side: a path as it is, few bytes at once, many in turns.

import { setImmediate as turn } from 'node:timers/promises'
import { Call, callNative } from './_call.ts'
import { type Opened, unshared, withNativeSource } from './_source.ts'
import { wrongType } from './errors.ts'
import { binding, type NativeFileBytes, type NativeTask } from './native.ts'

/**
 * Bytes that are copied between two turns of the event loop. 2 MiB took up to 5.5 ms, where a
 * virtual machine had to get the memory from its host.
 */
const PIECE_BYTES = 2 ** 19

/** What the native side takes for a file. @internal */
export type NativeFile = string | Uint8Array | NativeFileBytes

/** Starts a native task that reads a file. @internal */
export type StartWithFile<T> = (file: NativeFile, task: NativeTask) => Promise<T>

type OpenedBytes = Extract<Opened, { readonly kind: 'bytes' }>

/**
 * Runs a native task with a file. Bytes must not change before it has settled; of a secret the
 * native copy is locked and wiped. @internal
 */
export async function runWithFile<T>(
  source: Opened,
  call: Call,
  start: StartWithFile<T>,
  { isSecret = false } = {},
): Promise<T> {
  // Without a wait where none is needed: an arena is busy from the call on.
  if (!isCopiedInTurns(source)) {
    return call.run((task) => withNativeSource(source, (file) => start(file, task)))
  }
  const copied = await copyInTurns(source, call, isSecret)
  try {
    return await call.run((task) => start(copied, task))
  } finally {
    // The task has taken the bytes, unless it never began.
    copied.dispose()
  }
}

/** Not those of a file, not few, and not an arena's, which need no copy. */
function isCopiedInTurns(source: Opened): source is OpenedBytes {
  if (source.kind === 'path' || source.bytes.length <= PIECE_BYTES) return false
  return !binding().liesInArena(source.bytes)
}

async function copyInTurns(
  { bytes, name }: OpenedBytes,
  call: Call,
  isSecret: boolean,
): Promise<NativeFileBytes> {
  const { roomForFile } = binding()
  const { length } = bytes
  // No progress: it is part of the wait.
  const copy = await new Call({}).run((task) => roomForFile(length, isSecret, task))
  try {
    for (let at = 0; at < length; at += PIECE_BYTES) {
      call.throwIfAborted()
      // What was detached meanwhile has no bytes.
      if (bytes.length !== length) throw wrongType(name, 'bytes', 'a detached buffer')
      writePiece(copy, at, bytes.subarray(at, at + PIECE_BYTES), isSecret)
      await turn()
    }
    call.throwIfAborted()
    return copy
  } catch (error) {
    copy.dispose()
    throw error
  }
}

function writePiece(copy: NativeFileBytes, at: number, piece: Uint8Array, isSecret: boolean): void {
  const own = unshared(piece)
  try {
    callNative(() => copy.write(at, own))
  } finally {
    if (isSecret && own !== piece) own.fill(0)
  }
}
