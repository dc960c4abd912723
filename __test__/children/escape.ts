// Takes the buffer of an arena or a secret away in one of the ways that JavaScript has, and prints
// what became of it as JSON. One way per process: it is the process that must not die.

import { AsyncResource } from 'node:async_hooks'
import { execFileSync } from 'node:child_process'
import { randomFill } from 'node:crypto'
import fs from 'node:fs'
import { runInNewContext } from 'node:vm'
import workers, { Worker } from 'node:worker_threads'
import zlib from 'node:zlib'
import { Arena, type NallocError, SecretBuf, stats } from 'nalloc'
import { randomWords } from '../_random.ts'

const MIB = 2 ** 20
const FILL = 0x5a
const OTHERS = 0x77
const TURNS_MAX = 200
const ABANDONED = 12_000
const KINDS = ['u8', 'u32', 'i32', 'u64', 'i64', 'f64'] as const

type Moved = ArrayBuffer & {
  transfer(byteLength?: number): ArrayBuffer
  transferToFixedLength(): ArrayBuffer
}

/** Takes the buffer of a view; returns a view of its own over the same bytes, or none. */
type Theft = (view: Uint8Array<ArrayBuffer>) => Promise<Uint8Array | undefined>

const thefts: Readonly<Record<string, Theft>> = {
  transfer: async ({ buffer }) => new Uint8Array((buffer as Moved).transfer()),
  transferToFixedLength: async ({ buffer }) =>
    new Uint8Array((buffer as Moved).transferToFixedLength()),
  structuredClone: async ({ buffer }) =>
    new Uint8Array(structuredClone(buffer, { transfer: [buffer] })),
  markAsUntransferable: async (view) => {
    workers.markAsUntransferable(view.buffer)
    return view
  },
  enqueue: async (view) => {
    const stream = new ReadableStream({
      type: 'bytes',
      start: (controller) => controller.enqueue(view),
    })
    const { value } = await stream.getReader().read()
    return value
  },
  byob: async (view) => {
    const stream = new ReadableStream({
      type: 'bytes',
      pull: ({ byobRequest }) => byobRequest?.respond(8),
    })
    const { value } = await stream.getReader({ mode: 'byob' }).read(view)
    return value === undefined ? undefined : new Uint8Array(value.buffer)
  },
  worker: async ({ buffer }) => {
    const program = `require('node:worker_threads').parentPort.once('message', (bytes) => {
      require('node:worker_threads').parentPort.postMessage(bytes, [bytes])
    })`
    const worker = new Worker(program, { eval: true })
    const answer = new Promise<ArrayBuffer>((resolve, reject) => {
      worker.once('message', resolve).once('error', reject)
    })
    worker.postMessage(buffer, [buffer])
    const bytes = new Uint8Array(await answer)
    await worker.terminate()
    return bytes
  },
}

/** Absent for a view that has ended. */
function isAll(value: number, bytes: Uint8Array | undefined): boolean | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined
  return bytes.every((byte) => byte === value)
}

function fill(value: number, bytes: Uint8Array | undefined): void {
  if (bytes !== undefined && bytes.length > 0) bytes.fill(value)
}

async function stealFromArena(theft: Theft): Promise<unknown> {
  const arena = new Arena(2 * MIB)
  const view = arena.alloc('u8', MIB)
  view.fill(FILL)
  const other = arena.alloc('u8', 100).fill(OTHERS)
  const stolen = await theft(view)

  arena.reset()
  const next = arena.alloc('u8', MIB)
  const isFresh = isAll(0, next)
  next.fill(OTHERS)
  const isStolenZero = isAll(0, stolen)
  fill(FILL, stolen)
  const isNextWhole = isAll(OTHERS, next)
  const { escapes } = stats()
  // What cannot be ended is zero; then it is the thief's view too.
  const isEnded = (stolen === view && view.length > 0) || view.length + other.length === 0
  arena.dispose()
  return { isFresh, isStolenZero, isNextWhole, isEnded, escapes, length: next.length }
}

