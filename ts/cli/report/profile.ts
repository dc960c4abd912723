// What a trace amounts to: its timeline, its phases, its sizes, and what was live at the peak.
//
// Events go in one after the other and none is kept, so memory depends on how many blocks are live
// at once and not on the length of the trace. May assume that readers have checked every event.

import type { TracedProcess, TraceEnd, TraceEvent } from '../../trace/event.ts'
import { type Cell, Census, CLASSES, log2 } from './census.ts'
import { Timeline } from './timeline.ts'

/** Names that are told apart; further ones are one phase. As many as the heap keeps. */
const PHASES_MAX = 32
/** Open phases that are told apart; no program has as many. */
const OPEN_MAX = 256
const FURTHER = 'further phases'
const EMPTY = 'No block is in it: those of less than 64 KiB are not traced.'

/** Requests for memory, and what they cost. */
export interface Requests {
  /** Births, and new sizes. */
  readonly requests: number
  readonly bytes: number
  /** Requests that were served from warm pages alone. */
  readonly hits: number
  /** Requests that the trace says the opposite of. */
  readonly misses: number
  readonly faults: number
}

/** A phase, or all that happened outside of phases. */
export interface PhaseProfile extends Requests {
  /** Undefined for what happened outside of phases. */
  readonly name: string | undefined
  /** How often it began. */
  readonly times: number
  /** How long it was open in all. */
  readonly openUs: number
  /** The most that was live while it was open, whoever took it. */
  readonly peakLiveBytes: number
}

/** Requests of one size class. */
export interface SizeProfile {
  readonly log2Bytes: number
  readonly requests: number
  readonly bytes: number
}

/** The most that was live at once. */
export interface Peak {
  readonly bytes: number
  readonly blocks: number
  readonly timeUs: number
  /** By phase (an index of `phases`) and size, the largest first. */
  readonly cells: readonly Cell[]
}

/** Everything that is shown of a trace. */
export interface Profile extends Requests {
  /** What messages and headings call it. */
  readonly name: string
  readonly durationUs: number
  readonly eventCount: number
  readonly threadCount: number
  readonly peak: Peak
  /** Undefined for a trace without samples. */
  readonly peakResidentBytes: number | undefined
  readonly peakCachedBytes: number | undefined
  /** The most that was live by the heap's own account, whole pages counted. */
  readonly peakPagesBytes: number | undefined
  /** The first is all that happened outside of phases. */
  readonly phases: readonly PhaseProfile[]
  /** From small to large; those between are there, though nobody asked for them. */
  readonly sizes: readonly SizeProfile[]
  readonly timeline: Timeline
  /** Requests that got no memory. */
  readonly refusals: number
  /** Undefined where the trace does not say. */
  readonly process: TracedProcess | undefined
  /** Why the trace holds less than what happened, in sentences. */
  readonly shortfalls: readonly string[]
}

type Counts = { -readonly [Field in keyof Requests]: Requests[Field] }

interface OpenPhase extends Counts {
  readonly name: string | undefined
  times: number
  openUs: number
  openCount: number
  openedUs: number
  peakLiveBytes: number
}

/** Makes a profile of events. */
export class Profiler {
  readonly #timeline = new Timeline()
  readonly #census = new Census()
  readonly #total: Counts = noRequests()
  readonly #sizes = Array.from({ length: CLASSES }, () => ({ requests: 0, bytes: 0 }))
  readonly #phases: OpenPhase[] = [newPhase(undefined)]
  readonly #indexes = new Map<string, number>()
  /** Open phases in the order of their beginning; the last one gets what is requested. */
  readonly #open: number[] = []
  #current: OpenPhase = this.#phases[0] as OpenPhase
  #currentIndex = 0
  #threadCount = 0
  #timeUs = 0
  #knownPeakBytes = 0
  #peak = { timeUs: 0, blocks: 0 }
  #peakResidentBytes: number | undefined
  #peakCachedBytes: number | undefined
  #peakPagesBytes: number | undefined
  #faults: number | undefined
  #refusals = 0

  constructor() {
    this.#timeline.set('live', 0)
  }

  /** Takes the next event. Its time is not before that of the one before. */
  readonly take = (event: TraceEvent): void => {
    this.#timeUs = event.timeUs
    this.#timeline.advance(event.timeUs)
    switch (event.kind) {
      case 'alloc':
      case 'zeroed':
      case 'grown':
        this.#census.birth(event.block, event.bytes, this.#currentIndex)
        this.#request(event)
        break
      case 'resize':
        this.#census.resize(event, this.#currentIndex)
        this.#request(event)
        break
      case 'free':
        this.#census.death(event.block)
        this.#follow()
        break
      case 'refused':
        this.#refusals += 1
        break
      case 'begin':
        this.#begin(this.#indexOf(event.phase))
        break
      case 'end':
        this.#end(event.phase)
        break
      case 'sample':
        this.#sample(event)
    }
  }

