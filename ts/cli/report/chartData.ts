// Makes what the page's script is given.

import type { ChartData, Extremes, TraceData, Values } from './chartTypes.ts'
import { printable } from './markup.ts'
import { knowsHits, knowsSamples, type Profile } from './profile.ts'
import type { PhaseColors } from './style.ts'
import type { Counter, Gauge, Range } from './timeline.ts'

/** The data of the charts; steps of all traces become those of the coarsest. */
export function chartDataOf(profiles: readonly Profile[], colors: PhaseColors): ChartData {
  const stepUs = Math.max(...profiles.map(({ timeline }) => timeline.stepUs))
  for (const { timeline } of profiles) timeline.coarsen(stepUs)
  const steps = Math.max(...profiles.map(({ timeline }) => timeline.length))
  return { stepUs, steps, traces: profiles.map((profile) => traceDataOf(profile, colors)) }
}

function traceDataOf(profile: Profile, colors: PhaseColors): TraceData {
  const { name, timeline, phases, peak } = profile
  const counts = (counter: Counter): Values => [...timeline.counts(counter)]
  return {
    name: printable(name),
    live: extremes(timeline.range('live')),
    ...gauge(profile, 'cached'),
    ...gauge(profile, 'resident'),
    ...(knowsHits(profile) && { hits: counts('hits'), misses: counts('misses') }),
    ...(knowsSamples(profile) && { faults: counts('faults') }),
    phases: phases.slice(1).map((phase, i) => ({
      name: printable(phase.name ?? ''),
      color: colors.colorOf(phase.name),
      spans: timeline.spans(i + 1).map(({ from, to }) => [from, to] as const),
    })),
    peakBytes: peak.bytes,
    peakUs: peak.timeUs,
  }
}

function gauge(
  { timeline, peakResidentBytes }: Profile,
  name: Exclude<Gauge, 'live'>,
): Partial<Pick<TraceData, 'cached' | 'resident'>> {
  if (peakResidentBytes === undefined) return {}
  return { [name]: extremes(timeline.range(name)) }
}

function extremes({ min, max }: Range): Extremes {
  const values = (steps: Float64Array): Values =>
    Array.from(steps, (value) => (Number.isNaN(value) ? null : value))
  return { min: values(min), max: values(max) }
}
