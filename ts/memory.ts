// What the memory of this process's addon may be, and giving back what is cached.

import { callNative } from './_call.ts'
import { checkSize } from './_check.ts'
import { wrongType } from './errors.ts'
import { binding } from './native.ts'
import type { Size } from './options.ts'
import { stats } from './stats.ts'

/** Limits and levers of the addon's memory. They are the process's: every worker sees the same. */
export interface Memory {
  /**
   * Bytes that may stay cached between bursts of work, 0 or more. During work, and until a later
   * burst needs less, as much stays as the work used; `release` does not wait for that.
   *
   * @defaultValue an eighth of the memory that this process may use, at most 1 GiB, or
   * NALLOC_CACHE_LIMIT
   */
  get cacheLimit(): number
  set cacheLimit(size: Size)

  /**
   * A proof, or the opening of a key, that would bring the bytes in use (`stats().usedBytes`) above
   * this limit waits for the proofs that run, and rejects with ERR_LIMIT before it takes any when it
   * does not fit beside none. In use are keys, proofs and witnesses, also those that wait; what
   * JavaScript itself uses is not counted.
   *
   * @defaultValue null: no limit
   */
  get memoryLimit(): number | null
  set memoryLimit(size: Size | null)

  /**
   * Lets the kernel take every cached page when anybody needs memory; reusing what it did not take
   * costs almost nothing. Returns how many bytes. Under `nalloc run`, those of the whole process.
   */
  soften(): number

  /**
   * Gives every cached page back to the kernel at once. Returns how many bytes. Under `nalloc run`,
   * those of the whole process.
   */
  release(): number
}

/**
 * Limits of the addon's memory, which apply at once, and levers to give back what is cached. A size
 * that is no size throws ERR_INVALID_ARG.
 *
 * @example
 * import { memory, ProvingKey } from 'nalloc'
 *
 * memory.memoryLimit = '75%'
 * memory.cacheLimit = '256M'
 * console.log(memory.cacheLimit) // 268435456
 * const key = await ProvingKey.open('circuit.zkey')
 * await key.prove('witness.wtns')
 * console.log(memory.release() >= 0) // true
 */
export const memory: Memory = Object.freeze({
  get cacheLimit(): number {
    return stats().cacheLimitBytes
  },

  set cacheLimit(size: Size) {
    const bytes = bytesOf('cacheLimit', size, 0)
    callNative(() => binding().setCacheLimit(bytes))
  },

  get memoryLimit(): number | null {
    return stats().memoryLimitBytes
  },

  set memoryLimit(size: Size | null) {
    const bytes = size === null ? undefined : bytesOf('memoryLimit', size, 1)
    callNative(() => binding().setMemoryLimit(bytes))
  },

  soften(): number {
    return callNative(() => binding().softenCache())
  },

  release(): number {
    return callNative(() => binding().releaseCache())
  },
})

function bytesOf(name: string, size: Size, bytesMin: number): number {
  const bytes = checkSize(name, size, bytesMin)
  if (bytes === undefined) throw wrongType(name, 'a size', 'undefined')
  return bytes
}
