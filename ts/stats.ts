// What the addon's allocator says of itself.

import { callNative } from './_call.ts'
import { binding } from './native.ts'

/**
 * Figures of the addon's large-block heap, and the process's resident memory. In a process that runs
 * under `nalloc run` there is a second heap, which has the large blocks of everybody else: what can be
 * added is the sum of both.
 */
export interface MemoryStats {
  /** Asked for by the addon and not freed. */
  readonly liveBytes: number
  /** The most that `liveBytes` has been; under `nalloc run` at most that, for the peaks are added. */
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
  /** How much may stay cached in the addon's heap while nothing is proved. */
  readonly cacheLimitBytes: number
  /** In use, as `memory.memoryLimit` bounds it: keys, proofs, witnesses, secrets and arenas. */
  readonly usedBytes: number
  /** What `memory.memoryLimit` is: null when there is no limit. */
  readonly memoryLimitBytes: number | null
  /** Allocations served from memory that was in use before, since start. */
  readonly hits: number
  /** Allocations that needed fresh memory from the system, since start. */
  readonly misses: number
  /** Cached blocks given back to the system, since start. */
  readonly evictions: number
  /** Allocations mapped on their own, outside the heap's range, since start. */
  readonly fallbacks: number
  /**
   * Secret memory: the pages of live witnesses and of arenas for secrets, which are not in
   * `liveBytes`, and the arenas of running proofs, which are.
   */
  readonly secretBytes: number
  /** The part of `secretBytes` that never goes to swap: not that of proofs. See `ulimit -l`. */
  readonly lockedBytes: number
  /** Arenas in use: those that are not disposed, and one for each proof that runs. */
  readonly arenas: number
  /**
   * Proving keys in memory: those that are open, and disposed ones until the last proof that uses
   * them has ended.
   */
  readonly keys: number
  /**
   * Buffers of arenas and secrets that JavaScript kept beyond their time, since start: somebody
   * took them (`transfer`, a byte stream, `markAsUntransferable`), or zlib or the like may have been
   * at work on them. Their memory reads as zero; what was taken stays mapped.
   */
  readonly escapes: number
  /** What was live in each phase, in the order in which their names first appeared; see `phase`. */
  readonly phases: readonly PhaseStats[]
  /** Phases that began under a name for which there was no room, since start. */
  readonly phasesMissed: number
}

/** What happened in the phases of one name: of `phase`, and those that a proof goes through. */
export interface PhaseStats {
  readonly name: string
  /** How many began. */
  readonly times: number
  /** How many of them have not ended. */
  readonly open: number
  /** The most bytes that were live while one of them was open, whoever took them. */
  readonly peakLiveBytes: number
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

/**
 * Begins a new `peakLiveBytes` at what is live now: before the work whose peak is asked for.
 *
 * @throws ERR_PLATFORM, ERR_BINARY_MISSING
 * @example
 * import { ProvingKey, resetPeak, stats } from 'nalloc'
 *
 * const key = await ProvingKey.open('circuit.zkey')
 * resetPeak()
 * await key.prove('witness.wtns')
 * console.log(stats().peakLiveBytes)
 */
export function resetPeak(): void {
  callNative(() => binding().resetPeak())
}
