// What is used of OpenTelemetry's meters, and the metrics in its names and units.

import { CACHE_FIGURES, MEMORY_STATES, SECONDS_BUCKETS, secondsByPhase } from './_metricsShared.ts'
import { onProof } from './_proofEvents.ts'
import { stats } from './stats.ts'

/** Attributes of a measurement. */
export type OtelAttributes = Record<string, string>
/** OpenTelemetry's options of an instrument, as far as they are used. */
export interface OtelInstrumentOptions {
  readonly description?: string
  readonly unit?: string
  readonly advice?: { explicitBucketBoundaries?: number[] }
}
/** OpenTelemetry's Counter, as far as it is used. */
export interface OtelCounterLike {
  add(value: number, attributes?: OtelAttributes): void
}
/** OpenTelemetry's Histogram, as far as it is used. */
export interface OtelHistogramLike {
  record(value: number, attributes?: OtelAttributes): void
}
/** What a callback of OpenTelemetry tells its values. */
export interface OtelBatchResultLike<Observable> {
  observe(instrument: Observable, value: number, attributes?: OtelAttributes): void
}
/** OpenTelemetry's Meter, as far as it is used. */
export interface OtelMeterLike<Observable = unknown> {
  createObservableGauge(name: string, options?: OtelInstrumentOptions): Observable
  createObservableCounter(name: string, options?: OtelInstrumentOptions): Observable
  createCounter(name: string, options?: OtelInstrumentOptions): OtelCounterLike
  createHistogram(name: string, options?: OtelInstrumentOptions): OtelHistogramLike
  addBatchObservableCallback(
    callback: (result: OtelBatchResultLike<Observable>) => void,
    observables: Observable[],
  ): void
  removeBatchObservableCallback(
    callback: (result: OtelBatchResultLike<Observable>) => void,
    observables: Observable[],
  ): void
}

/** @internal */
export function collectOtel(meter: OtelMeterLike, prefix: string): () => void {
  const stopMemory = observeMemory(meter, `${prefix}nalloc.`)
  const stopProofs = countProofs(meter, `${prefix}nalloc.`)
  return () => {
    stopMemory()
    stopProofs()
  }
}

function observeMemory(meter: OtelMeterLike, prefix: string): () => void {
  const usage = meter.createObservableGauge(`${prefix}memory.usage`, {
    description: "nalloc's memory by state. Softened is a part of cached.",
    unit: 'By',
  })
  const peak = meter.createObservableGauge(`${prefix}memory.peak`, {
    description: 'The most memory that was live.',
    unit: 'By',
  })
  const caches = CACHE_FIGURES.map(({ figure, help }) => {
    const name = `${prefix}cache.${figure}`
    const counter = meter.createObservableCounter(name, { description: help, unit: '{event}' })
    return { figure, counter }
  })
  const observe = (result: OtelBatchResultLike<unknown>): void => {
    const now = stats()
    for (const [state, figure] of MEMORY_STATES) result.observe(usage, now[figure], { state })
    result.observe(peak, now.peakLiveBytes)
    for (const { figure, counter } of caches) result.observe(counter, now[figure])
  }
  const observables = [usage, peak, ...caches.map(({ counter }) => counter)]
  meter.addBatchObservableCallback(observe, observables)
  return () => meter.removeBatchObservableCallback(observe, observables)
}

function countProofs(meter: OtelMeterLike, prefix: string): () => void {
  const proofs = meter.createCounter(`${prefix}proofs`, {
    description: 'Proofs by circuit and result: ok, aborted or the code of an error.',
    unit: '{proof}',
  })
  const duration = meter.createHistogram(`${prefix}proof.duration`, {
    description: 'Time of proofs by circuit and phase; the phase total is the whole call.',
    unit: 's',
    advice: { explicitBucketBoundaries: [...SECONDS_BUCKETS] },
  })
  return onProof((event) => {
    const { circuit, result } = event
    proofs.add(1, { circuit, result })
    for (const [phase, seconds] of secondsByPhase(event))
      duration.record(seconds, { circuit, phase })
  })
}
