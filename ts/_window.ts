// Native memory that JavaScript sees through ArrayBuffers, for a while.
//
// A view that leaves this package can go anywhere: `transfer` and byte streams move its buffer to
// another object, workers keep that object beyond the life of the thread that made it, and zlib and
// fs read and write it from threads of their own. So views are ended in one way only, by moving the
// buffer ourselves, and only a buffer that is still attached counts as ours: otherwise somebody
// else has it, and the memory behind it is retired, which means zero and mapped for ever.
//
// Memory is unmapped when the collector has taken every buffer that was made of it. Whatever is at
// work on a view outside of JavaScript keeps the view, and a view keeps its buffer, detached or
// not: a buffer that was collected is in nobody's hands.
//
// zlib goes back to its input when its output is full, and must not find that the view has ended:
// `_zlib.ts` knows which of its streams will. Of others nobody can know whose views they have, but
// libuv counts its requests, those included that Node keeps no list of: of crypto and of addons,
// and all of zlib's. While there are such, views are not ended; what must end at once is abandoned:
// it is zero, and the collector's. Bun and Deno count nothing.
//
// Node 20 cannot move a buffer, only detach it.
//
// A native buffer is moved once before anybody sees it. Node would detach the first object itself
// when a thread ends, which aborts the process if `markAsUntransferable` was called on it.
//
// V8 counts a buffer at its length and begins to collect when the sum rises by 64 MiB above its
// lowest since the last collection. So views are ended pane by pane, and what is moved away stays
// as the pane of the next round: the sum falls and rises by one pane at a time.

import { callNative } from './_call.ts'
import { followStreams, Holders, watch } from './_zlib.ts'
import { binding, type NativeRegion } from './native.ts'

/**
 * Who is at work on a window: native calls of ours, one of zlib's streams, or, perhaps, somebody in
 * libuv's threads. @internal
 */
export type WindowUser = 'native' | 'stream' | 'requests'

type Transfer = (this: ArrayBuffer, byteLength?: number) => ArrayBuffer

// Taken before anybody can replace them. `transfer` is absent in Node 20.
const { apply } = Reflect
const transfer: Transfer | undefined = Object.getOwnPropertyDescriptor(
  ArrayBuffer.prototype,
  'transfer',
)?.value
const byteLengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')
  ?.get as () => number

const hasLibuv = !('bun' in process.versions || 'deno' in process.versions)

/** Regions without a buffer in JavaScript that the runtime has not let go of. */
const pending = new Set<NativeRegion>()
const collected = new FinalizationRegistry<NativeRegion>((region) => {
  // The runtime lets go of a collected buffer some turns later; what it still has then waits for
  // the next window.
  if (pending.size === 0) setImmediate(() => setImmediate(releasePending).unref()).unref()
  pending.add(region)
})

/** One buffer over a part of a window. */
interface Pane {
  readonly offset: number
  readonly byteLength: number
  buffer: ArrayBuffer
}

/** @internal */
export class Window {
  /** The memory, for native calls. */
  readonly region: NativeRegion
  /** Lives as long as any buffer of this window does. */
  readonly #holders = new Holders()
  /** The first ones are shown; nobody has seen the others since views were ended last. */
  #panes: Pane[] = []
  #shownCount = 0

