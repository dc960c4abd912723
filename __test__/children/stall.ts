// Takes memory back while one of zlib's streams has a view of it in hand and waits for its reader,
// and prints what became of it as JSON: everything true. Arguments: what the stream does, and how
// the view ends. One way per process: it is the process that must not die.

import { createRequire } from 'node:module'
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'
import { Arena, type NallocError, SecretBuf } from 'nalloc'
import { randomWords } from '../_random.ts'

const MIB = 2 ** 20
const TURNS_MAX = 200
/** What no compression makes small: a stream fills its buffers with it, in whichever direction. */
const NOISE = noise()

/** One of zlib's streams. */
interface Kind {
  readonly make: () => Transform
  /** What is written to it, that stands for the noise. */
  readonly input: Buffer
  /** The noise again, from what it gives. */
  readonly restore: (output: Buffer) => Buffer
}

/** From Node 22.15 on. */
const { createZstdCompress, zstdDecompressSync } = zlib as {
  createZstdCompress?: () => Transform
  zstdDecompressSync?: (packed: Buffer) => Buffer
}
const BROTLI = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }

function compression(make: () => Transform, restore: (output: Buffer) => Buffer): () => Kind {
  return () => ({ make, input: NOISE, restore })
}

function decompression(make: () => Transform, pack: (noise: Buffer) => Buffer): () => Kind {
  return () => ({ make, input: pack(NOISE), restore: (output) => output })
}

const kinds: Readonly<Record<string, () => Kind>> = {
  deflate: compression(zlib.createDeflate, zlib.inflateSync),
  deflateRaw: compression(zlib.createDeflateRaw, zlib.inflateRawSync),
  gzip: compression(zlib.createGzip, zlib.gunzipSync),
  brotli: compression(() => zlib.createBrotliCompress(BROTLI), zlib.brotliDecompressSync),
  inflate: decompression(zlib.createInflate, (noise) => zlib.deflateSync(noise)),
  gunzip: decompression(zlib.createGunzip, (noise) => zlib.gzipSync(noise)),
  unbrotli: decompression(zlib.createBrotliDecompress, (noise) =>
    zlib.brotliCompressSync(noise, BROTLI),
  ),
  ...(createZstdCompress !== undefined && zstdDecompressSync !== undefined
    ? { zstd: compression(createZstdCompress, zstdDecompressSync) }
    : {}),
}

function noise(): Buffer {
  const words = new Uint32Array(MIB / 4)
  const next = randomWords(11)
  for (let i = 0; i < words.length; i += 1) words[i] = next()
  return Buffer.from(words.buffer)
}

function codeOf(call: () => void): string {
  try {
    call()
    return 'none'
  } catch (error) {
    return (error as NallocError).code
  }
}

