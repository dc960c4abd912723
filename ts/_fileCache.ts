// Keeps what was opened from files open, for callers that come with paths and not with handles.
//
// Owns the question whether a file is still the one that was opened: device, inode, size, time of
// change and time of modification are those of the opening, and the file had rested before it was
// opened. Owns who shares an opening: callers that come while it runs and want it the same way.
// Promises that a value is disposed after its last use and not before, that a failure is not kept,
// that neither an abort nor a throwing callback of one caller reaches another, and that no timer
// exists: the cache never keeps the process alive.

import type { BigIntStats } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import { Call } from './_call.ts'
import type { AbortSignalLike, Progress } from './options.ts'

/** A file that was written this short before it was opened may be written again unnoticed. */
const REST_MS_MIN = 2000 // The coarsest time stamps that are in use, those of FAT.

/** What a cache may keep. @internal */
export interface CacheLimits {
  readonly filesMax: number
  /** Lengths of the files together. */
  readonly bytesMax: () => number
}

/** How a caller wants a file opened. @internal */
export interface Opening<T> {
  readonly path: string
  /** Callers with the same text may share an opening while it runs. */
  readonly settings: string
  readonly open: (call: Call) => Promise<T>
  /** Whether a value that somebody else had opened will do. */
  readonly accepts: (value: T) => boolean
}

/** One user's call, as far as it waits for an opening. @internal */
export interface Waiter {
  readonly call: Call
  readonly signal: AbortSignalLike | undefined
}

/** @internal */
export class FileCache<T> {
  readonly #limits: CacheLimits
  readonly #dispose: (value: T) => void
  /** By absolute path; the least recently used is first. */
  readonly #entries = new Map<string, Entry<T>>()

  constructor(limits: CacheLimits, dispose: (value: T) => void) {
    this.#limits = limits
    this.#dispose = dispose
  }

  /** How many files are open. */
  get size(): number {
    return this.#entries.size
  }

  /** Their lengths together. */
  get bytes(): number {
    return [...this.#entries.values()].reduce((sum, entry) => sum + entry.bytes, 0)
  }

  /** Hands `work` the file's value, opened now or before; the value is alive until it settles. */
  async use<R>(opening: Opening<T>, waiter: Waiter, work: (value: T) => Promise<R>): Promise<R> {
    const calledMs = performance.now()
    const absolute = path.resolve(opening.path)
    const file = await identify(absolute, calledMs)
    waiter.call.throwIfAborted()
    // From here to the first await nobody else runs: callers that come together find one entry.
    const entry = file && this.#entryFor(absolute, file, opening)
    if (entry === undefined) return this.#useAlone(opening, waiter, work)
    entry.users += 1
    try {
      return await work(await entry.wait(waiter))
    } finally {
      entry.users -= 1
      if (entry.isFailed || entry.isAbandoned) this.#drop(absolute, entry)
      this.#trim()
      this.#disposeUnused(entry)
    }
  }

  /** Drops every file; those in use are disposed after their last use. */
  clear(): void {
    for (const [absolute, entry] of this.#entries) this.#drop(absolute, entry)
  }

  /** The entry to use, made when there is none; undefined when the caller needs its own opening. */
  #entryFor(absolute: string, file: File, opening: Opening<T>): Entry<T> | undefined {
    const found = this.#entries.get(absolute)
    if (found?.isOf(file)) {
      if (!found.suits(opening)) return undefined
      this.#entries.delete(absolute)
      this.#entries.set(absolute, found)
      return found
    }
    if (found) this.#drop(absolute, found)
    const entry = new Entry(file, opening, () => this.#disposeUnused(entry))
    this.#entries.set(absolute, entry)
    return entry
  }

  async #useAlone<R>(
    opening: Opening<T>,
    { call }: Waiter,
    work: (value: T) => Promise<R>,
  ): Promise<R> {
    const value = await opening.open(call)
    try {
      return await work(value)
    } finally {
      this.#dispose(value)
    }
  }

  #trim(): void {
    const bytesMax = this.#limits.bytesMax()
    for (const [absolute, entry] of this.#entries) {
      // One that is too large by itself must not push the others out.
      if (entry.bytes > bytesMax) this.#drop(absolute, entry)
    }
    for (const [absolute, entry] of this.#entries) {
      if (this.size <= this.#limits.filesMax && this.bytes <= bytesMax) return
      this.#drop(absolute, entry)
    }
  }

  #drop(absolute: string, entry: Entry<T>): void {
    if (this.#entries.get(absolute) === entry) this.#entries.delete(absolute)
    entry.isDropped = true
    this.#disposeUnused(entry)
  }

  #disposeUnused(entry: Entry<T>): void {
    if (!entry.isDropped || entry.users > 0 || entry.value === undefined) return
    this.#dispose(entry.value)
    entry.value = undefined
  }
}

