// Memory that is handed out in views and taken back all at once.
//
// Windows, mappings of at most 1 GiB, lie one behind the other, and panes, buffers of some 32 MiB
// or of one large view, in each window; both are made when the last one is full. The cursor is a
// number in JavaScript, so an allocation is an addition and a view, without a call into native
// code. Bytes above the high-water mark have never been handed out and are zero.
//
// Why panes: V8 counts a buffer as so much memory as it is long, and begins to collect garbage when
// that number rises by 64 MiB. A buffer over a whole window would do so at every reset, and one over
// a larger view does.

import { callNative } from './_call.ts'
import { checkBoolean, checkInteger, checkOptions, checkSize, show } from './_check.ts'
import { elementBytesOf, type ViewKind, type ViewOf, viewOf } from './_view.ts'
import { isTaken, Window, type WindowUser } from './_window.ts'
import { NallocError, wrongType, wrongValue } from './errors.ts'
import { binding, type NativeArena } from './native.ts'
import type { AllocOptions, ArenaOptions, ResetOptions, Size } from './options.ts'

export type { ViewKind, ViewOf } from './_view.ts'

const CAPACITY_BYTES_MAX = 2 ** 40
const WINDOW_BYTES_MAX = 2 ** 30
/** Half of what V8 lets pass between two collections. */
const PANE_BYTES_MIN = 2 ** 25
/** The largest page of our targets, and so a multiple of all of them. */
const PAGE_BYTES_MAX = 2 ** 16
/** Alignment of a view whose caller asked for none: one cache line. */
const LINE_BYTES = 64
/** Views of this many bytes or more begin on a page of 4 KiB. */
const PAGED_BYTES_MIN = 2 ** 20
const PAGE_BYTES = 4096
/** Up to here a loop over words is faster than a second view and its `fill`: 36 against 47 ns for an
 * allocation of 64 bytes, Node 20, AMD EPYC (Zen 5) (`npm run bench:arena`, November 2026). */
const LOOPED_BYTES_MAX = 128
/** Why views cannot end now, and what to do. */
const BUSY: Readonly<Record<WindowUser, readonly [reason: string, hint: string]>> = {
  native: [
    'no native work that reads it, got some',
    'Await the promise of the call that was given its bytes.',
  ],
  stream: [
    'no stream of zlib that has one of its views in hand, got one',
    'Await its end, or destroy it.',
  ],
  requests: [
    'no work of zlib, crypto or addons in this thread, perhaps on its views, got some',
    "Await what has a view; if nothing has, say so: { inFlight: 'awaited' }.",
  ],
}
const EMPTY = new ArrayBuffer(0)
const NO_WORDS = new Float64Array(EMPTY)

/**
 * Native memory that is handed out in typed arrays and taken back all at once: for what is large,
 * made often and needed for a while, such as the columns of one proof. Windows of it are made when
 * they are needed, and pages cost memory once they are written.
 *
 * `reset()` ends every view (it has length 0 then) and keeps the memory for the next round. Await
 * work on a view first: an `fs.read` that still runs may read and write what this arena hands out
 * next, though never memory of anybody else. A stream of zlib that has a view in hand makes `reset`
 * throw ERR_BUSY, also while it waits for its reader; so does work of crypto and of addons. The
 * bytes of a key or a witness may lie in an arena: they are read where they are, so change nothing
 * until the promise has settled.
 *
 * Ending views of up to 32 MiB gives the garbage collector nothing to do, however many there are.
 * For one of more than 64 MiB V8 begins a collection, as for any buffer of that size, unless one
 * goes on: 25 to 220 full ones in 1000 resets of one view of 256 MiB. Node 24 and later cause at
 * most 1 after `v8.setFlagsFromString('--external-memory-accounted-in-global-limit')`, which counts
 * buffers of the whole process differently, and is therefore left to the program.
 *
 * @example
 * import { Arena } from 'nalloc'
 *
 * using arena = new Arena('64M')
 * const coefficients = arena.alloc('u64', 1000)
 * coefficients[0] = 1n
 * arena.reset()
 * console.log(coefficients.length, arena.alloc('u64', 1000)[0]) // 0 0n
 */
