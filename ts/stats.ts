// What the addon's allocator says of itself.

import { callNative } from './_call.ts'
import { binding } from './native.ts'

/** Figures of the addon's large-block heap, and the process's resident memory. */
export interface MemoryStats {
  /** Asked for by the addon and not freed. */
  readonly liveBytes: number
  /** The most that `liveBytes` has been. */
  readonly peakLiveBytes: number
  /** Freed, and kept for the next allocation. */
  readonly cachedBytes: number
  /** The part of `cachedBytes` that the kernel may take back at will. */
  readonly softenedBytes: number
  /** Address space that the heap uses. */
  readonly mappedBytes: number
  /** The heap's own records. */
  readonly metadataBytes: number
  /** Resident memory of the whole process. */
  readonly rssBytes: number
  /** How much may stay cached while nothing is proved. */
  readonly cacheLimitBytes: number
  /** How much may be live; null when there is no limit. */
  readonly memoryLimitBytes: number | null
  /** Allocations served from memory that was in use before, since start. */
  readonly hits: number
  /** Allocations that needed fresh memory from the system, since start. */
  readonly misses: number
  /** Cached blocks given back to the system, since start. */
  readonly evictions: number
  /** Allocations mapped on their own, outside the heap's range, since start. */
  readonly fallbacks: number
}

/**
 * The allocator's figures, now. Cheap: some microseconds.
 *
 * @throws ERR_PLATFORM, ERR_BINARY_MISSING
 * @example
 * import { stats } from 'nalloc'
 *
 * const { liveBytes, cachedBytes, rssBytes } = stats()
 * console.log(liveBytes, cachedBytes, rssBytes)
 */
export function stats(): MemoryStats {
  const { memoryLimitBytes = null, ...others } = callNative(() => binding().stats())
  return { ...others, memoryLimitBytes }
}
