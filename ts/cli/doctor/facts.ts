// What a machine is like, as far as proving cares: gathered here, judged in checks.ts.
//
// Each fact is asked of a host, so that tests can be another machine. Where the addon does not load
// the facts that need it are absent, and the others are still there.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Environment, environment } from '../../environment.ts'
import { codeOf } from '../../errors.ts'
import { binding } from '../../native.ts'
import { stats } from '../../stats.ts'
import { openLargeKey } from './largeKey.ts'
import { runSelfTest, type SelfTest } from './selfTest.ts'

/** Why something is not known. */
export interface Failure {
  readonly code: string
  readonly message: string
}

/** What is known of a machine. */
export interface Facts {
  readonly nodeVersion: string
  /** `Bun 1.4.5`, which says that it is that Node; undefined for Node itself. */
  readonly runtime: string | undefined
  /** `linux-x64`. */
  readonly platform: string
  readonly kernel: string
  readonly ramBytes: number
  /** Below `ramBytes`; null without a limit. */
  readonly cgroupLimitBytes: number | null
  /** Threads that this process may run at once. */
  readonly availableThreads: number
  readonly addon: AddonFacts | Failure
}

/** What only the addon can tell. */
export interface AddonFacts {
  readonly file: string
  /** Asked for while the heap holds `heap`, so that it tells which pages that obtained. */
  readonly environment: Environment
  readonly heap: HeapUse | Failure
  readonly cacheLimitBytes: number
  readonly selfTest: SelfTest | Failure
  /** Threads that prove; undefined where they cannot be counted. */
  readonly poolThreads: number | undefined
}

/** What the addon's heap held when the environment was asked for. */
export interface HeapUse {
  readonly heapBytes: number
}

/** A machine. */
export interface Host {
  readonly nodeVersion: string
  readonly runtime: string | undefined
  readonly platform: string
  readonly kernel: string
  readonly ramBytes: number
  readonly constrainedBytes: number
  readonly availableThreads: number
  /** Loads the addon and tells its file. */
  loadAddon(): string
  /** Fills the heap until `dispose` is called. */
  fillHeap(signal: AbortSignal): Promise<HeapUse & { dispose(): void }>
  environment(): Promise<Environment>
  cacheLimitBytes(): number
  selfTest(signal: AbortSignal): Promise<SelfTest>
  poolThreads(): number | undefined
}

/** The machine that this process runs on. */
export function thisHost(): Host {
  return {
    nodeVersion: process.versions.node,
    runtime: runtimeOf(process.versions),
    platform: `${process.platform}-${process.arch}`,
    kernel: os.release(),
    ramBytes: os.totalmem(),
    constrainedBytes: process.constrainedMemory(),
    availableThreads: os.availableParallelism(),
    loadAddon: () => {
      binding()
      const file = Object.keys(require.cache).find((name) => ADDON.test(path.basename(name)))
      return file ?? 'a file of unknown name'
    },
    fillHeap,
    environment,
    cacheLimitBytes: () => stats().cacheLimitBytes,
    selfTest: (signal) => runSelfTest({ signal }),
    poolThreads: countPoolThreads,
  }
}

/** Asks a machine for everything. Throws the signal's reason, and nothing else. */
export async function gatherFacts(host: Host, signal: AbortSignal): Promise<Facts> {
  const { nodeVersion, runtime, platform, kernel, ramBytes, availableThreads } = host
  const addon = await addonFacts(host, signal)
  signal.throwIfAborted()
  const cgroupLimitBytes = isLoaded(addon)
    ? addon.environment.cgroupLimitBytes
    : limitOf(host.constrainedBytes, ramBytes)
  return {
    nodeVersion,
    runtime,
    platform,
    kernel,
    ramBytes,
    cgroupLimitBytes,
    availableThreads,
    addon,
  }
}

/** Whether the facts that need the addon are there. */
export function isLoaded(addon: AddonFacts | Failure): addon is AddonFacts {
  return 'file' in addon
}

const ADDON = /^nalloc\..*\.node$/
/** Names of the pool's threads begin with this. */
const THREAD_NAME = 'nalloc-'

async function addonFacts(host: Host, signal: AbortSignal): Promise<AddonFacts | Failure> {
  try {
    const file = host.loadAddon()
    const selfTest = await host.selfTest(signal).catch(failureOf)
    // After the self-test, which has fewer bytes to search then and has started the threads.
    const filled = await host.fillHeap(signal).catch(failureOf)
    const environment = await host.environment()
    const heap = 'code' in filled ? filled : { heapBytes: filled.heapBytes }
    if (!('code' in filled)) filled.dispose()
    const cacheLimitBytes = host.cacheLimitBytes()
    const poolThreads = host.poolThreads()
    return { file, environment, heap, cacheLimitBytes, selfTest, poolThreads }
  } catch (error) {
    return failureOf(error)
  }
}

/** Whose versions these are, unless Node's. */
export function runtimeOf({ bun, deno }: NodeJS.Dict<string>): string | undefined {
  if (bun !== undefined) return `Bun ${bun}`
  return deno === undefined ? undefined : `Deno ${deno}`
}

/** What Node says: 0 or some 2^64 where there is no limit. */
function limitOf(constrainedBytes: number, ramBytes: number): number | null {
  return constrainedBytes > 0 && constrainedBytes < ramBytes ? constrainedBytes : null
}

async function fillHeap(signal: AbortSignal): Promise<HeapUse & { dispose(): void }> {
  const key = await openLargeKey(signal)
  // What was copied for it and freed keeps its pages.
  const { liveBytes, cachedBytes } = stats()
  return { heapBytes: liveBytes + cachedBytes, dispose: () => key.dispose() }
}

function failureOf(error: unknown): Failure {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  return { code: typeof code === 'string' ? code : 'ERR_INTERNAL', message }
}

function countPoolThreads(): number | undefined {
  const folder = '/proc/self/task'
  try {
    const names = fs
      .readdirSync(folder)
      .map((id) => fs.readFileSync(`${folder}/${id}/comm`, 'utf8'))
    const count = names.filter((name) => name.startsWith(THREAD_NAME)).length
    // The self-test has started some: where none shows, threads have no names.
    return count > 0 ? count : undefined
  } catch {
    return undefined
  }
}
