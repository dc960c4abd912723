// The threads in which witnesses are computed, seen from the thread that asks for them.
//
// A calculator runs to its end without a pause, for as long as a proof or longer; the event loop of
// whoever asked goes on meanwhile. Threads are started when witnesses wait and end when they have
// had nothing to do for a while, all but one; none is ever waited for, so that they hold no process
// open. Each has one witness at a time, the others wait here in the order of their calls. Inputs go
// there in shared memory that is wiped, values come from there into the native memory that was made
// for them; no message carries either. A computation that nobody wants any more goes on to its end,
// finds its memory gone, and wipes its own; if it finds no end, its thread is ended, and another one
// is started in its place when one is needed. What a thread that was ended leaves is wiped from here.

import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { isMainThread, SHARE_ENV, Worker } from 'node:worker_threads'
import type { CalculatorCode } from './_calculator.ts'
import { MEMORIES_MAX } from './_sharedMemory.ts'
import type { Signals } from './_signals.ts'
import type { WasmSharedMemory } from './_webAssembly.ts'
import { codeOf, type ErrorCode, NallocError } from './errors.ts'
import { binding, type NativeWitness } from './native.ts'

/** A witness to compute. @internal */
export interface WitnessOrder {
  readonly code: CalculatorCode
  readonly signals: Signals
  /** The number of the native witness, which has room for its values. */
  readonly witness: number
  readonly length: number
}

/** A new place for values; or else what became of them: it failed, or they are there. @internal */
export interface WitnessAnswer {
  readonly memory?: WasmSharedMemory
  readonly failure?: WitnessFailure
}

/** An error in the form in which it goes from thread to thread. @internal */
export interface WitnessFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>
}

/** A witness to come. @internal */
export interface Computation {
  readonly done: Promise<NativeWitness>
  /** Gives it up, if it has not come. */
  readonly abandon: () => void
}

/** What a pool may have. @internal */
export interface PoolLimits {
  readonly threadsMax: () => number
  /** How many may wait for a thread. */
  readonly waitingMax: () => number
  /** How long a thread without work is kept, but for one. */
  readonly idleMsMax: number
  /** How long a computation may go on that nobody wants any more. */
  readonly abandonedMsMax: number
}

/** Each takes some MiB, and the memory of its circuit while it computes. */
const THREADS_MAX = 16
const IDLE_MS_MAX = 10_000
const ABANDONED_MS_MAX = 2000
/** What is wiped between two turns of the event loop: 1 ms, where pages are touched first. */
const PIECE_BYTES = 2 ** 21

/** @internal */
export class CalculatorPool {
  readonly #limits: PoolLimits
  readonly #waiting: Job[] = []
  readonly #threads = new Set<CalculatorThread>()
  /** Those without work; the one that worked last is the last. */
  readonly #idle: CalculatorThread[] = []

  constructor(limits: PoolLimits) {
    this.#limits = limits
  }

  /** How many threads there are. */
  get size(): number {
    return this.#threads.size
  }

  /**
   * Fills what `make` makes, when a thread begins with it, with the values of a witness. Throws
   * ERR_QUEUE_FULL; the promise rejects with what `make` throws, ERR_WITNESS, ERR_NO_MEMORY.
   */
  fill(
    { module, limits }: CalculatorCode,
    signals: Signals,
    make: () => NativeWitness,
  ): Computation {
    this.#checkRoom()
    const job = new Job({ code: { module, limits }, signals }, make)
    this.#waiting.push(job)
    this.#advance()
    return { done: job.done, abandon: () => this.#abandon(job) }
  }

  #checkRoom(): void {
    const { threadsMax, waitingMax } = this.#limits
    const waiting = this.#waiting.length
    const max = waitingMax()
    const begins = this.#idle.length > 0 || this.#threads.size < threadsMax()
    if (begins || waiting < max) return
    const message = `${waiting} witnesses are waiting, and maxQueue allows ${max}.`
    throw new NallocError('ERR_QUEUE_FULL', message, { hint: 'Retry later (HTTP 503).' })
  }

  /** Begins what can begin. */
  #advance(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#idle.pop() ?? this.#start()
      if (thread === undefined) break
      const [job] = this.#waiting.splice(0, 1)
      if (job !== undefined && thread.begin(job)) continue
      this.#idle.push(thread)
      this.#retireLater(thread)
    }
    // While somebody waits the process goes on, also where every thread has what nobody wants.
    const isAwaited = this.#waiting.length > 0
    for (const { job, worker } of this.#threads) {
      if (isAwaited || job?.isSettled === false) worker.ref()
      else worker.unref()
    }
  }

  #start(): CalculatorThread | undefined {
    if (this.#threads.size >= this.#limits.threadsMax()) return undefined
    const thread: CalculatorThread = new CalculatorThread({
      onFree: () => this.#keep(thread),
      onExit: () => this.#drop(thread),
    })
    this.#threads.add(thread)
    return thread
  }

  /** A thread has no work: it gets some at once, or in time, or ends. */
  #keep(thread: CalculatorThread): void {
    this.#idle.push(thread)
    this.#advance()
    if (this.#idle.includes(thread)) this.#retireLater(thread)
  }

  /** Ends a thread that has no work until then, unless it is the only one. */
  #retireLater(thread: CalculatorThread): void {
    thread.later(this.#limits.idleMsMax, () => {
      if (this.#threads.size === 1) return
      thread.end()
      this.#drop(thread)
    })
  }

  /** A thread is there no more; who waits for its place gets another one. */
  #drop(thread: CalculatorThread): void {
    this.#threads.delete(thread)
    const place = this.#idle.indexOf(thread)
    if (place >= 0) this.#idle.splice(place, 1)
    this.#advance()
  }

  #abandon(job: Job): void {
    job.abandon()
    const place = this.#waiting.indexOf(job)
    if (place >= 0) this.#waiting.splice(place, 1)
    this.#advance()
    const thread = [...this.#threads].find((candidate) => candidate.job === job)
    thread?.later(this.#limits.abandonedMsMax, () => {
      if (thread.job !== job) return
      thread.end()
      this.#drop(thread)
    })
  }
}

