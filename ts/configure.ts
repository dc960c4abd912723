// Settings of this process: one pool of threads for all calls of all its worker threads.

import { callNative } from './_call.ts'
import { checkInteger, checkOptions } from './_check.ts'
import { binding } from './native.ts'
import type { ConfigureOptions } from './options.ts'

const THREADS_MAX = 1024

/**
 * Sets how many threads prove. The threads are started by the first call that needs them, such as
 * `ProvingKey.open`; their number stays what it is from then on, for the whole process.
 *
 * @throws ERR_BUSY when another number of threads was started already; ERR_INVALID_ARG
 * @example
 * import { configure, ProvingKey } from 'nalloc'
 *
 * configure({ threads: 2 })
 * const key = await ProvingKey.open('circuit.zkey')
 */
export function configure(options: ConfigureOptions): void {
  const threads = checkInteger('threads', checkOptions(options).threads, [1, THREADS_MAX])
  if (threads !== undefined) callNative(() => binding().configurePool(threads))
}