function isZero(view: Uint8Array): boolean {
  return view.every((byte) => byte === 0)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Until a stream that has been written to waits for its reader. */
async function stall(stream: Transform): Promise<void> {
  while (stream.readableLength < stream.readableHighWaterMark) await turn()
}

/** What a stream gives in the end, or its error. */
function drain(stream: Transform): Promise<Buffer | Error> {
  const parts: Buffer[] = []
  return new Promise((resolve) => {
    stream
      .on('data', (part) => parts.push(part))
      .once('end', () => resolve(Buffer.concat(parts)))
      .once('error', resolve)
  })
}

function viewOf(arena: Arena, bytes: Uint8Array): Uint8Array {
  const view = arena.alloc('u8', bytes.length)
  view.set(bytes)
  return view
}

/** Refused until the stream has given everything. */
async function takeBack({ make, input, restore }: Kind, end: 'reset' | 'wipe'): Promise<unknown> {
  // There before any view is, and so before nalloc begins to look.
  const stream = make()
  const arena = new Arena(4 * MIB)
  const view = viewOf(arena, input)
  stream.write(view)
  await stall(stream)
  const codes = [codeOf(() => arena[end]()), codeOf(() => arena[end]({ inFlight: 'awaited' }))]
  const isRefused = codes.every((code) => code === 'ERR_BUSY')
  stream.end()
  const output = await drain(stream)
  const isWhole = Buffer.isBuffer(output) && restore(output).equals(NOISE)
  const isDone = codeOf(() => arena[end]()) === 'none' && view.length === 0
  return { isRefused, isWhole, isDone }
}

/** The stream goes on with zeros, or fails by its own error. */
async function dispose({ make, input }: Kind): Promise<unknown> {
  const stream = make()
  const arena = new Arena(4 * MIB)
  const view = viewOf(arena, input)
  stream.write(view)
  await stall(stream)
  const isDisposed = codeOf(() => arena.dispose()) === 'none'
  const areZeros = view.length === input.length && isZero(view)
  stream.end()
  const isOver = (await drain(stream)) !== undefined
  return { isDisposed, areZeros, isOver }
}

/** As `dispose`, of the view of a secret whose callback ends meanwhile. */
async function withBytes({ make, input }: Kind, isAsync: boolean): Promise<unknown> {
  const stream = make()
  const secret = SecretBuf.adopt(Uint8Array.from(input))
  const write = (bytes: Uint8Array): Uint8Array => {
    stream.write(bytes)
    return bytes
  }
  const stalled = async (bytes: Uint8Array): Promise<Uint8Array> => {
    write(bytes)
    await stall(stream)
    return bytes
  }
  const view = isAsync ? await secret.withBytesAsync(stalled) : secret.withBytes(write)
  const areZeros = view.length === input.length && isZero(view)
  const isWhole = secret.equals(input)
  secret.dispose()
  stream.end()
  const isOver = (await drain(stream)) !== undefined
  return { areZeros, isWhole, isOver }
}

/** Somebody else takes the buffer of a view that a stream has in hand: the stream's own error. */
async function steal({ make, input }: Kind, isAtWork: boolean): Promise<unknown> {
  const stream = make()
  const arena = new Arena(4 * MIB)
  const view = viewOf(arena, input)
  stream.end(view)
  if (!isAtWork) await stall(stream)
  const drained = new Promise<unknown>((resolve) => {
    drain(stream).then(resolve)
    // Deno's zlib throws where nobody has called it.
    if ('deno' in process.versions) process.once('uncaughtException', resolve)
  })
  const thief = new ReadableStream({
    type: 'bytes',
    start: (controller) => controller.enqueue(view as Uint8Array<ArrayBuffer>),
  })
  const { code } = (await drained) as { code?: string }
  // In Deno it has the view in hand still.
  stream.destroy()
  const isDone = codeOf(() => arena.reset({ inFlight: 'awaited' })) === 'none'
  const { value } = await thief.getReader().read()
  return { code, isDone, areZeros: value !== undefined && isZero(value), length: view.length }
}

/** A stream that is destroyed leaves its chunk. */
async function destroy({ make, input }: Kind): Promise<unknown> {
  const stream = make()
  const arena = new Arena(4 * MIB)
  const view = viewOf(arena, input)
  stream.write(view)
  await stall(stream)
  const isRefused = codeOf(() => arena.reset()) === 'ERR_BUSY'
  stream.destroy()
  const isDone = codeOf(() => arena.reset()) === 'none' && view.length === 0
  return { isRefused, isDone }
}

/** So does a stream that nobody has any more, once it is collected. */
async function drop({ make, input }: Kind): Promise<unknown> {
  const collect = (globalThis as { gc?: () => void }).gc
  if (collect === undefined) throw new Error('run with --expose-gc')
  const arena = new Arena(4 * MIB)
  const begin = async (): Promise<void> => {
    const stream = make()
    stream.write(viewOf(arena, input))
    await stall(stream)
  }
  await begin()
  const isRefused = codeOf(() => arena.reset()) === 'ERR_BUSY'
  let code = 'ERR_BUSY'
  for (let turns = 0; turns < TURNS_MAX && code !== 'none'; turns += 1) {
    // Whoever was asked for is kept until the end of a turn.
    await turn()
    collect()
    await turn()
    code = codeOf(() => arena.reset())
  }
  return { isRefused, isDone: code === 'none' }
}

/** A chunk that is refused, or has more than the stream wants, is done with as well. */
async function refuse({ make, input }: Kind): Promise<unknown> {
  const arena = new Arena(4 * MIB)
  const codes: string[] = []
  for (const bytes of [NOISE, Buffer.concat([input, NOISE])]) {
    const stream = make()
    stream.end(viewOf(arena, bytes))
    await drain(stream)
    // Node goes on with chunks of its own.
    codes.push(codeOf(() => arena.reset({ inFlight: 'awaited' })))
  }
  return { isDone: codes.every((code) => code === 'none') }
}

/** A view that waits behind another chunk is not in hand: it ends, and its stream when it comes to it. */
async function queue({ make }: Kind): Promise<unknown> {
  const stream = make()
  const arena = new Arena(4 * MIB)
  stream.write(NOISE)
  stream.write(viewOf(arena, NOISE))
  await stall(stream)
  const isReset = codeOf(() => arena.reset()) === 'none'
  stream.end()
  const { code } = (await drain(stream)) as { code?: string }
  return { isReset, code }
}

/** The method behind the streams that older packages call. */
async function processChunk({ make, input }: Kind): Promise<unknown> {
  type Older = Transform & {
    _processChunk(chunk: Uint8Array, flush: number, done: () => void): void
  }
  const stream = make() as Older
  const arena = new Arena(4 * MIB)
  const view = viewOf(arena, input)
  const done = new Promise<void>((resolve) => {
    stream._processChunk(view, zlib.constants.Z_FINISH, resolve)
  })
  await stall(stream)
  const isRefused = codeOf(() => arena.reset({ inFlight: 'awaited' })) === 'ERR_BUSY'
  stream.resume()
  await done
  const isDone = codeOf(() => arena.reset()) === 'none' && view.length === 0
  return { isRefused, isDone }
}

/** The streams of the web, which in Node are made of zlib's; elsewhere they have copies. */
async function web(): Promise<unknown> {
  const arena = new Arena(4 * MIB)
  const view = viewOf(arena, NOISE)
  const { readable, writable } = new CompressionStream('gzip')
  const writer = writable.getWriter()
  const written = writer.write(view as Uint8Array<ArrayBuffer>).then(() => writer.close())
  const reader = readable.getReader()
  const parts: Uint8Array[] = []
  const read = async (): Promise<boolean> => {
    const { value, done } = await reader.read()
    if (value !== undefined) parts.push(value)
    return !done
  }
  await read()
  for (let turns = 0; turns < TURNS_MAX; turns += 1) await turn()
  const code = codeOf(() => arena.reset({ inFlight: 'awaited' }))
  while (await read());
  await written
  const isWhole = zlib.gunzipSync(Buffer.concat(parts)).equals(NOISE)
  const isDone = codeOf(() => arena.reset()) === 'none' && view.length === 0
  return { code, isWhole, isDone }
}

/** Two instances of nalloc in one thread, as a test runner makes them, change zlib once. */
async function loadTwice({ make, input }: Kind): Promise<unknown> {
  new Arena(MIB).alloc('u8', 1)
  const take = zlib.Deflate.prototype._transform
  const load = createRequire(__filename)
  for (const file of Object.keys(load.cache)) {
    if (file.includes('/dist/')) Reflect.deleteProperty(load.cache, file)
  }
  const other: { readonly Arena: typeof Arena } = load('nalloc')
  const isOther = other.Arena !== Arena
  const arena = new other.Arena(4 * MIB)
  const stream = make()
  stream.write(viewOf(arena, input))
  await stall(stream)
  const isRefused = codeOf(() => arena.reset()) === 'ERR_BUSY'
  return { isOther, isRefused, isOnce: zlib.Deflate.prototype._transform === take }
}

/** Streams that somebody has frozen cannot be looked at. */
async function freeze(): Promise<unknown> {
  let frozen: object = zlib.BrotliCompress.prototype
  while (!Object.hasOwn(frozen, '_transform')) frozen = Object.getPrototypeOf(frozen)
  Object.freeze(frozen)
  const arena = new Arena(MIB)
  const secret = SecretBuf.random(32)
  const codes = [
    codeOf(() => arena.alloc('u8', 1)),
    codeOf(() => arena.alloc('u8', 1)),
    codeOf(() => secret.withBytes(() => 1)),
  ]
  return { isRefused: codes.every((code) => code === 'ERR_PLATFORM') }
}

const ends: Readonly<Record<string, (kind: Kind) => Promise<unknown>>> = {
  reset: (kind) => takeBack(kind, 'reset'),
  wipe: (kind) => takeBack(kind, 'wipe'),
  dispose,
  withBytes: (kind) => withBytes(kind, false),
  withBytesAsync: (kind) => withBytes(kind, true),
  steal: (kind) => steal(kind, false),
  stealAtWork: (kind) => steal(kind, true),
  destroy,
  drop,
  refuse,
  queue,
  processChunk,
  web,
  loadTwice,
  freeze,
}

async function main([name = '', end = '']: readonly string[]): Promise<void> {
  const kind = kinds[name]?.()
  const result = kind === undefined ? { isAbsent: true } : await ends[end]?.(kind)
  process.stdout.write(JSON.stringify(result))
}

main(process.argv.slice(2))
