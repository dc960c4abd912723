// One call of a user: its signal, its progress, its clock. A call may start several native tasks.

import { checkFunction, checkSignal } from './_check.ts'
import { CANCELLED, codeOf, fromNative } from './errors.ts'
import { binding, type NativeTask } from './native.ts'
import type { AbortSignalLike, ProgressPhase, TaskOptions } from './options.ts'

/** @internal */
export class Call {
  readonly #signal: AbortSignalLike | undefined
  readonly #onProgress: TaskOptions['onProgress']
  readonly #startMs = performance.now()
  #phase: ProgressPhase | undefined
  #ratio = 0

  /** Checks the options and rejects at once when the signal has fired already. */
  constructor(options: TaskOptions) {
    this.#signal = checkSignal(options.signal)
    this.#onProgress = checkFunction('onProgress', options.onProgress)
    this.throwIfAborted()
  }

  /** True once the signal has fired. */
  get isAborted(): boolean {
    return this.#signal?.aborted ?? false
  }

  throwIfAborted(): void {
    if (this.#signal?.aborted) throw reasonOf(this.#signal)
  }

  /** Tells the caller how far this phase is; what the callback throws comes out here. */
  report(phase: ProgressPhase, ratio: number): void {
    // Threads report in any order; a bar that goes back would be a lie.
    const floor = phase === this.#phase ? this.#ratio : 0
    this.#phase = phase
    this.#ratio = Math.min(Math.max(ratio, floor), 1)
    const elapsedMs = performance.now() - this.#startMs
    this.#onProgress?.({ phase, ratio: this.#ratio, elapsedMs })
  }

  /** Settles as `work` does, or rejects at once when the signal fires: `abandon` then ends the work. */
  async orAbort<T>(work: Promise<T>, abandon: () => void): Promise<T> {
    this.throwIfAborted()
    let abort = (): void => {}
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        abandon()
        reject(reasonOf(this.#signal))
      }
    })
    this.#signal?.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([work, aborted])
    } finally {
      this.#signal?.removeEventListener('abort', abort)
    }
  }

  /** Runs one native task: an abort cancels it, its progress is reported, its errors are ours. */
  async run<T>(start: (task: NativeTask) => Promise<T>): Promise<T> {
    this.throwIfAborted()
    let isSettled = false
    let callbackError: { readonly error: unknown } | undefined
    const listener = (phase: string, done: number, total: number): void => {
      if (isSettled || callbackError) return
      try {
        this.report(phase as ProgressPhase, total > 0 ? done / total : 0)
      } catch (error) {
        callbackError = { error }
        task.cancel()
      }
    }
    const { Task } = binding()
    const task = new Task(this.#onProgress ? listener : undefined)
    const cancel = (): void => task.cancel()
    this.#signal?.addEventListener('abort', cancel, { once: true })
    try {
      const result = await start(task)
      if (callbackError) throw callbackError.error
      return result
    } catch (error) {
      if (callbackError) throw callbackError.error
      throw codeOf(error) === CANCELLED ? reasonOf(this.#signal) : fromNative(error)
    } finally {
      isSettled = true
      this.#signal?.removeEventListener('abort', cancel)
    }
  }
}

/** Runs a native function that answers at once; its errors become ours. @internal */
export function callNative<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw fromNative(error)
  }
}

function reasonOf(signal: AbortSignalLike | undefined): unknown {
  if (signal?.reason !== undefined) return signal.reason
  return new DOMException('This operation was aborted', 'AbortError')
}
