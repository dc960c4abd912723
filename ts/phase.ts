// Named spans of time, in the figures of the heap and in traces.
//
// Each call begins a span of its own and ends that one and no other: spans nest, overlap and go over
// awaits in whatever order they end. Nothing is asked of the asynchronous context, since what is
// live belongs to every span that is open, whoever took it.

import { types } from 'node:util'
import { callNative } from './_call.ts'
import { checkFunction, checkText } from './_check.ts'
import { wrongType } from './errors.ts'
import { binding } from './native.ts'

const NAME_CHARS_MAX = 64

/**
 * Gives the time that `fn` takes a name, until it returns or throws, or until the promise that it
 * returns settles; returns what `fn` does. `stats().phases` says how much was live at most while a
 * phase of that name was open, and a trace (`nalloc run --trace`, NALLOC_TRACE) has its beginning and
 * end. Phases nest and overlap. A process tells 32 names apart, with those that a proof goes through:
 * a name is for a kind of work, not for one request.
 *
 * @throws ERR_INVALID_ARG; ERR_PLATFORM, ERR_BINARY_MISSING; and what `fn` throws
 * @example
 * import { phase, ProvingKey, stats } from 'nalloc'
 *
 * const key = await phase('open', () => ProvingKey.open('circuit.zkey'))
 * await phase('request', async () => {
 *   await key.prove('witness.wtns')
 * })
 * const request = stats().phases.find(({ name }) => name === 'request')
 * console.log(request?.times) // 1
 * console.log(request?.peakLiveBytes)
 */
export function phase<T>(name: string, fn: () => T): T {
  const work = checkFunction('fn', fn)
  if (work === undefined) throw wrongType('fn', 'a function', 'undefined')
  const checkedName = checkText('name', name, NAME_CHARS_MAX)
  const { PhaseHandle } = binding()
  const handle = callNative(() => new PhaseHandle(checkedName))
  let result: T
  try {
    result = work()
  } catch (error) {
    handle.end()
    throw error
  }
  if (types.isPromise(result)) return result.finally(() => handle.end()) as T
  handle.end()
  return result
}
