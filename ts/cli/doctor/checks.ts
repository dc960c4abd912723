// Judges the facts of a machine: one line for each, in the order of the report.

import type { EnvironmentWarning } from '../../environment.ts'
import { isSupportedNode, NODE_MIN } from '../../native.ts'
import { countText, sizeText } from '../quantities.ts'
import { type AddonFacts, type Facts, isLoaded } from './facts.ts'
import type { Residue } from './selfTest.ts'

/** How a check went: a warning costs speed or a margin of safety, a failure costs proofs. */
export type CheckStatus = 'ok' | 'warn' | 'fail'

/** One line of the report. */
export interface Check {
  /** Stable, for programs. */
  readonly id: string
  readonly status: CheckStatus
  readonly message: string
  /** What to do about it. */
  readonly fix?: string
}

const SIGNAL_BYTES = 32
/** More of the memory than this in the cache leaves too little for the program itself. */
const CACHE_SHARE_MAX = 1 / 2

/** Every check that the facts allow. */
export function checksOf(facts: Facts): Check[] {
  const { addon } = facts
  if (!isLoaded(addon)) {
    const failure: Check = { id: 'addon', status: 'fail', message: addon.message }
    return [
      failure,
      nodeCheck(facts),
      memoryCheck(facts, undefined),
      threadsCheck(facts, undefined),
    ]
  }
  return [
    { id: 'addon', status: 'ok', message: addonText(addon) },
    nodeCheck(facts),
    memoryCheck(facts, addon),
    hugePagesCheck(addon),
    lockedMemoryCheck(addon),
    threadsCheck(facts, addon.poolThreads),
    selfTestCheck(addon),
  ]
}

function addonText({ file, environment }: AddonFacts): string {
  const [platformPackage] = /@nalloc\/[^/]+/.exec(file) ?? []
  return `${platformPackage ?? `local build ${file}`}, CPU path ${environment.cpu}`
}

function nodeCheck({ nodeVersion, runtime }: Facts): Check {
  const as = runtime === undefined ? '' : ` as ${runtime}`
  const message = `Node ${nodeVersion}${as}, ${NODE_MIN.join('.')} or newer is supported`
  if (isSupportedNode(nodeVersion)) return { id: 'node', status: 'ok', message }
  return { id: 'node', status: 'fail', message, fix: 'install a newer Node' }
}

function memoryCheck(facts: Facts, addon: AddonFacts | undefined): Check {
  const id = 'memory'
  const { ramBytes, cgroupLimitBytes } = facts
  const limit =
    cgroupLimitBytes === null ? 'no cgroup limit' : `${sizeText(cgroupLimitBytes)} cgroup limit`
  const memory = `${sizeText(ramBytes)} RAM, ${limit}`
  if (!addon) return { id, status: 'ok', message: memory }
  const small = warningCheck(id, addon, ['cgroup-small'])
  if (small) return small
  const message = `${memory}; cache limit ${sizeText(addon.cacheLimitBytes)}`
  const isTight = addon.cacheLimitBytes > (cgroupLimitBytes ?? ramBytes) * CACHE_SHARE_MAX
  if (!isTight) return { id, status: 'ok', message }
  return { id, status: 'warn', message, fix: 'set NALLOC_CACHE_LIMIT to fewer bytes' }
}

function hugePagesCheck(addon: AddonFacts): Check {
  const id = 'huge-pages'
  const { mode, obtainedBytes } = addon.environment.thp
  const warning = warningCheck(id, addon, ['thp-off', 'thp-not-obtained'])
  if (warning) return warning
  if ('code' in addon.heap) {
    return { id, status: 'warn', message: `THP=${mode}, not checked: ${addon.heap.message}` }
  }
  const { heapBytes } = addon.heap
  const message = `THP=${mode}, obtained ${sizeText(obtainedBytes)} of ${sizeText(heapBytes)}`
  return { id, status: 'ok', message }
}

function lockedMemoryCheck(addon: AddonFacts): Check {
  const id = 'locked-memory'
  const warning = warningCheck(id, addon, ['memlock-small'])
  if (warning) return warning
  const { memlockBytes } = addon.environment
  if (memlockBytes === Number.MAX_SAFE_INTEGER) return { id, status: 'ok', message: 'no limit' }
  const signals = countText(Math.floor(memlockBytes / SIGNAL_BYTES))
  const message = `RLIMIT_MEMLOCK ${sizeText(memlockBytes)}: witnesses of ${signals} signals`
  return { id, status: 'ok', message }
}

/** What the environment warns of, where that is the same thing. */
function warningCheck(
  id: string,
  { environment }: AddonFacts,
  ids: readonly EnvironmentWarning['id'][],
): Check | undefined {
  const warning = environment.warnings.find((candidate) => ids.includes(candidate.id))
  // The report names what it is about already.
  return warning && { id, status: 'warn', message: textOf(warning), fix: warning.fix }
}

function textOf({ message }: EnvironmentWarning): string {
  return message.replace(/^[^:]*: /, '')
}

function threadsCheck({ availableThreads }: Facts, poolThreads: number | undefined): Check {
  const id = 'threads'
  const usable = `${availableThreads} usable at once`
  if (poolThreads === undefined) return { id, status: 'ok', message: usable }
  const message = `${poolThreads} that prove, ${usable}`
  if (poolThreads <= availableThreads) return { id, status: 'ok', message }
  return { id, status: 'warn', message, fix: 'give fewer to configure({ threads })' }
}

function selfTestCheck({ selfTest }: AddonFacts): Check {
  const id = 'self-test'
  const fix = 'report it, with this whole report'
  if ('code' in selfTest) return { id, status: 'fail', message: selfTest.message, fix }
  const { ms, isValid, isAlteredRefused, residue } = selfTest
  if (!isValid) return { id, status: 'fail', message: 'the proof does not verify', fix }
  if (!isAlteredRefused) return { id, status: 'fail', message: 'an altered proof verifies', fix }
  const message = `prove+verify in ${ms.toFixed(0)} ms; ${residueText(residue)}`
  if (!residue.isKnown) return { id, status: 'warn', message }
  return residue.valuesLeft === 0
    ? { id, status: 'ok', message }
    : { id, status: 'fail', message, fix }
}

function residueText(residue: Residue): string {
  if (!residue.isKnown) return `memory not checked for the witness: ${residue.reason}`
  const { valuesLeft, values } = residue
  return `${valuesLeft} copies of ${values} witness values left`
}