/** A witness that somebody waits for. */
class Job {
  readonly done: Promise<NativeWitness>
  readonly #order: Pick<WitnessOrder, 'code' | 'signals'>
  readonly #make: () => NativeWitness
  #native: NativeWitness | undefined
  #isSettled = false
  #resolve: (native: NativeWitness) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined

  constructor(order: Pick<WitnessOrder, 'code' | 'signals'>, make: () => NativeWitness) {
    this.#order = order
    this.#make = make
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** True when there is an answer, or nobody waits for one. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Makes room for the values; undefined when that failed, which is the answer then. */
  begin(): WitnessOrder | undefined {
    try {
      const native = this.#make()
      this.#native = native
      return { ...this.#order, witness: native.share(), length: native.length }
    } catch (error) {
      this.fail(error)
      return undefined
    }
  }

  succeed(): void {
    if (this.#isSettled || this.#native === undefined) return
    this.#isSettled = true
    this.#resolve(this.#native)
  }

  fail(error: unknown): void {
    if (this.#isSettled) return
    this.abandon()
    this.#reject(error)
  }

  abandon(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#native?.dispose()
  }
}

/** A thread, and what it is at work on. */
class CalculatorThread {
  readonly worker: Worker
  #job: Job | undefined
  /** All that it has; a computation that comes to its end leaves zeros. */
  readonly #memories: WasmSharedMemory[] = []
  #timer: NodeJS.Timeout | undefined
  #isEnded = false

  constructor({ onFree, onExit }: { readonly onFree: () => void; readonly onExit: () => void }) {
    const file = path.join(__dirname, '_calculatorThread.js')
    // The caller's Node flags may name programs that shall not run again.
    this.worker = new Worker(file, { name: 'nalloc-witness', env: SHARE_ENV, execArgv: [] })
    this.worker.on('message', ({ memory, failure }: WitnessAnswer) => {
      if (memory !== undefined) {
        this.#memories.push(memory)
        if (this.#memories.length > MEMORIES_MAX) this.#memories.shift()
        return
      }
      if (this.#isEnded) return
      const job = this.#free()
      if (failure === undefined) job?.succeed()
      else job?.fail(revived(failure))
      onFree()
    })
    let reason = 'it ended without a word'
    let code: ErrorCode = 'ERR_WITNESS'
    this.worker.on('error', (error) => {
      reason = error.message
      if (codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') code = 'ERR_NO_MEMORY'
    })
    this.worker.on('exit', () => {
      // Nobody is at work on memory that was left.
      if (this.#job !== undefined) void this.#wipe()
      if (this.#isEnded) return
      const message = `the thread that computes witnesses failed: ${reason}.`
      this.#free()?.fail(new NallocError(code, message))
      onExit()
    })
  }

  get job(): Job | undefined {
    return this.#job
  }

  /** False when there was no room for the values. */
  begin(job: Job): boolean {
    const order = job.begin()
    if (order === undefined) return false
    clearTimeout(this.#timer)
    this.#job = job
    this.worker.postMessage(order)
    return true
  }

  /** Does something later, unless it begins with other work before. Keeps no process open. */
  later(ms: number, work: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(work, ms).unref()
  }

  /** Ends it, and then wipes what it was at work on. */
  end(): void {
    clearTimeout(this.#timer)
    this.#isEnded = true
    void this.worker.terminate()
  }

  /** Overwrites what a calculator left that came to no end; the process stays for as long. */
  async #wipe(): Promise<void> {
    for (const { buffer } of this.#memories.splice(0)) {
      for (let at = 0; at < buffer.byteLength; at += PIECE_BYTES) {
        new Uint8Array(buffer, at, Math.min(PIECE_BYTES, buffer.byteLength - at)).fill(0)
        await turn()
      }
    }
  }

  #free(): Job | undefined {
    const job = this.#job
    clearTimeout(this.#timer)
    this.#job = undefined
    return job
  }
}

/** The pool of this thread. @internal */
export const calculators = new CalculatorPool({
  // Each thread of the application has one of its own; one that shares its work already needs few.
  threadsMax: () => (isMainThread ? Math.min(binding().jobThreads(), THREADS_MAX) : 1),
  waitingMax: () => binding().queueMax(),
  idleMsMax: IDLE_MS_MAX,
  abandonedMsMax: ABANDONED_MS_MAX,
})

function revived({ code, message, hint, details }: WitnessFailure): NallocError {
  if (hint === undefined) return new NallocError(code, message, { details })
  return new NallocError(code, message.slice(0, -hint.length - 1), { hint, details })
}
