// Runs `fullprove` in a thread of its own.
//
// A witness calculator runs to its end without a pause. On the thread that hears of signals and of
// time, it would make the program deaf to SIGINT and --timeout for as long as it takes.

import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, NallocError } from '../errors.ts'
import type { OneShotOptions, Progress } from '../options.ts'
import type { Input } from './inputs.ts'
import type { Proven } from './proving.ts'

/** What the thread is given. It owns the bytes, and overwrites them. */
export interface Order {
  readonly input: Input
  readonly wasm: Input
  readonly zkey: Input
  readonly options: Pick<OneShotOptions, 'memoryLimit' | 'sha256' | 'allowInsecure'>
}

/** What it says: how far it is, and at last one of the others. */
export type Message =
  | { readonly progress: Progress }
  | { readonly proven: Proven }
  | { readonly thrown: Thrown }

/** An error in the form in which it goes from thread to thread. */
export interface Thrown {
  readonly message: string
  readonly stack: string | undefined
  readonly code: unknown
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined
}

/** Proves in a thread, which is ended when the signal of the options fires. */
export async function proveInThread(
  { input, wasm, zkey }: Omit<Order, 'options'>,
  { signal, onProgress, memoryLimit, sha256, allowInsecure }: OneShotOptions,
): Promise<Proven> {
  const options = { memoryLimit, sha256, allowInsecure }
  const workerData = { input, wasm, zkey, options }
  const transferList = [input, wasm, zkey].flatMap((file) =>
    typeof file === 'string' ? [] : [file.buffer as ArrayBuffer],
  )
  const worker = new Worker(path.join(__dirname, 'fullproveThread.js'), {
    workerData,
    transferList,
  })
  let onAbort = (): void => undefined
  try {
    return await new Promise((resolve, reject) => {
      onAbort = () => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      worker.on('message', (message: Message) => {
        if ('progress' in message) onProgress?.(message.progress)
        else if ('proven' in message) resolve(message.proven)
        else reject(revived(message.thrown))
      })
      worker.on('error', reject)
      worker.on('exit', () => reject(new Error('the thread of the proof ended without a word')))
    })
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await worker.terminate()
  }
}

function revived({ message, stack, code, hint, details }: Thrown): Error {
  const bare = hint === undefined ? message : message.slice(0, -hint.length - 1)
  const error = details
    ? new NallocError(code as ErrorCode, bare, { ...(hint && { hint }), details })
    : Object.assign(new Error(message), { code })
  if (stack !== undefined) error.stack = stack
  return error
}