export class Arena {
  /** Bytes that it hands out in all, alignment included. */
  readonly capacityBytes: number
  readonly #native: NativeArena
  readonly #isSecret: boolean
  readonly #alignment: number | undefined
  /** By their place; absent until needed, and after an escape. */
  readonly #windows: (Window | undefined)[] = []
  #isDisposed = false
  /** Where the current window stands, and in it the current pane. */
  #index = 0
  #paneStart = 0
  /** The current pane: its buffer, twice, its first free byte, its end; -1 while there is none. */
  #pane = EMPTY
  #words = NO_WORDS
  #cursor = 0
  #end = -1
  /** Its bytes from here on are zero. */
  #zeroFrom = 0
  #highWaterBytes = 0
  /** Bytes from here on are zero, in the whole arena. */
  #dirtyBytes = 0

  /**
   * Reserves nothing yet but the right to `capacity` bytes, 1..2^40, rounded up to 64 KiB.
   *
   * @throws ERR_INVALID_ARG; ERR_LIMIT above `memory.memoryLimit`; ERR_PLATFORM, ERR_BINARY_MISSING
   */
  constructor(capacity: Size, options?: ArenaOptions) {
    const bytes = checkSize('capacity', capacity)
    if (bytes === undefined) throw wrongType('capacity', 'a size', 'undefined')
    if (bytes > CAPACITY_BYTES_MAX) throw wrongValue('capacity', 'at most 2^40 bytes', show(bytes))
    const checked = checkOptions(options)
    this.#isSecret = checkBoolean('secret', checked.secret, false)
    const { alignment } = checked
    this.#alignment = alignment === undefined ? undefined : checkAlignment(alignment)
    const capacityBytes = Math.ceil(bytes / PAGE_BYTES_MAX) * PAGE_BYTES_MAX
    const { ArenaHandle } = binding()
    this.#native = callNative(() => new ArenaHandle({ capacityBytes, isSecret: this.#isSecret }))
    this.capacityBytes = capacityBytes
  }

  /** Bytes handed out since the last reset, alignment included. */
  get usedBytes(): number {
    return this.#index * WINDOW_BYTES_MAX + this.#paneStart + this.#cursor
  }

