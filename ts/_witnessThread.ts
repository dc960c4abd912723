// The thread in which witnesses are computed, seen from the thread that asks for them.
//
// A calculator runs to its end without a pause, for as long as a proof; the event loop of whoever
// asked goes on meanwhile. There is one such thread for each thread that asks, started by the first
// witness and never kept waiting for: it holds no process open. Witnesses are computed one after
// another. Inputs go there in shared memory that is wiped, values come from there into the native
// memory that was made for them; no message carries either. A computation that nobody wants any
// more goes on to its end in there, finds its memory gone, and wipes its own; if it finds no end, the
// thread is ended, whose memory goes back to the system, and another one takes over.

import path from 'node:path'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import type { Signals } from './_signals.ts'
import type { WasmModule } from './_webAssembly.ts'
import { codeOf, type ErrorCode, NallocError } from './errors.ts'
import type { NativeWitness } from './native.ts'

/** A witness to compute. @internal */
export interface WitnessOrder {
  readonly id: number
  readonly module: WasmModule
  readonly signals: Signals
  /** The number of the native witness, which has room for its values. */
  readonly witness: number
  readonly length: number
}

/** How far it is: begun, failed, or else the values are there. @internal */
export interface WitnessAnswer {
  readonly id: number
  readonly isBegun?: true
  readonly failure?: WitnessFailure
}

/** An error in the form in which it goes from thread to thread. @internal */
export interface WitnessFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>
}

interface Waiting {
  readonly order: WitnessOrder
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** How long a computation may go on that nobody wants any more. */
const ABANDONED_MS_MAX = 2000

let worker: Worker | undefined
let orders = 0
/** The order that the thread is at work on. */
let current: number | undefined
const waiting = new Map<number, Waiting>()

/** Fills `native` with the values of a witness. Throws ERR_WITNESS, ERR_NO_MEMORY. @internal */
export function fillWitness(
  module: WasmModule,
  signals: Signals,
  native: NativeWitness,
): { readonly done: Promise<void>; readonly abandon: () => void } {
  const id = orders
  orders += 1
  const order = { id, module, signals, witness: native.share(), length: native.length }
  const done = new Promise<void>((resolve, reject) => {
    waiting.set(id, { order, resolve, reject })
    send(order)
  })
  const abandon = (): void => {
    take(id)
    if (current === id) endSoon(id)
  }
  return { done, abandon }
}

function send(order: WitnessOrder): void {
  worker ??= startWorker()
  worker.ref()
  worker.postMessage(order)
}

/** Ends the thread if it will still be at work on this order; those that wait go to another. */
function endSoon(id: number): void {
  const end = (): void => {
    if (current !== id) return
    current = undefined
    worker?.removeAllListeners()
    void worker?.terminate()
    worker = undefined
    for (const { order } of waiting.values()) send(order)
  }
  setTimeout(end, ABANDONED_MS_MAX).unref()
}

function startWorker(): Worker {
  const file = path.join(__dirname, '_calculatorThread.js')
  // The caller's Node flags may name programs that shall not run again.
  const started = new Worker(file, { name: 'nalloc-witness', env: SHARE_ENV, execArgv: [] })
  started.on('message', ({ id, isBegun, failure }: WitnessAnswer) => {
    current = isBegun ? id : undefined
    if (isBegun) {
      if (!waiting.has(id)) endSoon(id)
      return
    }
    const caller = take(id)
    if (failure === undefined) caller?.resolve()
    else caller?.reject(revived(failure))
  })
  let reason = 'it ended without a word'
  let code: ErrorCode = 'ERR_WITNESS'
  started.on('error', (error) => {
    reason = error.message
    if (codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') code = 'ERR_NO_MEMORY'
  })
  started.on('exit', () => {
    worker = undefined
    current = undefined
    const message = `the thread that computes witnesses failed: ${reason}.`
    for (const id of [...waiting.keys()]) take(id)?.reject(new NallocError(code, message))
  })
  return started
}

/** Who waits for an answer, who then waits no more. */
function take(id: number): Waiting | undefined {
  const caller = waiting.get(id)
  waiting.delete(id)
  if (waiting.size === 0) worker?.unref()
  return caller
}

function revived({ code, message, hint, details }: WitnessFailure): NallocError {
  if (hint === undefined) return new NallocError(code, message, { details })
  return new NallocError(code, message.slice(0, -hint.length - 1), { hint, details })
}
