// The bytes of a trace: a file or stdin, as they are or packed by gzip.
//
// In pieces, because a trace may be larger than memory. A pipe is taken from stdin alone: opening a
// FIFO without a writer would wait for ever. A packed file that was cut off gives what it holds.

import fs from 'node:fs'
import { addAbortSignal, pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { codeOf, NallocError } from '../errors.ts'

const PIECE_BYTES = 2 ** 20
/** The first piece has at least so many bytes, if there are as many. */
export const START_BYTES = 16
const GZIP_MAGIC = [0x1f, 0x8b]
/** Opening what is no regular file must not wait. */
const O_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY
const STDIN = 0

/** Bytes that are read once, from the start to the end. */
export class TraceSource {
  /** What messages call it. */
  readonly name: string
  readonly #path: string
  #isCutOff = false

  /** `-` is stdin. */
  constructor(argument: string) {
    this.#path = argument
    this.name = argument === '-' ? 'stdin' : argument
  }

  /** Whether the packed file ended too early. */
  get isCutOff(): boolean {
    return this.#isCutOff
  }

  /** All bytes in pieces. Throws ERR_IO, ERR_BAD_HEADER, and the signal's reason. */
  async *pieces(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      const [start, bytes] = await begun(this.#open(signal))
      const isPacked = GZIP_MAGIC.every((byte, i) => start[i] === byte)
      const [, content] = isPacked ? await begun(this.#unpacked(bytes)) : [start, bytes]
      yield* content
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw this.#refusal(error)
    }
  }

  #open(signal: AbortSignal): AsyncIterable<Uint8Array> {
    const isStdin = this.#path === '-'
    const fd = isStdin ? STDIN : fs.openSync(this.#path, O_FLAGS)
    const isFile = fs.fstatSync(fd).isFile()
    if (isStdin && !isFile) return addAbortSignal(signal, process.stdin)
    if (isFile) {
      return fs.createReadStream('', {
        fd,
        autoClose: !isStdin,
        highWaterMark: PIECE_BYTES,
        signal,
      })
    }
    fs.closeSync(fd)
    const message = `${this.name}: expected a regular file, got another thing.`
    throw new NallocError('ERR_IO', message, {
      hint: 'Pipes are read from stdin: name the trace -.',
    })
  }

  async *#unpacked(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const gunzip = createGunzip({ chunkSize: PIECE_BYTES })
    // What fails there fails below too.
    pipeline(bytes, gunzip, () => undefined)
    try {
      yield* gunzip as AsyncIterable<Uint8Array>
    } catch (error) {
      if (codeOf(error) !== 'Z_BUF_ERROR') throw error
      this.#isCutOff = true
    }
  }

  #refusal(error: unknown): Error {
    if (error instanceof NallocError) return error
    const reason = error instanceof Error ? error.message : String(error)
    const details = { file: this.name }
    if (String(codeOf(error)).startsWith('Z_')) {
      const message = `${this.name}: expected a gzip file, got a damaged one (${reason}).`
      return new NallocError('ERR_BAD_HEADER', message, { hint: 'Copy it again.', details })
    }
    const message = `${this.name}: expected a readable file, got "${reason}".`
    return new NallocError('ERR_IO', message, { details, cause: error })
  }
}

/** The first bytes, START_BYTES of them if there are as many, and all bytes. */
async function begun(
  bytes: AsyncIterable<Uint8Array>,
): Promise<readonly [start: Uint8Array, all: AsyncIterable<Uint8Array>]> {
  const iterator = bytes[Symbol.asyncIterator]()
  let start: Uint8Array = new Uint8Array(0)
  while (start.length < START_BYTES) {
    const { value, done } = await iterator.next()
    if (done) break
    start = start.length === 0 ? value : Buffer.concat([start, value])
  }
  return [start, startedWith(start, iterator)]
}

async function* startedWith(
  start: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (start.length > 0) yield start
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      yield next.value
    }
  } finally {
    // Closes the file also when nobody wants the rest.
    await iterator.return?.()
  }
}
