// Bytes of a regular file by position, for files that may be hostile or change meanwhile.
//
// As the addon does: opened without waiting for a FIFO's writer, never mapped, refused when it is
// no regular file, and an error when it is not the same at the end as it was at the start.

import { type BigIntStats, constants } from 'node:fs'
import fs, { type FileHandle } from 'node:fs/promises'
import { NallocError } from '../../errors.ts'

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/** An open regular file. */
export class RegularFile {
  /** What messages call it. */
  readonly name: string
  /** Its length when it was opened. */
  readonly bytes: number
  readonly #handle: FileHandle
  readonly #modifiedNs: bigint

  private constructor(name: string, handle: FileHandle, stats: BigIntStats) {
    this.name = name
    this.bytes = Number(stats.size)
    this.#handle = handle
    this.#modifiedNs = stats.mtimeNs
  }

  /** Opens a file, hands it to `use` and closes it. Throws ERR_IO. */
  static async with<T>(
    path: string,
    name: string,
    use: (file: RegularFile) => Promise<T>,
  ): Promise<T> {
    const handle = await fs.open(path, FLAGS).catch((error: unknown) => {
      throw ioError(name, error)
    })
    try {
      const stats = await handle.stat({ bigint: true })
      if (!stats.isFile()) throw notAFile(name, stats)
      return await use(new RegularFile(name, handle, stats))
    } finally {
      await handle.close()
    }
  }

  /** Fills `out` with the bytes from `offset` on, which are known to exist. */
  async read(offset: number, out: Uint8Array): Promise<void> {
    let filled = 0
    while (filled < out.length) {
      const { bytesRead } = await this.#handle
        .read(out, filled, out.length - filled, offset + filled)
        .catch((error: unknown) => {
          throw ioError(this.name, error)
        })
      if (bytesRead === 0) throw this.#changed()
      filled += bytesRead
    }
  }

  /** Throws ERR_FILE_CHANGED unless the file is still what was opened, as far as can be told. */
  async checkUnchanged(): Promise<void> {
    const { size, mtimeNs } = await this.#handle.stat({ bigint: true })
    if (Number(size) !== this.bytes || mtimeNs !== this.#modifiedNs) throw this.#changed()
  }

  #changed(): NallocError {
    const message = `${this.name}: expected the file to stay as it is, got other bytes while it was read.`
    const hint = 'Replace such files by rename, then look again.'
    return new NallocError('ERR_FILE_CHANGED', message, { hint, details: { file: this.name } })
  }
}

function notAFile(name: string, stats: BigIntStats): NallocError {
  const found = kindOf(stats)
  const message = `${name}: expected a regular file, got ${found}.`
  return new NallocError('ERR_IO', message, { details: { file: name, found } })
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a FIFO'
  return stats.isSocket() ? 'a socket' : 'a device'
}

function ioError(name: string, cause: unknown): NallocError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const message = `${name}: expected a readable file, got "${reason}".`
  return new NallocError('ERR_IO', message, { details: { file: name }, cause })
}
