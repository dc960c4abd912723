// What `--json` prints of a report.

import type { TracedProcess } from '../../trace/event.ts'
import type { Answer } from '../terminal.ts'
import type { Cell } from './census.ts'
import {
  knowsHits,
  knowsSamples,
  type PhaseProfile,
  type Profile,
  type Requests,
  type SizeProfile,
} from './profile.ts'

/** A trace, in numbers; null is what it does not say. */
interface TraceJson {
  readonly name: string
  readonly durationUs: number
  readonly events: number
  readonly threads: number
  readonly requests: number
  readonly requestedBytes: number
  readonly hits: number | null
  readonly misses: number | null
  readonly faults: number | null
  readonly peakResidentBytes: number | null
  readonly peakCachedBytes: number | null
  readonly peakPagesBytes: number | null
  readonly peak: PeakJson
  /** The first is all that happened outside of phases. */
  readonly phases: readonly PhaseJson[]
  readonly sizes: readonly SizeProfile[]
  readonly refusals: number
  readonly process: TracedProcess | null
  /** Why the trace holds less than what happened, in sentences. */
  readonly shortfalls: readonly string[]
}

interface PeakJson {
  readonly bytes: number
  readonly blocks: number
  readonly timeUs: number
  /** By phase (its name) and size, the largest first. */
  readonly cells: readonly (Omit<Cell, 'phase'> & { readonly phase: string | null })[]
}

interface PhaseJson {
  readonly name: string | null
  readonly times: number
  readonly openUs: number
  readonly peakLiveBytes: number
  readonly requests: number
  readonly requestedBytes: number
  readonly hits: number | null
  readonly misses: number | null
  readonly faults: number | null
}

/** What `--json` prints. */
export interface ReportJson extends Answer {
  readonly schema: 'nalloc/report@1'
  readonly trace: TraceJson
  readonly against: TraceJson | null
}

/** The report for programs. */
export function reportJson(profile: Profile, other: Profile | undefined): ReportJson {
  return {
    schema: 'nalloc/report@1',
    trace: traceJson(profile),
    against: other ? traceJson(other) : null,
  }
}

function traceJson(profile: Profile): TraceJson {
  const { name, durationUs, peak, phases, sizes } = profile
  return {
    name,
    durationUs,
    events: profile.eventCount,
    threads: profile.threadCount,
    ...requestsJson(profile, profile),
    peakResidentBytes: profile.peakResidentBytes ?? null,
    peakCachedBytes: profile.peakCachedBytes ?? null,
    peakPagesBytes: profile.peakPagesBytes ?? null,
    peak: { ...peak, cells: peak.cells.map((cell) => ({ ...cell, phase: nameOf(phases, cell) })) },
    phases: phases.map((phase) => ({
      name: phase.name ?? null,
      times: phase.times,
      openUs: phase.openUs,
      peakLiveBytes: phase.peakLiveBytes,
      ...requestsJson(phase, profile),
    })),
    sizes,
    refusals: profile.refusals,
    process: profile.process ?? null,
    shortfalls: profile.shortfalls,
  }
}

function requestsJson({ requests, bytes, hits, misses, faults }: Requests, profile: Profile) {
  const [hasHits, hasFaults] = [knowsHits(profile), knowsSamples(profile)]
  return {
    requests,
    requestedBytes: bytes,
    hits: hasHits ? hits : null,
    misses: hasHits ? misses : null,
    faults: hasFaults ? faults : null,
  }
}

function nameOf(phases: readonly PhaseProfile[], { phase }: Cell): string | null {
  return phases[phase]?.name ?? null
}