  /** The most that `usedBytes` has ever been. */
  get highWaterBytes(): number {
    return Math.max(this.#highWaterBytes, this.usedBytes)
  }

  /** True after `dispose()`. */
  get isDisposed(): boolean {
    return this.#isDisposed
  }

  /**
   * A view of `length` elements that nobody else has, all zero unless `zero: false`. It takes at
   * most 1 GiB.
   *
   * @throws ERR_INVALID_ARG; ERR_LIMIT when the arena is full; ERR_NO_MEMORY, ERR_EXTERNAL_BUFFER
   * when it cannot have its next window; ERR_DISPOSED
   * @example
   * import { Arena } from 'nalloc'
   *
   * using arena = new Arena('1M')
   * const page = arena.alloc('u8', 100, { alignment: 4096 })
   * console.log(page.byteOffset % 4096, arena.usedBytes) // 0 100
   */
  alloc<K extends ViewKind>(kind: K, length: number, options?: AllocOptions): ViewOf<K>
  alloc(kind: ViewKind, length: number, options?: AllocOptions): ViewOf<ViewKind> {
    const elementBytes = elementBytesOf(kind)
    if (!(Number.isInteger(length) && length >= 0 && length <= WINDOW_BYTES_MAX / elementBytes)) {
      throw wrongLength(length, elementBytes)
    }
    const byteLength = length * elementBytes
    let isZero = true
    let alignment = this.#alignment ?? (byteLength < PAGED_BYTES_MIN ? LINE_BYTES : PAGE_BYTES)
    if (options !== undefined) {
      const checked = checkOptions(options)
      if (checked.zero !== undefined) isZero = checkBoolean('zero', checked.zero, true)
      alignment = checked.alignment === undefined ? alignment : checkAlignment(checked.alignment)
    }
    if (alignment < elementBytes) alignment = elementBytes
    const start = (this.#cursor + alignment - 1) & -alignment
    const end = start + byteLength
    if (end > this.#end) {
      this.#enterPaneFor(byteLength)
      return this.alloc(kind, length, options)
    }
    let view: ViewOf<ViewKind>
    try {
      view = viewOf(kind, this.#pane, start, length)
    } catch (error) {
      this.#leaveTakenPane(error)
      return this.alloc(kind, length, options)
    }
    this.#cursor = end
    if (isZero && start < this.#zeroFrom) this.#clear(start, end)
    return view
  }

  /**
   * Ends every view and takes the memory back, pages included, for what is allocated next. An arena
   * for secrets is wiped first.
   *
   * @throws ERR_BUSY while native work reads it or a stream of zlib has a view in hand, or while
   * zlib, crypto or an addon is at work in this thread, perhaps on a view (see `inFlight`);
   * ERR_INVALID_ARG, ERR_DISPOSED
   * @example
   * import { promisify } from 'node:util'
   * import zlib from 'node:zlib'
   * import { Arena } from 'nalloc'
   *
   * using arena = new Arena('1M')
   * const packed = await promisify(zlib.gzip)(arena.alloc('u8', 1000))
   * // Whatever else this process compresses now has no view of this arena.
   * arena.reset({ inFlight: 'awaited' })
   * console.log(packed.length < 100, arena.usedBytes) // true 0
   */
  reset(options?: ResetOptions): void {
    this.#takeBack(this.#isSecret ? 'wiped' : 'as it is', options)
  }

  /**
   * Overwrites every byte that was ever handed out with zeros, and resets.
   *
   * @throws as `reset`
   */
  wipe(options?: ResetOptions): void {
    this.#takeBack('wiped', options)
  }

  /**
   * Ends every view and gives the memory back. Where `reset` would be refused because somebody else
   * is at work on a view, or perhaps is, views keep their length instead and read as zero. May be
   * called again.
   *
   * @throws ERR_BUSY while native work reads it
   */
  dispose(): void {
    if (this.#isDisposed) return
    if (this.#windows.some((window) => window?.user === 'native')) throw busy('native')
    this.#highWaterBytes = this.highWaterBytes
    this.#isDisposed = true
    for (const [index, window] of this.#windows.entries()) {
      // What a secret arena gives back is wiped on the way.
      window?.close(this.#bytesBelow(this.#highWaterBytes, index))
    }
    this.#leaveWindows()
    this.#windows.length = 0
    this.#native.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #takeBack(state: 'wiped' | 'as it is', options: ResetOptions | undefined): void {
    this.#checkLive()
    const isAwaited = checkInFlight(options) === 'awaited'
    for (const window of this.#windows) {
      const user = window?.user
      if (user !== undefined && !(user === 'requests' && isAwaited)) throw busy(user)
    }
    this.#highWaterBytes = this.highWaterBytes
    for (const [index, window] of this.#windows.entries()) {
      if (window === undefined) continue
      if (!window.endViews()) this.#windows[index] = undefined
      else if (state === 'wiped') window.wipe(this.#bytesBelow(this.#highWaterBytes, index))
    }
    this.#dirtyBytes = state === 'wiped' ? 0 : this.#highWaterBytes
    this.#leaveWindows()
  }

  #checkLive(): void {
    if (!this.#isDisposed) return
    throw new NallocError('ERR_DISPOSED', 'arena: expected a live one, got a disposed one.', {
      hint: 'Make a new one.',
    })
  }

  #leaveWindows(): void {
    this.#leavePane()
    this.#index = 0
    this.#paneStart = 0
  }

  #leavePane(): void {
    this.#pane = EMPTY
    this.#words = NO_WORDS
    this.#cursor = 0
    this.#end = -1
  }

  /** How many bytes of a window lie below a mark. */
  #bytesBelow(mark: number, index: number): number {
    const start = index * WINDOW_BYTES_MAX
    return Math.min(Math.max(mark - start, 0), this.#windowBytes(index))
  }

  #windowBytes(index: number): number {
    return Math.max(0, Math.min(this.capacityBytes - index * WINDOW_BYTES_MAX, WINDOW_BYTES_MAX))
  }

  /** Goes on with a pane in which so many bytes are free. */
  #enterPaneFor(byteLength: number): void {
    this.#checkLive()
    const needed = Math.max(byteLength, 1)
    const next = Math.ceil((this.#paneStart + this.#cursor) / PAGE_BYTES) * PAGE_BYTES
    if (next + needed <= this.#windowBytes(this.#index)) {
      this.#enter(this.#index, next, needed)
    } else if (needed <= this.#windowBytes(this.#index + 1)) {
      this.#enter(this.#index + 1, 0, needed)
    } else {
      throw this.#full(byteLength)
    }
  }

  #enter(index: number, paneStart: number, byteLength: number): void {
    const windowBytes = this.#windowBytes(index)
    const wantedBytes = Math.max(Math.ceil(byteLength / PAGE_BYTES) * PAGE_BYTES, PANE_BYTES_MIN)
    const paneBytes = Math.min(wantedBytes, windowBytes - paneStart)
    this.#windows[index] ??= new Window(callNative(() => this.#native.window(windowBytes)))
    this.#pane = this.#windows[index].open(paneStart, paneBytes)
    this.#words = new Float64Array(this.#pane)
    this.#index = index
    this.#paneStart = paneStart
    this.#cursor = 0
    this.#end = paneBytes
    this.#zeroFrom = this.#bytesBelow(this.#dirtyBytes, index) - paneStart
  }

  /** Goes on behind a pane that somebody has taken, or with a fresh window in place of one that has
   * no other pane. */
  #leaveTakenPane(error: unknown): void {
    const window = this.#windows[this.#index]
    if (window === undefined || !isTaken(this.#pane)) throw error
    const { usedBytes } = this
    if (window.shownCount === 1 && !window.endViews()) {
      this.#windows[this.#index] = undefined
      this.#leavePane()
      this.#paneStart = usedBytes - this.#index * WINDOW_BYTES_MAX
    } else {
      this.#cursor = this.#end
      this.#end = -1
    }
  }

  /** Overwrites with zeros what is not known to be zero, and perhaps free bytes behind it. */
  #clear(start: number, end: number): void {
    if (end - start > LOOPED_BYTES_MAX || start % 8 !== 0) {
      new Uint8Array(this.#pane, start, Math.min(end, this.#zeroFrom) - start).fill(0)
      return
    }
    const words = this.#words
    for (let at = start; at < end; at += 8) words[at / 8] = 0
  }

  #full(byteLength: number): NallocError {
    const left = this.capacityBytes - this.usedBytes
    const { capacityBytes } = this
    const message = `arena: expected ${byteLength} bytes, got ${left} left of ${capacityBytes}.`
    return new NallocError('ERR_LIMIT', message, {
      hint: 'Make it larger, or reset it.',
      details: { needed: byteLength, left, capacityBytes },
    })
  }
}

function checkAlignment(value: number): number {
  const alignment = checkInteger('alignment', value, [1, PAGE_BYTES]) ?? 1
  if ((alignment & (alignment - 1)) === 0) return alignment
  throw wrongValue('alignment', 'a power of two', show(alignment))
}

function checkInFlight(options: ResetOptions | undefined): 'unknown' | 'awaited' {
  const { inFlight = 'unknown' } = checkOptions(options)
  if (inFlight === 'unknown' || inFlight === 'awaited') return inFlight
  const make = typeof inFlight === 'string' ? wrongValue : wrongType
  throw make('inFlight', "'unknown' or 'awaited'", show(inFlight))
}

function busy(user: WindowUser): NallocError {
  const [found, hint] = BUSY[user]
  return new NallocError('ERR_BUSY', `arena: expected ${found}.`, { hint })
}

function wrongLength(length: unknown, elementBytes: number): Error {
  const expected = `an integer in 0..${WINDOW_BYTES_MAX / elementBytes}`
  const make = typeof length === 'number' ? wrongValue : wrongType
  return make('length', expected, show(length))
}