async function stealFromSecret(theft: Theft): Promise<unknown> {
  const secret = new SecretBuf(4096)
  secret.withBytes((bytes) => bytes.fill(FILL), { write: true })
  const stolen = await secret.withBytesAsync((view) => theft(view as Uint8Array<ArrayBuffer>))

  const isStolenZero = isAll(0, stolen)
  fill(OTHERS, stolen)
  const expected = new Uint8Array(4096).fill(FILL)
  const isWhole = secret.equals(expected)
  const isSeenWhole = secret.withBytes((bytes) => bytes.every((byte) => byte === FILL))
  const isStillMine = isAll(OTHERS, stolen)
  secret.dispose()
  return { isStolenZero, isWhole, isSeenWhole, isStillMine, escapes: stats().escapes }
}

/** Views of every kind, and what their lengths are after a reset, and after a dispose. */
async function endViews(): Promise<unknown> {
  const views = (
    arena: Arena,
  ): readonly { readonly length?: number; readonly byteLength: number }[] => {
    const view = arena.alloc('u8', 1000)
    const { buffer } = view
    const realm = runInNewContext('[new Uint8Array(buffer), new Float64Array(buffer, 8, 9)]', {
      buffer,
    }) as readonly Uint8Array[]
    const kinds = KINDS.map((kind) => arena.alloc(kind, 9))
    return [view, view.subarray(1), Buffer.from(buffer, 1, 9), buffer, ...realm, ...kinds]
  }
  const lengthOfData = (view: DataView): unknown => {
    try {
      return view.byteLength
    } catch (error) {
      return (error as Error).name
    }
  }
  const arena = new Arena(MIB)
  const ended = (['reset', 'dispose'] as const).map((end) => {
    const all = views(arena)
    const data = new DataView(arena.alloc('u8', 9).buffer)
    const isShown = all.every(({ byteLength }) => byteLength > 0)
    arena[end]()
    const isEnded = all.every(({ byteLength, length = 0 }) => byteLength === 0 && length === 0)
    return isShown && isEnded && lengthOfData(data) === 'TypeError'
  })
  return { isEndedByReset: ended[0], isEndedByDispose: ended[1] }
}

/** An arena whose buffer is gone hands out fresh memory, also before a reset. */
async function allocateAfterTheft(theft: Theft): Promise<unknown> {
  const arena = new Arena(2 * MIB)
  const view = arena.alloc('u8', MIB)
  view.fill(FILL)
  const stolen = await theft(view)
  const next = arena.alloc('u8', 1000)
  const isFresh = isAll(0, next)
  next.fill(OTHERS)
  return {
    isFresh,
    isStolenZero: isAll(0, stolen),
    usedBytes: arena.usedBytes,
    escapes: stats().escapes,
  }
}

/** A worker makes an arena, moves its buffer to the main thread and ends. */
async function launder(): Promise<unknown> {
  const program = `
    const { Arena } = require('nalloc')
    const { parentPort } = require('node:worker_threads')
    const view = new Arena('1M').alloc('u8', 1000)
    view.fill(${FILL})
    let { buffer } = view
    if (buffer.transfer) buffer = buffer.transfer()
    parentPort.postMessage(buffer, buffer.transfer ? [buffer] : [])
  `
  const worker = new Worker(program, { eval: true })
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  const buffer = await new Promise<ArrayBuffer>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
  })
  await ended
  const bytes = new Uint8Array(buffer)
  const values = [...new Set(bytes)].sort()
  bytes.fill(1)
  return { values, last: bytes.at(-1) }
}

/** Work of libuv's threads, and how it ends. */
class Work {
  readonly #folder = fs.mkdtempSync('/tmp/nalloc-')
  readonly #file = fs.openSync(`${this.#folder}/x`, 'w+')
  readonly outcomes: string[] = []

