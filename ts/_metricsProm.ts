// What is used of prom-client, and the metrics in its names: base units, `_bytes`, `_seconds`,
// `_total`.

import { CACHE_FIGURES, MEMORY_STATES, SECONDS_BUCKETS, secondsByPhase } from './_metricsShared.ts'
import { onProof } from './_proofEvents.ts'
import { stats } from './stats.ts'

/** prom-client's configuration of a metric, as far as it is used. */
export interface PromConfig {
  readonly name: string
  readonly help: string
  readonly labelNames?: string[]
  /** Registries, as prom-client itself has them: so any type of them will do. */
  readonly registers?: never[]
  readonly buckets?: number[]
  readonly collect?: () => void
}
/** prom-client's Gauge, as far as it is used. */
export interface PromGaugeLike {
  set(labels: Record<string, string>, value: number): void
}
/** prom-client's Counter, as far as it is used. */
export interface PromCounterLike {
  inc(labels: Record<string, string>, value?: number): void
  reset(): void
}
/** prom-client's Histogram, as far as it is used. */
export interface PromHistogramLike {
  observe(labels: Record<string, string>, value: number): void
}
/** prom-client's Registry, as far as it is used. */
export interface PromRegistryLike {
  removeSingleMetric(name: string): void
}
/** prom-client itself, as far as it is used. */
export interface PromClientLike {
  readonly Gauge: new (config: PromConfig) => PromGaugeLike
  readonly Counter: new (config: PromConfig) => PromCounterLike
  readonly Histogram: new (config: PromConfig) => PromHistogramLike
}
/** prom-client and where to collect. */
export interface PromLike {
  readonly client: PromClientLike
  readonly register: PromRegistryLike
}

/** Throws what prom-client throws; nothing stays registered then. @internal */
export function collectProm({ client, register }: PromLike, prefix: string): () => void {
  const names: string[] = []
  const stops: (() => void)[] = []
  const stop = (): void => {
    for (const end of stops.splice(0)) end()
    for (const name of names.splice(0)) register.removeSingleMetric(name)
  }
  /** The configuration of a metric whose name is free. */
  const make = <T>(Metric: new (config: PromConfig) => T, config: PromConfig): T => {
    const name = `${prefix}${config.name}`
    const metric = new Metric({ ...config, name, registers: [register as never] })
    names.push(name)
    return metric
  }
  try {
    makeMemory(client, make)
    stops.push(makeProofs(client, make))
    return stop
  } catch (error) {
    stop()
    throw error
  }
}

type Make = <T>(Metric: new (config: PromConfig) => T, config: PromConfig) => T

function makeMemory({ Gauge, Counter }: PromClientLike, make: Make): void {
  const bytes = make(Gauge, {
    name: 'nalloc_memory_bytes',
    help: "Bytes of nalloc's memory by state. Softened is a part of cached.",
    labelNames: ['state'],
    collect: () => {
      const now = stats()
      for (const [state, figure] of MEMORY_STATES) bytes.set({ state }, now[figure])
    },
  })
  const peak = make(Gauge, {
    name: 'nalloc_memory_peak_bytes',
    help: 'The most bytes that were live.',
    collect: () => peak.set({}, stats().peakLiveBytes),
  })
  for (const { figure, help } of CACHE_FIGURES) {
    const counter = make(Counter, {
      name: `nalloc_cache_${figure}_total`,
      help,
      collect: () => {
        // The total is counted elsewhere, and prom-client can only add.
        counter.reset()
        counter.inc({}, stats()[figure])
      },
    })
  }
}

/** Returns what ends it. */
function makeProofs({ Counter, Histogram }: PromClientLike, make: Make): () => void {
  const proofs = make(Counter, {
    name: 'nalloc_proofs_total',
    help: 'Proofs by circuit and result: ok, aborted or the code of an error.',
    labelNames: ['circuit', 'result'],
  })
  const seconds = make(Histogram, {
    name: 'nalloc_proof_seconds',
    help: 'Seconds of proofs by circuit and phase; the phase total is the whole call.',
    labelNames: ['circuit', 'phase'],
    buckets: [...SECONDS_BUCKETS],
  })
  return onProof((event) => {
    const { circuit, result } = event
    proofs.inc({ circuit, result })
    for (const [phase, value] of secondsByPhase(event)) seconds.observe({ circuit, phase }, value)
  })
}