  constructor(region: NativeRegion) {
    followStreams()
    releasePending()
    this.region = region
    collected.register(this.#holders, region)
  }

  /** A buffer over some of the bytes, at least one. Throws ERR_EXTERNAL_BUFFER. */
  open(offset: number, byteLength: number): ArrayBuffer {
    const kept = this.#panes[this.#shownCount]
    if (kept?.offset !== offset || kept.byteLength !== byteLength) {
      this.#dropHidden()
      this.#panes.push({ offset, byteLength, buffer: this.#make(offset, byteLength) })
    }
    const pane = this.#panes[this.#shownCount] as Pane
    this.#shownCount += 1
    return pane.buffer
  }

  /** How many buffers are shown, whether or not somebody has taken them. */
  get shownCount(): number {
    return this.#shownCount
  }

  /** Who is, or may be, at work on it now, so that its views must not end. */
  get user(): WindowUser | undefined {
    if (callNative(() => this.region.isBusy)) return 'native'
    if (this.#shownCount === 0) return undefined
    if (this.isHeld) return 'stream'
    return unlistedRequests() > 0 ? 'requests' : undefined
  }

  /** Whether one of zlib's streams has a view in hand. */
  get isHeld(): boolean {
    return this.#holders.count > 0
  }

  /** Overwrites the first bytes with zeros. */
  wipe(byteLength: number): void {
    callNative(() => this.region.wipe(byteLength))
  }

  /**
   * Ends every view; the memory keeps its bytes. False when somebody else has a buffer: then the
   * memory is retired, and this window of no use any more.
   */
  endViews(): boolean {
    return this.#end((pane) => this.#renew(pane))
  }

  /**
   * Ends every view for good, unless somebody may be at work on one, and gives the memory back, its
   * addresses when nobody can be. Of a secret arena the first bytes, all that views were handed out
   * of, are overwritten before.
   */
  close(usedBytes: number): void {
    if (this.user !== undefined) {
      this.abandon(usedBytes)
    } else if (this.#end(({ buffer }) => detach(buffer))) {
      this.#dropHidden()
      callNative(() => this.region.discard(usedBytes))
    }
  }

  /** As `close`, but views stay: they read as zero, and the memory goes when they have gone. */
  abandon(usedBytes: number): void {
    callNative(() => this.region.abandon(usedBytes))
  }

  #make(offset: number, byteLength: number): ArrayBuffer {
    const first = callNative(() => this.region.buffer(offset, byteLength))
    return this.#own(transfer === undefined ? first : apply(transfer, first, []))
  }

  #own(buffer: ArrayBuffer): ArrayBuffer {
    watch(buffer, this.#holders)
    return buffer
  }

  #renew(pane: Pane): boolean {
    if (transfer === undefined) {
      if (!detach(pane.buffer)) return false
      pane.buffer = this.#make(pane.offset, pane.byteLength)
      return true
    }
    const moved = moveAway(transfer, pane.buffer, [])
    if (moved === undefined) return false
    pane.buffer = this.#own(moved)
    return true
  }

  #end(each: (pane: Pane) => boolean): boolean {
    const areOurs = this.#panes.slice(0, this.#shownCount).map(each)
    this.#shownCount = 0
    if (areOurs.every(Boolean)) return true
    this.#panes = []
    callNative(() => this.region.retire())
    return false
  }

  #dropHidden(): void {
    for (const { buffer } of this.#panes.splice(this.#shownCount)) detach(buffer)
  }
}

/**
 * How many requests of this thread libuv has that Node keeps no list of, as it keeps none of
 * zlib's. 0 where there is no libuv. @internal
 */
export function unlistedRequests(): number {
  if (!hasLibuv) return 0
  const requests = callNative(() => binding().loopRequests())
  if (requests === 0) return 0
  const listed = Reflect.get(process, '_getActiveRequests') as () => readonly unknown[]
  return requests - apply(listed, process, []).length
}

/** True when somebody else has taken the buffer. @internal */
export function isTaken(pane: ArrayBuffer): boolean {
  // No pane is empty.
  return apply(byteLengthOf, pane, []) === 0
}

/** The same memory in a new object, or in none; absent when the buffer is not ours to move. */
function moveAway(
  move: Transfer,
  pane: ArrayBuffer,
  byteLength: [] | [0],
): ArrayBuffer | undefined {
  if (isTaken(pane)) return undefined
  try {
    const moved = apply(move, pane, byteLength)
    if (isTaken(pane)) return moved
    // Bun copies what it holds for work in flight.
    new Uint8Array(moved).fill(0)
  } catch {
    // Marked as untransferable.
  }
  return undefined
}

function detach(pane: ArrayBuffer): boolean {
  if (transfer !== undefined) return moveAway(transfer, pane, [0]) !== undefined
  if (isTaken(pane)) return false
  return callNative(() => binding().detachBuffer(pane))
}

function releasePending(): void {
  for (const region of pending) {
    if (region.release()) pending.delete(region)
  }
}