  /** Everything that was seen. */
  finish(name: string, { eventCount, shortfalls, process }: TraceEnd): Profile {
    const { peakBytes } = this.#census
    const isEmpty = this.#total.requests === 0
    for (const phase of this.#phases) if (phase.openCount > 0) this.#close(phase)
    return {
      name,
      ...this.#total,
      durationUs: this.#timeUs,
      eventCount,
      threadCount: this.#threadCount,
      peak: { ...this.#peak, bytes: peakBytes, cells: this.#census.atPeak() },
      peakResidentBytes: this.#peakResidentBytes,
      peakCachedBytes: this.#peakCachedBytes,
      peakPagesBytes: this.#peakPagesBytes,
      phases: this.#phases.map(({ openCount, openedUs, ...phase }) => phase),
      sizes: this.#usedSizes(),
      timeline: this.#timeline,
      refusals: this.#refusals,
      process,
      shortfalls: isEmpty ? [...shortfalls, EMPTY] : shortfalls,
    }
  }

  #request(event: TraceEvent): void {
    const { thread, bytes, isHit } = event
    if (thread >= this.#threadCount) this.#threadCount = thread + 1
    const size = this.#sizes[log2(bytes)]
    if (size) {
      size.requests += 1
      size.bytes += bytes
    }
    count(this.#total, event)
    count(this.#current, event)
    if (isHit !== undefined) this.#timeline.add(isHit ? 'hits' : 'misses', 1)
    this.#follow()
  }

  /** What is live now, everywhere where it is kept. */
  #follow(): void {
    const { liveBytes, peakBytes, blockCount } = this.#census
    this.#timeline.set('live', liveBytes)
    if (this.#open.length === 0) raise(this.#current, liveBytes)
    for (const index of this.#open) raise(this.#phases[index] as OpenPhase, liveBytes)
    if (liveBytes === peakBytes && peakBytes > this.#knownPeakBytes) {
      this.#knownPeakBytes = peakBytes
      this.#peak = { timeUs: this.#timeUs, blocks: blockCount }
    }
  }

  #begin(index: number): void {
    const phase = this.#phases[index] as OpenPhase
    phase.times += 1
    phase.openCount += 1
    if (phase.openCount === 1) {
      phase.openedUs = this.#timeUs
      this.#timeline.setOpen(index, true)
    }
    raise(phase, this.#census.liveBytes)
    if (this.#open.length < OPEN_MAX) this.#open.push(index)
    this.#makeCurrent()
  }

  #end(name: string): void {
    const index = this.#indexes.get(name) ?? this.#indexes.get(FURTHER) ?? 0
    const at = this.#open.lastIndexOf(index)
    // Nobody saw its beginning.
    if (at < 0) return
    this.#open.splice(at, 1)
    const phase = this.#phases[index] as OpenPhase
    phase.openCount -= 1
    if (phase.openCount === 0) {
      this.#close(phase)
      this.#timeline.setOpen(index, false)
    }
    this.#makeCurrent()
  }

  #close(phase: OpenPhase): void {
    phase.openUs += this.#timeUs - phase.openedUs
  }

  #makeCurrent(): void {
    this.#currentIndex = this.#open.at(-1) ?? 0
    this.#current = this.#phases[this.#currentIndex] as OpenPhase
    if (this.#currentIndex === 0) raise(this.#current, this.#census.liveBytes)
  }

  #indexOf(name: string): number {
    const known = this.#indexes.get(name)
    if (known !== undefined) return known
    if (this.#phases.length > PHASES_MAX && name !== FURTHER) return this.#indexOf(FURTHER)
    const index = this.#phases.push(newPhase(name)) - 1
    this.#indexes.set(name, index)
    return index
  }

  #sample({ sample }: TraceEvent): void {
    const { cachedBytes, residentBytes, minorFaults, majorFaults } = sample
    const faults = minorFaults + majorFaults
    this.#timeline.set('cached', cachedBytes)
    this.#timeline.set('resident', residentBytes)
    this.#peakCachedBytes = Math.max(this.#peakCachedBytes ?? 0, cachedBytes)
    this.#peakPagesBytes = Math.max(this.#peakPagesBytes ?? 0, sample.liveBytes, sample.highBytes)
    this.#peakResidentBytes = Math.max(this.#peakResidentBytes ?? 0, residentBytes)
    const fresh = Math.max(0, faults - (this.#faults ?? faults))
    this.#faults = faults
    this.#timeline.add('faults', fresh)
    this.#total.faults += fresh
    this.#current.faults += fresh
  }

  #usedSizes(): readonly SizeProfile[] {
    const isUsed = ({ requests }: { requests: number }): boolean => requests > 0
    const first = this.#sizes.findIndex(isUsed)
    const last = this.#sizes.findLastIndex(isUsed)
    const used = first < 0 ? [] : this.#sizes.slice(first, last + 1)
    return used.map((size, i) => ({ ...size, log2Bytes: first + i }))
  }
}

function count(counts: Counts, { bytes, isHit }: TraceEvent): void {
  counts.requests += 1
  counts.bytes += bytes
  if (isHit === true) counts.hits += 1
  if (isHit === false) counts.misses += 1
}

function raise(phase: OpenPhase, liveBytes: number): void {
  if (liveBytes > phase.peakLiveBytes) phase.peakLiveBytes = liveBytes
}

function newPhase(name: string | undefined): OpenPhase {
  const times = name === undefined ? 1 : 0
  return { name, times, openUs: 0, openCount: 0, openedUs: 0, peakLiveBytes: 0, ...noRequests() }
}

function noRequests(): Counts {
  return { requests: 0, bytes: 0, hits: 0, misses: 0, faults: 0 }
}

/** Whether a trace says which requests were hits. */
export function knowsHits({ hits, misses }: Requests): boolean {
  return hits + misses > 0
}

/** Whether a trace says what was cached and resident, and counts faults. */
export function knowsSamples({ peakResidentBytes }: Profile): boolean {
  return peakResidentBytes !== undefined
}
