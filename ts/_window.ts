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
// Node 20 cannot move a buffer, only detach it, and aborts when zlib goes on with a view that was
// detached meanwhile. There a window is busy, or retired, while zlib or its like is at work.
//
// A native buffer is moved once before anybody sees it. Node would detach the first object itself
// when a thread ends, which aborts the process if `markAsUntransferable` was called on it.

import { callNative } from './_call.ts'
import { binding, type NativeRegion } from './native.ts'

type Transfer = (this: ArrayBuffer, byteLength?: number) => ArrayBuffer

// Taken before anybody can replace them. `transfer` is absent in Node 20.
const { apply } = Reflect
const transfer: Transfer | undefined = Object.getOwnPropertyDescriptor(
  ArrayBuffer.prototype,
  'transfer',
)?.value
const byteLengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')
  ?.get as () => number

/** From each buffer to what lives as long as any buffer of its window does. */
const tokens = new WeakMap<ArrayBuffer, object>()
/** Regions without a buffer in JavaScript that the runtime has not let go of. */
const pending = new Set<NativeRegion>()
const collected = new FinalizationRegistry<NativeRegion>((region) => {
  // The runtime lets go of a collected buffer some turns later; what it still has then waits for
  // the next window.
  if (pending.size === 0) setImmediate(() => setImmediate(releasePending).unref()).unref()
  pending.add(region)
})

/** @internal */
export class Window {
  /** The memory, for native calls. */
  readonly region: NativeRegion
  readonly #token = {}
  readonly #panes: ArrayBuffer[] = []

  constructor(region: NativeRegion) {
    releasePending()
    this.region = region
    collected.register(this.#token, region)
  }

  /** A buffer over some of the bytes, at least one. Throws ERR_EXTERNAL_BUFFER. */
  open(offset: number, byteLength: number): ArrayBuffer {
    const first = callNative(() => this.region.buffer(offset, byteLength))
    const pane = transfer === undefined ? first : apply(transfer, first, [])
    tokens.set(pane, this.#token)
    this.#panes.push(pane)
    return pane
  }

  /** How many buffers are open, whether or not somebody has taken them. */
  get paneCount(): number {
    return this.#panes.length
  }

  /** True while native work reads it, or may be at work on its views where they cannot be ended. */
  get isBusy(): boolean {
    return callNative(() => this.region.isBusy) || isEndingUnsafe()
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
    const isOurs = this.#panes.map(detach)
    this.#panes.length = 0
    if (isOurs.every(Boolean)) return true
    callNative(() => this.region.retire())
    return false
  }

  /** Ends every view and gives the memory back, its addresses when nobody can be at work on it. */
  close(): void {
    if (this.endViews()) callNative(() => this.region.discard())
  }
}

/** True when somebody else has taken the buffer. @internal */
export function isTaken(pane: ArrayBuffer): boolean {
  // No pane is empty.
  return apply(byteLengthOf, pane, []) === 0
}

function detach(pane: ArrayBuffer): boolean {
  if (isTaken(pane) || isEndingUnsafe()) return false
  if (transfer === undefined) return callNative(() => binding().detachBuffer(pane))
  try {
    apply(transfer, pane, [0])
    return true
  } catch {
    // Marked as untransferable, or held by the runtime for work in flight.
    return false
  }
}

/** Whether libuv's threads do work in Node 20 that is no request of Node's own, as zlib's is. */
function isEndingUnsafe(): boolean {
  if (transfer !== undefined) return false
  const known = Reflect.get(process, '_getActiveRequests') as () => readonly unknown[]
  return callNative(() => binding().loopRequests()) > apply(known, process, []).length
}

function releasePending(): void {
  for (const region of pending) {
    if (region.release()) pending.delete(region)
  }
}
