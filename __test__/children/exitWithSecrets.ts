// Holds secrets, and bytes that are none, says "held" and its process id, and ends as its argument
// says when it is told to by a signal. With `worker` a worker holds them, and ends alone.

import { parentPort, Worker } from 'node:worker_threads'
import { Arena, SecretBuf } from 'nalloc'
import { NEEDLES, writeNeedle } from '../_needles.ts'

/** Too long for memfd_secret, where nobody could look. */
const SECRET_BYTES = 100_000
const EXIT_CODE = 7

/** What keeps the process until one of these ends it. */
const waiting = setInterval(() => {}, 60_000)

const WAYS: Readonly<Record<string, () => void>> = {
  end: () => clearInterval(waiting),
  exit: () => process.exit(EXIT_CODE),
  throw: () => {
    throw new Error('meant')
  },
  handler: () => {
    process.on('SIGTERM', () => process.exit(EXIT_CODE))
    process.kill(process.pid, 'SIGTERM')
  },
}

function hold(): unknown[] {
  const [plainNeedle, sealedNeedle, openNeedle, arenaNeedle] = NEEDLES
  const plain = Buffer.allocUnsafeSlow(SECRET_BYTES)
  writeNeedle(plain, plainNeedle)
  const sealed = new SecretBuf(SECRET_BYTES)
  sealed.withBytes((bytes) => writeNeedle(bytes, sealedNeedle), { write: true })
  const open = new SecretBuf(SECRET_BYTES)
  const opening = open.withBytesAsync((bytes) => {
    writeNeedle(bytes, openNeedle)
    return new Promise(() => {})
  })
  const arena = new Arena('64M', { secret: true })
  arena.alloc('u8', 2 ** 25)
  writeNeedle(arena.alloc('u8', SECRET_BYTES), arenaNeedle)
  return [plain, sealed, open, opening, arena]
}

/** Says what has happened. */
function say(what: string): void {
  process.stdout.write(`${what} ${process.pid}\n`)
}

/** Holds the secrets in a worker that ends alone. */
function mainOfWorker(): void {
  const worker = new Worker(__filename)
  worker.once('message', say)
  process.once('SIGUSR2', async () => {
    await worker.terminate()
    say('ended')
  })
}

/** Holds them for as long as the worker lives. */
function inWorker(): void {
  const held = hold()
  parentPort?.on('message', () => held.length)
  parentPort?.postMessage('held')
}

function main(way: string): void {
  const held = hold()
  process.once('SIGUSR2', () => WAYS[way]?.())
  process.on('exit', () => held.length)
  say('held')
}

const [, , way = ''] = process.argv
if (parentPort !== null) inWorker()
else if (way === 'worker') mainOfWorker()
else main(way)