/** One file, from the start of its opening to its disposal. */
class Entry<T> {
  /** Calls that wait for the value or use it. */
  users = 0
  /** True when no new call can find it. */
  isDropped = false
  isFailed = false
  /** What was opened, once it is. */
  value: T | undefined
  readonly bytes: number
  readonly #identity: string
  readonly #settings: string
  readonly #hadRested: boolean
  readonly #openedMs = performance.now()
  readonly #waiters = new Set<Waiting>()
  readonly #abort = new AbortController()
  readonly #opened: Promise<T>

  constructor(file: File, opening: Opening<T>, onOpened: () => void) {
    this.bytes = file.bytes
    this.#identity = file.identity
    this.#settings = opening.settings
    this.#hadRested = Date.now() - file.mtimeMs > REST_MS_MIN
    this.#opened = this.#open(opening)
    // Each waiter hears of a failure. A value that comes after the last one went is for nobody.
    this.#opened.then(onOpened, () => undefined)
  }

  /** True when everybody who waited has gone before the end. */
  get isAbandoned(): boolean {
    return this.#abort.signal.aborted
  }

  /** Whether this is the file as it was when the caller came. */
  isOf({ identity, calledMs }: File): boolean {
    if (this.isFailed || this.isAbandoned) return false
    const isNew = this.value === undefined || calledMs <= this.#openedMs
    return identity === this.#identity && (this.#hadRested || isNew)
  }

  suits(opening: Opening<T>): boolean {
    if (this.value === undefined) return opening.settings === this.#settings
    return opening.accepts(this.value)
  }

  /** The value, or what ends this caller's wait: its own abort, or the failure. */
  async wait({ call, signal }: Waiter): Promise<T> {
    if (this.value !== undefined) return this.value
    const { promise, reject } = rejection()
    const waiting: Waiting = { call, reject }
    const onAbort = () => capture(() => call.throwIfAborted(), reject)
    this.#waiters.add(waiting)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([this.#opened, promise])
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#waiters.delete(waiting)
      const isOver = this.value !== undefined || this.isFailed
      if (this.#waiters.size === 0 && !isOver) this.#abort.abort()
    }
  }

  async #open({ open }: Opening<T>): Promise<T> {
    try {
      const onProgress = (progress: Progress) => this.#report(progress)
      this.value = await open(new Call({ signal: this.#abort.signal, onProgress }))
      return this.value
    } catch (error) {
      this.isFailed = true
      throw error
    }
  }

  #report({ phase, ratio }: Progress): void {
    for (const { call, reject } of this.#waiters) {
      capture(() => call.report(phase, ratio), reject)
    }
  }
}

interface Waiting {
  readonly call: Call
  readonly reject: (error: unknown) => void
}

/** A file as a caller found it. */
interface File {
  /** What tells one content from another. */
  readonly identity: string
  readonly bytes: number
  readonly mtimeMs: number
  readonly calledMs: number
}

/** Undefined for what cannot be kept: opening it says why, or reads it every time. */
async function identify(absolute: string, calledMs: number): Promise<File | undefined> {
  let stats: BigIntStats
  try {
    stats = await fs.stat(absolute, { bigint: true })
  } catch {
    return undefined
  }
  if (!stats.isFile()) return undefined
  const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs } = stats
  const identity = [dev, ino, size, mtimeNs, ctimeNs].join(' ')
  return { identity, bytes: Number(size), mtimeMs: Number(mtimeMs), calledMs }
}

function rejection(): { promise: Promise<never>; reject: (error: unknown) => void } {
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<never>((_, rejectPromise) => {
    reject = rejectPromise
  })
  promise.catch(() => undefined)
  return { promise, reject }
}

function capture(work: () => void, onError: (error: unknown) => void): void {
  try {
    work()
  } catch (error) {
    onError(error)
  }
}
