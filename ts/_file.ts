// Reads the files that TypeScript itself needs: circuits, verification keys, first bytes.

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import fs, { type FileHandle } from 'node:fs/promises'
import { NallocError } from './errors.ts'

// Opening a FIFO without a writer would wait for ever.
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK

/** The whole file, if it is a regular one of at most `bytesMax` bytes. @internal */
export async function readWhole(path: string, bytesMax: number): Promise<Uint8Array> {
  return withFile(path, async (file) => {
    checkFile(path, await file.stat(), bytesMax)
    return await file.readFile()
  })
}

/** As `readWhole`, at once: for small files. @internal */
export function readWholeSync(path: string, bytesMax: number): Uint8Array {
  try {
    const file = openSync(path, FLAGS)
    try {
      checkFile(path, fstatSync(file), bytesMax)
      return readFileSync(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw ioError(path, error)
  }
}

/** The first bytes of a regular file, at most `length`. @internal */
export async function readStart(path: string, length: number): Promise<Uint8Array> {
  return withFile(path, async (file) => {
    checkFile(path, await file.stat(), Number.POSITIVE_INFINITY)
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0)
    return buffer.subarray(0, bytesRead)
  })
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined
  try {
    file = await fs.open(path, FLAGS)
    return await use(file)
  } catch (error) {
    throw ioError(path, error)
  } finally {
    await file?.close()
  }
}

function checkFile(path: string, stats: Stats, bytesMax: number): void {
  if (!stats.isFile()) {
    const found = stats.isDirectory() ? 'a directory' : 'a device, a pipe or a socket'
    throw new NallocError('ERR_IO', `${path}: expected a regular file, got ${found}.`)
  }
  if (stats.size > bytesMax) {
    const message = `${path}: expected at most ${bytesMax} bytes, got ${stats.size}.`
    throw new NallocError('ERR_LIMIT', message, { details: { bytesMax, bytes: stats.size } })
  }
}

function ioError(path: string, error: unknown): NallocError {
  if (error instanceof NallocError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new NallocError('ERR_IO', `${path}: cannot be read: ${reason}.`, { cause: error })
}
