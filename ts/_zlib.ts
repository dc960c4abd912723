// Which of zlib's streams have a chunk of ours in hand.
//
// zlib goes back to its input when its output is full: at once, or when a reader has made room. If
// the view has ended by then, Node throws where nobody may be able to catch it, and Node 20 aborts.
// A request of libuv stands for zlib at work, but for a stream that waits for its reader nothing
// does. All of zlib's streams have one method, though, that is given a chunk and a callback for when
// the chunk is done: Transform's `_transform`, and an older one beside it. We wrap it where they
// share it, in Node 20 to 26, Bun and Deno alike, before anybody can have a view; so streams that
// are there already are seen too. A chunk of anybody else's costs one lookup: 22 to 34 ns, beside
// some microseconds of zlib's (Node 24 and 20, AMD EPYC (Zen 5), November 2026).
//
// A chunk that waits behind another one is not in hand, and somebody may take the buffer of one that
// is. So a stream looks before it begins with a view, and before it goes back to it, and fails by its
// own error if that has ended; otherwise it might never end, or throw, or abort.

import type { Transform } from 'node:stream'
import { NallocError, wrongValue } from './errors.ts'

/** Takes a chunk, and a function to be called when it is done; without one it is done at once. */
type Take = (this: Transform, chunk: unknown, other: unknown, done: unknown) => unknown
/** From a buffer to who wants to know of streams that take a chunk of it. */
type Registry = WeakMap<ArrayBufferLike, Pick<Holders, 'add'>>

const TAKES = ['_transform', '_processChunk'] as const
/** Where a wrapped method has its registry, for other instances of this module: test runners load
 * one for each file of tests, and zlib once. */
const REGISTRY = Symbol.for('nalloc.zlib.registry')
const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect

let registry: Registry = new WeakMap()
let areFollowed = false

/** The streams that have a chunk in hand of the buffers that were watched for them. @internal */
export class Holders {
  readonly #streams = new Set<WeakRef<Transform>>()

  /** How many there are. One that was destroyed, or that nobody has, never goes on. */
  get count(): number {
    for (const reference of this.#streams) {
      if (reference.deref()?.destroyed !== false) this.#streams.delete(reference)
    }
    return this.#streams.size
  }

  /** From now on until the function that it returns is called. */
  add(stream: Transform): () => void {
    const reference = new WeakRef(stream)
    this.#streams.add(reference)
    return () => {
      this.#streams.delete(reference)
    }
  }
}

/** Counts streams that are given chunks of a buffer. They live as long as it does. @internal */
export function watch(buffer: ArrayBuffer, holders: Holders): void {
  registry.set(buffer, holders)
}

/** To be called before the first buffer is watched. Throws ERR_PLATFORM. @internal */
export function followStreams(): void {
  if (areFollowed) return
  const { Transform } = process.getBuiltinModule('node:stream')
  const prototypes = Object.values(process.getBuiltinModule('node:zlib'))
    .map((value) => (typeof value === 'function' ? (value.prototype as unknown) : undefined))
    .filter((prototype) => prototype instanceof Transform)
  for (const name of TAKES) {
    for (const owner of new Set(prototypes.map((prototype) => ownerOf(name, prototype)))) {
      if (owner !== null) follow(name, owner)
    }
  }
  areFollowed = true
}

/** The prototype that a class has a method from, if it has it. */
function ownerOf(name: string, prototype: object): object | null {
  let owner: object | null = prototype
  while (owner !== null && !Object.hasOwn(owner, name)) owner = getPrototypeOf(owner)
  return owner
}

function follow(name: string, owner: object): void {
  const descriptor = getOwnPropertyDescriptor(owner, name) as PropertyDescriptor
  const known: Registry | undefined = Reflect.get(descriptor.value, REGISTRY)
  if (known !== undefined) {
    registry = known
    return
  }
  const value = Object.assign(wrapped(descriptor.value, registry), { [REGISTRY]: registry })
  if (defineProperty(owner, name, { ...descriptor, value })) return
  const message = 'zlib: expected streams whose methods can be replaced, got frozen ones.'
  throw new NallocError('ERR_PLATFORM', message, {
    hint: 'Call Arena.alloc or SecretBuf.withBytes once before they are frozen.',
  })
}

/** A `take` that tells who wants to know. */
function wrapped(take: Take, listeners: Registry): Take {
  return function (this: Transform, chunk, other, done) {
    const holders = ArrayBuffer.isView(chunk) ? listeners.get(chunk.buffer) : undefined
    if (holders === undefined || typeof done !== 'function') {
      return apply(take, this, [chunk, other, done])
    }
    if (hasEnded(chunk)) return done(ended())
    const release = holders.add(this)
    const unguard = guard(this)
    const releaseAndDone = function (this: unknown, ...results: unknown[]): void {
      release()
      unguard()
      apply(done, this, results)
    }
    return apply(take, this, [chunk, other, releaseAndDone])
  }
}

/** Lets the stream's handle look at its input each time; until the function is called. */
function guard(stream: Transform): () => void {
  const { _handle: handle } = stream as { _handle?: { write?: unknown } | null }
  const write = handle?.write
  if (handle === undefined || handle === null || typeof write !== 'function') return () => {}
  handle.write = function (this: unknown, ...args: unknown[]): unknown {
    if (hasEnded(args[1])) return stream.destroy(ended())
    return apply(write, this, args)
  }
  return () => {
    handle.write = write
  }
}

/** Panes are not empty, unless they were moved. */
function hasEnded(view: unknown): boolean {
  return ArrayBuffer.isView(view) && view.buffer.byteLength === 0
}

function ended(): Error {
  return wrongValue('chunk', 'a view that has not ended', 'one that has')
}