  constructor() {
    fs.writeSync(this.#file, Buffer.alloc(8 * MIB, FILL))
    // Deno's zlib throws when it goes on with a view that has ended; nothing else may.
    if ('deno' in process.versions) {
      process.on('uncaughtException', (error) => this.#end('zlib', error))
    }
  }

  /** Right is what inflates to what the view holds at its end. */
  deflate(view: Uint8Array): void {
    zlib.deflate(view, (error, packed) => {
      const isWhole = error === null && zlib.inflateSync(packed).equals(view)
      this.#end(isWhole ? 'zlib' : 'zlib of other bytes', error)
    })
  }

  write(view: Uint8Array): void {
    fs.write(this.#file, view, (error) => this.#end('write', error))
  }

  read(view: Uint8Array): void {
    fs.read(this.#file, view, 0, view.length, 0, (error) => this.#end('read', error))
  }

  append(view: Uint8Array): void {
    const writing = fs.promises.writeFile(`${this.#folder}/y`, view)
    writing.then(
      () => this.#end('append', null),
      (error) => this.#end('append', error),
    )
  }

  async ended(count: number): Promise<readonly string[]> {
    while (this.outcomes.length < count) await new Promise((next) => setImmediate(next))
    fs.closeSync(this.#file)
    fs.rmSync(this.#folder, { recursive: true })
    return this.outcomes.sort()
  }

  #end(name: string, error: Error | null): void {
    const { code } = (error ?? {}) as { code?: string }
    this.outcomes.push(code === undefined ? name : `${name} ${code}`)
  }
}

/** What no compression makes small: it goes on and on with its input. */
function fillWithNoise(view: Uint8Array): void {
  const words = new Uint32Array(view.buffer, view.byteOffset, view.length / 4)
  const next = randomWords(11)
  for (let i = 0; i < words.length; i += 1) words[i] = next()
}

function codeOf(call: () => void): string {
  try {
    call()
    return 'none'
  } catch (error) {
    return (error as NallocError).code
  }
}

function noisyViews(arena: Arena, count: number): Uint8Array<ArrayBuffer>[] {
  const views = Array.from({ length: count }, () => arena.alloc('u8', 8 * MIB))
  for (const view of views) fillWithNoise(view)
  return views
}

/** Views whose memory is taken back while others are at work on them. */
async function inFlight(end: 'reset' | 'wipe' | 'dispose'): Promise<unknown> {
  const arena = new Arena(64 * MIB)
  const views = noisyViews(arena, 4)
  const [one, two, three, four] = views as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const work = new Work()
  work.deflate(one)
  work.write(two)
  work.read(three)
  work.append(four)
  const code = codeOf(() => arena[end]())
  const isFresh = isAll(0, new Arena(8 * MIB).alloc('u8', 8 * MIB))
  const lengths = views.map(({ length }) => length)
  const isOneRight = isAll(0, one) === (end === 'dispose')
  const outcomes = await work.ended(4)
  arena[end]()
  const lastLengths = views.map(({ length }) => length)
  return { outcomes, isFresh, isOneRight, lengths, lastLengths, code, escapes: stats().escapes }
}

/** A reset that fs knows nothing of: what it reads goes to the same arena, never to another. */
async function fsInFlight(): Promise<unknown> {
  const arena = new Arena(64 * MIB)
  const others = new Arena(8 * MIB).alloc('u8', 8 * MIB).fill(OTHERS)
  const work = new Work()
  work.read(arena.alloc('u8', 8 * MIB))
  work.write(arena.alloc('u8', 8 * MIB))
  const code = codeOf(() => arena.reset())
  const next = arena.alloc('u8', 8 * MIB)
  const outcomes = await work.ended(2)
  const isOneOrOther = next.every((byte) => byte === 0 || byte === FILL)
  const isOthersWhole = isAll(OTHERS, others)
  const { escapes } = stats()
  return { code, length: next.length, outcomes, isOneOrOther, isOthersWhole, escapes }
}

/** A reset while crypto fills a view: refused, or crypto fills memory of its own. */
async function cryptoInFlight(): Promise<unknown> {
  const arena = new Arena(32 * MIB)
  const view = arena.alloc('u8', 16 * MIB)
  const filled = new Promise<string>((resolve) => {
    randomFill(view, (error) => resolve(error === null ? 'filled' : 'failed'))
    // Deno throws when it finds that the view has ended.
    if ('deno' in process.versions) process.once('uncaughtException', () => resolve('failed'))
  })
  const code = codeOf(() => arena.reset())
  const next = code === 'none' ? arena.alloc('u8', 16 * MIB) : undefined
  const outcome = await filled
  const isNextZero = next === undefined || isAll(0, next)
  return { code, outcome, isNextZero, last: codeOf(() => arena.reset()) }
}

/** A reset while zlib is at work, on what is not of the arena. */
async function foreignInFlight(): Promise<unknown> {
  const arena = new Arena(MIB)
  const view = arena.alloc('u8', 1000)
  const work = new Work()
  const foreign = new Uint8Array(8 * MIB)
  fillWithNoise(foreign)
  work.deflate(foreign)
  const codes = [
    codeOf(() => arena.reset()),
    codeOf(() => arena.wipe({ inFlight: 'unknown' })),
    codeOf(() => arena.wipe({ inFlight: 'awaited' })),
    codeOf(() => arena.reset({ inFlight: 'awaited' })),
  ]
  const { length } = view
  const unused = codeOf(() => new Arena(MIB).reset())
  return { codes, length, unused, outcomes: await work.ended(1) }
}

type Listener = (part: Uint8Array) => void

/** A reset by who reads what a compression of a view gives, between two parts of it. */
async function inListener(
  end: 'reset' | 'dispose',
  bind: (listener: Listener) => Listener = (listener) => listener,
): Promise<unknown> {
  const arena = new Arena(64 * MIB)
  const [view] = noisyViews(arena, 1)
  const codes = new Set<string>()
  let outBytes = 0
  const compression = zlib.createDeflate()
  const listener: Listener = (part) => {
    outBytes += part.length
    codes.add(codeOf(() => arena[end](end === 'reset' ? { inFlight: 'awaited' } : undefined)))
  }
  compression.on('data', bind(listener))
  const ended = new Promise((resolve) => compression.once('end', resolve))
  compression.end(view)
  await ended
  const isWhole = outBytes >= 8 * MIB
  return { codes: [...codes], isWhole, last: codeOf(() => arena.reset()) }
}

/** Workers that end, in one way or the other, while zlib and fs are at work on views. */
async function workersInFlight(): Promise<unknown> {
  const program = `
    const fs = require('node:fs')
    const zlib = require('node:zlib')
    const { Arena, SecretBuf } = require('nalloc')
    const { parentPort, workerData } = require('node:worker_threads')
    const arena = new Arena('64M', { secret: workerData.isSecret })
    const view = arena.alloc('u8', 2 ** 23)
    for (let i = 0; i < view.length; i += 1) view[i] = Math.imul(i, i >> 3) >> 7
    zlib.brotliCompress(view, () => {})
    new SecretBuf(2 ** 20).withBytes((bytes) => zlib.brotliCompress(bytes, () => {}))
    fs.write(fs.openSync('/dev/null', 'w'), view, () => {})
    if (workerData.end === 'dispose') arena.dispose()
    if (workerData.end === 'exit') process.exit()
    parentPort.postMessage('at work')
  `
  const ends = ['terminate', 'exit', 'dispose'].flatMap((end) =>
    [false, true].map(async (isSecret) => {
      const worker = new Worker(program, { eval: true, workerData: { end, isSecret } })
      worker.once('message', () => worker.terminate())
      await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
      return end
    }),
  )
  return { ends: await Promise.all(ends) }
}

/** Node 20 is going to abort. */
function leaveNoCore(): void {
  execFileSync('prlimit', ['--pid', `${process.pid}`, '--core=0'])
}

/** The same without any memory of ours: what Node does when zlib's input is taken away. */
async function plainInFlight(): Promise<unknown> {
  leaveNoCore()
  const view = new Uint8Array(8 * MIB)
  fillWithNoise(view)
  const ended = new Promise<Error | null>((resolve) => {
    process.once('uncaughtException', resolve)
    zlib.deflate(view, resolve)
  })
  // Kept: once it is collected, Node's zlib reads memory that is gone.
  const taken = structuredClone(view.buffer, { transfer: [view.buffer] })
  const { code } = ((await ended) ?? {}) as { code?: string }
  return { code, takenBytes: taken.byteLength }
}

/** As `plainInFlight`, of a compression that waits for its reader. */
async function plainUnderPressure(): Promise<unknown> {
  leaveNoCore()
  const view = new Uint8Array(MIB)
  fillWithNoise(view)
  const compression = zlib.createDeflate()
  compression.write(view)
  while (compression.readableLength < compression.readableHighWaterMark) {
    await new Promise((next) => setImmediate(next))
  }
  const taken = structuredClone(view.buffer, { transfer: [view.buffer] })
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => compression.once('error', resolve))
  compression.resume()
  const { code } = await failed
  return { code, takenBytes: taken.byteLength }
}

/** Work over the view of a secret, which ends before the work does. */
async function secretInFlight(): Promise<unknown> {
  const secret = new SecretBuf(8 * MIB)
  secret.withBytes(fillWithNoise, { write: true })
  const work = new Work()
  const view = secret.withBytes((bytes) => {
    work.deflate(bytes)
    work.write(bytes)
    return bytes
  })
  const isEnded = view.length === 0 || isAll(0, view)
  const isWhole = secret.withBytes((bytes) => isAll(0, bytes) === false)
  const later = await secret.withBytesAsync(async (bytes) => {
    work.deflate(bytes)
    return bytes
  })
  const isLaterEnded = later.length === 0 || isAll(0, later)
  secret.dispose()
  return {
    outcomes: (await work.ended(3)).map((outcome) => outcome.replace(' of other bytes', '')),
    isEnded,
    isLaterEnded,
    isWhole,
    escapes: stats().escapes,
  }
}

/** Views of a secret that are left to the collector, one after the other, by a server at work. */
async function abandoned(): Promise<unknown> {
  const foreign = new Uint8Array(MIB)
  fillWithNoise(foreign)
  let isServing = true
  const serve = (): void => {
    if (isServing) zlib.gzip(foreign, serve)
  }
  serve()
  serve()
  const secret = SecretBuf.random(32)
  const mappings = (): number => fs.readFileSync('/proc/self/maps', 'utf8').split('\n').length
  let most = 0
  for (let call = 0; call < ABANDONED; call += 1) {
    await secret.withBytesAsync(async (bytes) => bytes[0])
    if (call % 1000 !== 0) continue
    most = Math.max(most, mappings())
    await new Promise((resolve) => setImmediate(resolve))
  }
  isServing = false
  return { most, escapes: stats().escapes }
}

/** Arenas that nobody disposes: their views stay, and their addresses come back. */
async function forget(): Promise<unknown> {
  const collect = (globalThis as { gc?: () => void }).gc
  if (collect === undefined) throw new Error('run with --expose-gc')
  const kept = new Arena(MIB).alloc('u8', 1000).fill(FILL)
  const mapped = (): number =>
    Number(/^VmSize:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024
  const makeAndForget = (): void => {
    for (let i = 0; i < 64; i += 1) new Arena(64 * MIB).alloc('u8', 1000)
    for (let i = 0; i < 64; i += 1) {
      using arena = new Arena(64 * MIB)
      arena.alloc('u8', 1000)
    }
  }
  const before = mapped()
  makeAndForget()
  const during = mapped()
  let after = during
  for (let turn = 0; turn < TURNS_MAX && after > before + 512; turn += 1) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
    after = mapped()
  }
  const isKept = kept.every((byte) => byte === FILL)
  const isGrown = during >= before + 128 * 64
  return { isGrown, isBack: after <= before + 512, isKept, escapes: stats().escapes }
}

/** Whether secrets are zeros when listeners of 'exit' run that were added after nalloc was used. */
async function wipeAtExit(): Promise<unknown> {
  const secret = new SecretBuf(4096)
  secret.withBytes((bytes) => bytes.fill(FILL), { write: true })
  const open = SecretBuf.adopt(new Uint8Array(4096).fill(FILL))
  let lent: Uint8Array | undefined
  open.withBytesAsync((bytes) => {
    lent = bytes
    return new Promise(() => {})
  })
  const view = new Arena(MIB, { secret: true }).alloc('u8', 1000).fill(FILL)
  const isHeld = isAll(FILL, view) && isAll(FILL, lent) && !secret.equals(new Uint8Array(4096))
  process.once('exit', () => {
    const isWiped = isAll(0, view) && isAll(0, lent) && secret.equals(new Uint8Array(4096))
    fs.writeSync(1, JSON.stringify({ isWiped }))
  })
  return { isHeld }
}

const scenes: Readonly<Record<string, (theft: Theft) => Promise<unknown>>> = {
  endViews,
  arena: stealFromArena,
  secret: stealFromSecret,
  allocate: allocateAfterTheft,
  launder,
  inFlightReset: () => inFlight('reset'),
  inFlightWipe: () => inFlight('wipe'),
  inFlightDispose: () => inFlight('dispose'),
  fsInFlight,
  cryptoInFlight,
  foreignInFlight,
  inListenerReset: () => inListener('reset'),
  inBoundListenerReset: () => inListener('reset', (listener) => AsyncResource.bind(listener)),
  inListenerDispose: () => inListener('dispose'),
  workersInFlight,
  plainInFlight,
  plainUnderPressure,
  secretInFlight,
  abandoned,
  forget,
  wipeAtExit,
}

async function main([scene = '', theft = 'transfer']: readonly string[]): Promise<void> {
  const result = await scenes[scene]?.(thefts[theft] as Theft)
  process.stdout.write(JSON.stringify(result))
}

main(process.argv.slice(2))
