// All of stdin, in memory of its own that can be overwritten: it may be a witness.
//
// A stream of Node's leaves copies of what it read in memory that nobody can reach, and a read that
// waits in one of Node's threads cannot be interrupted. So a pipe is read through one buffer as it
// fills, and only what never waits, such as a file, by plain reads.

import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import { addAbortSignal } from 'node:stream'
import tty from 'node:tty'
import { promisify } from 'node:util'
import { NallocError } from '../errors.ts'

const STDIN = 0
/** As large as one buffer of Node can be on every supported version. */
const STDIN_BYTES_MAX = 2 ** 32 - 1
/** What a pipe holds on Linux, unless its writer has asked for more. */
const READ_BYTES = 2 ** 16

const read = promisify(fs.read)

/** Reads to the end, or rejects with the signal's reason. What is returned is the caller's. */
export async function readStdin(signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const take = (bytes: Uint8Array): void => {
    length += bytes.length
    if (length > STDIN_BYTES_MAX) {
      const message = `stdin: expected at most ${STDIN_BYTES_MAX} bytes, got more.`
      throw new NallocError('ERR_LIMIT', message, { hint: 'Name a file instead.' })
    }
    chunks.push(bytes.slice())
  }
  try {
    signal.throwIfAborted()
    const stats = fs.fstatSync(STDIN)
    if (stats.isFIFO() || stats.isSocket()) await readPipe(take, signal)
    else if (tty.isatty(STDIN)) await readTerminal(take, signal)
    else await readFile(take, signal)
    const all = new Uint8Array(length)
    let offset = 0
    for (const chunk of chunks) {
      all.set(chunk, offset)
      offset += chunk.length
    }
    return all
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw error
  } finally {
    for (const chunk of chunks) chunk.fill(0)
  }
}

async function readPipe(take: (bytes: Uint8Array) => void, signal: AbortSignal): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES)
  const callback = (length: number): boolean => {
    try {
      take(buffer.subarray(0, length))
    } catch (error) {
      socket.destroy(error as Error)
    }
    return true
  }
  const options: net.SocketConstructorOpts & net.ConnectOpts = {
    fd: STDIN,
    readable: true,
    writable: false,
    signal,
    onread: { buffer, callback },
  }
  const socket = new net.Socket(options)
  try {
    await once(socket, 'end')
  } finally {
    socket.destroy()
    buffer.fill(0)
  }
}

/** What somebody types or pastes. */
async function readTerminal(take: (bytes: Uint8Array) => void, signal: AbortSignal): Promise<void> {
  for await (const chunk of addAbortSignal(signal, process.stdin)) {
    take(chunk as Uint8Array)
    chunk.fill(0)
  }
}

async function readFile(take: (bytes: Uint8Array) => void, signal: AbortSignal): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES)
  try {
    for (;;) {
      const { bytesRead } = await read(STDIN, buffer, 0, READ_BYTES, null)
      signal.throwIfAborted()
      if (bytesRead === 0) return
      take(buffer.subarray(0, bytesRead))
    }
  } finally {
    buffer.fill(0)
  }
}
