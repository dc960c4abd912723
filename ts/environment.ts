// What this process runs on and under, and what of it stands in a proof's way.

import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { callNative } from './_call.ts'
import {
  type Addresses,
  hugePageMode,
  isMapped,
  lockableBytes,
  type Residence,
  residenceOf,
} from './_proc.ts'
import { binding, hostTuple } from './native.ts'

/** Something about the machine or the process that costs speed or safety. */
export interface EnvironmentWarning {
  /** A stable name. */
  readonly id: 'thp-off' | 'thp-not-obtained' | 'memlock-small' | 'cgroup-small'
  /** What was expected, what was found, and what it costs. */
  readonly message: string
  /** Where to read what to do: a heading of the documentation. */
  readonly fix: string
}

/** What this process runs on and under. Plain values: it can be written as JSON. */
export interface Environment {
  /** The version of this package. */
  readonly version: string
  /** Operating system, processor and C library of the addon, such as linux-x64-gnu. */
  readonly triple: string
  readonly libc: 'gnu' | 'musl'
  /** The kernel's release. */
  readonly kernel: string
  /**
   * The arithmetic that runs: ifma needs AVX-512 IFMA, baseline runs on every CPU. Proofs are the
   * same. The environment variable NALLOC_CPU=baseline turns the faster one off.
   */
  readonly cpu: 'baseline' | 'avx2' | 'ifma' | 'neon'
  /** Bytes of a page. */
  readonly pageSize: number
  /** Transparent huge pages. */
  readonly thp: {
    /** The kernel's setting: always, madvise or never; or unknown. */
    readonly mode: string
    /** Bytes of the addon's heap that are on huge pages now; 0 where that cannot be read. */
    readonly obtainedBytes: number
  }
  /**
   * Bytes that this process may keep out of swap: ulimit -l. Number.MAX_SAFE_INTEGER stands for no
   * limit, and for the right CAP_IPC_LOCK: unlike Infinity it is JSON, and compares as one expects.
   */
  readonly memlockBytes: number
  /** The memory limit of the cgroup; null when there is none below the machine's memory. */
  readonly cgroupLimitBytes: number | null
  /** Whether this process runs under `nalloc run`: libnalloc_preload has its large blocks. */
  readonly preloaded: boolean
  /** What stands in the way; empty is good. */
  readonly warnings: readonly EnvironmentWarning[]
}

/** Where an environment is read from: a parameter, so that tests can be another machine. @internal */
export interface Surroundings {
  /** The folder of proc and sys. */
  readonly root: string
  readonly kernel: string
  readonly tuple: string
  readonly cpu: string
  readonly pageSize: number
  readonly cgroupLimitBytes: number | undefined
  readonly heap: Addresses | undefined
}

/** The library that `nalloc run` preloads, as a package or a build of one's own names it. */
const PRELOAD = /\/libnalloc_preload(\.linux-[a-z0-9-]+)?\.so$/
/** A heap with fewer bytes in memory may have no huge page by chance. */
const RESIDENT_BYTES_MIN = 64 * 2 ** 20
/** What Linux allows to lock since 5.16: the witness of a circuit with 262,144 signals. */
const MEMLOCK_BYTES_MIN = 8 * 2 ** 20
/** Node with 50 MiB, and a circuit with 2^18 signals: 150 MiB of key, 143 MiB of proof (estimated). */
const CGROUP_BYTES_MIN = 512 * 2 ** 20
const SIGNAL_BYTES = 32

/**
 * What this process runs on and under, and what of it costs speed or safety. Reads /proc/self/smaps,
 * which takes some milliseconds.
 *
 * @throws ERR_PLATFORM, ERR_BINARY_MISSING
 * @example
 * import { environment } from 'nalloc'
 *
 * const { cpu, thp, warnings } = await environment()
 * console.log(cpu, thp.mode)
 * for (const { id, message, fix } of warnings) console.warn(`${id}: ${message} See ${fix}`)
 */
export async function environment(): Promise<Environment> {
  const { heapStart, heapEnd, cgroupLimitBytes, pageBytes, cpu } = callNative(() =>
    binding().host(),
  )
  const hasHeap = heapStart !== undefined && heapEnd !== undefined
  return environmentOf({
    root: '/',
    kernel: os.release(),
    tuple: hostTuple(),
    cpu,
    pageSize: pageBytes,
    cgroupLimitBytes,
    heap: hasHeap ? { start: heapStart, end: heapEnd } : undefined,
  })
}

/** As `environment`, for given surroundings. @internal */
export async function environmentOf(surroundings: Surroundings): Promise<Environment> {
  const { root, kernel, tuple, cpu, pageSize, cgroupLimitBytes, heap } = surroundings
  const [mode, residence, lockable, preloaded] = await Promise.all([
    hugePageMode(root),
    residenceOf(root, heap),
    lockableBytes(root),
    isMapped(root, PRELOAD),
  ])
  const warnings = [
    hugePageWarning(mode, residence),
    memlockWarning(lockable),
    cgroupWarning(cgroupLimitBytes),
  ]
  return {
    version: packageVersion(),
    triple: tuple,
    libc: tuple.endsWith('musl') ? 'musl' : 'gnu',
    kernel,
    cpu: cpu as Environment['cpu'],
    pageSize,
    thp: { mode: mode ?? 'unknown', obtainedBytes: residence?.hugeBytes ?? 0 },
    memlockBytes: Math.min(lockable ?? 0, Number.MAX_SAFE_INTEGER),
    cgroupLimitBytes: cgroupLimitBytes ?? null,
    preloaded,
    warnings: warnings.filter((warning) => warning !== undefined),
  }
}

function hugePageWarning(
  mode: string | undefined,
  residence: Residence | undefined,
): EnvironmentWarning | undefined {
  const fix = 'docs/tuning.md#transparent-huge-pages'
  if (mode === 'never') {
    const message =
      'transparent huge pages: expected always or madvise, got never. Proofs pay for more page ' +
      'faults and TLB misses.'
    return { id: 'thp-off', message, fix }
  }
  const { residentBytes, hugeBytes } = residence ?? { residentBytes: 0, hugeBytes: 0 }
  if (mode === undefined || hugeBytes > 0 || residentBytes < RESIDENT_BYTES_MIN) return undefined
  const message =
    `transparent huge pages: expected some in ${mib(residentBytes)} of heap, got none, although ` +
    `the mode is ${mode}. Memory is fragmented, or this process may not have any.`
  return { id: 'thp-not-obtained', message, fix }
}

function memlockWarning(lockable: number | undefined): EnvironmentWarning | undefined {
  if (lockable === undefined || lockable >= MEMLOCK_BYTES_MIN) return undefined
  const signals = Math.floor(lockable / SIGNAL_BYTES)
  const message =
    `locked memory: expected at least ${mib(MEMLOCK_BYTES_MIN)} (ulimit -l), got ` +
    `${mib(lockable)}. Witnesses of more than ${signals} signals together may be written to swap.`
  return { id: 'memlock-small', message, fix: 'docs/tuning.md#locked-memory' }
}

function cgroupWarning(limitBytes: number | undefined): EnvironmentWarning | undefined {
  if (limitBytes === undefined || limitBytes >= CGROUP_BYTES_MIN) return undefined
  const message =
    `cgroup: expected a memory limit of at least ${mib(CGROUP_BYTES_MIN)}, got ` +
    `${mib(limitBytes)}. The kernel ends a process that needs more, without an error.`
  return { id: 'cgroup-small', message, fix: 'docs/tuning.md#containers-and-cgroups' }
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

function packageVersion(): string {
  const file = path.join(__dirname, '..', 'package.json')
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return version
}
