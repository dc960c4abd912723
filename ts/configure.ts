// Settings of this process: threads and a waiting line for all calls of all its worker threads.

import { callNative } from './_call.ts'
import { checkInteger, checkOptions } from './_check.ts'
import { binding } from './native.ts'
import type { ConfigureOptions } from './options.ts'

const THREADS_MAX = 1024
const CONCURRENCY_MAX = 64
const QUEUE_MAX = 2 ** 32 - 1

/**
 * Sets how many threads prove, how many proofs run at the same time, and how many may wait; what is
 * not given stays what it is. The threads are started by the first call that needs them, such as
 * `ProvingKey.open`; their number stays what it is from then on, for the whole process. The other
 * two may change at any time.
 *
 * @throws ERR_BUSY when another number of threads was started already; ERR_INVALID_ARG
 * @example
 * import { configure, ProvingKey } from 'nalloc'
 *
 * configure({ threads: 2, concurrency: 2, maxQueue: 100 })
 * const key = await ProvingKey.open('circuit.zkey')
 */
export function configure(options: ConfigureOptions): void {
  const checked = checkOptions(options)
  const threads = checkInteger('threads', checked.threads, [1, THREADS_MAX])
  const concurrency = checkInteger('concurrency', checked.concurrency, [1, CONCURRENCY_MAX])
  const maxQueue = checkInteger('maxQueue', checked.maxQueue, [0, QUEUE_MAX])
  if (threads !== undefined) callNative(() => binding().configurePool(threads))
  if (concurrency !== undefined || maxQueue !== undefined) {
    callNative(() => binding().configureLine(concurrency, maxQueue))
  }
}
