// The entry point `nalloc/metrics`: memory and proofs as metrics of prom-client and OpenTelemetry.
//
// Neither is a dependency. What is used of them is spelled out in _metricsProm.ts and
// _metricsOtel.ts, and the application hands in its own.

import { checkOptions, show, showType } from './_check.ts'
import { collectOtel, type OtelMeterLike } from './_metricsOtel.ts'
import { collectProm, type PromLike } from './_metricsProm.ts'
import { wrongType } from './errors.ts'

export type {
  OtelAttributes,
  OtelBatchResultLike,
  OtelCounterLike,
  OtelHistogramLike,
  OtelInstrumentOptions,
  OtelMeterLike,
} from './_metricsOtel.ts'
export type {
  PromClientLike,
  PromConfig,
  PromCounterLike,
  PromGaugeLike,
  PromHistogramLike,
  PromLike,
  PromRegistryLike,
} from './_metricsProm.ts'

/** Options of `collectDefaultMetrics`: at least one of `prom` and `otel`. */
export interface MetricsOptions {
  /** prom-client and the registry to collect in. */
  readonly prom?: PromLike | undefined
  /** A meter of OpenTelemetry. */
  readonly otel?: OtelMeterLike | undefined
  /** What every name begins with. @defaultValue no prefix: the names begin with nalloc */
  readonly prefix?: string | undefined
}

/**
 * Collects this process's memory and this thread's proofs, until the function that it returns is
 * called: that takes the metrics out of the registry and of the meter.
 *
 * | prom-client | OpenTelemetry | |
 * |---|---|---|
 * | nalloc_memory_bytes | nalloc.memory.usage | gauge by state: live, cached, softened, mapped, secret, locked |
 * | nalloc_memory_peak_bytes | nalloc.memory.peak | gauge |
 * | nalloc_cache_hits_total | nalloc.cache.hits | counter; so are misses and evictions |
 * | nalloc_proofs_total | nalloc.proofs | counter by circuit and result |
 * | nalloc_proof_seconds | nalloc.proof.duration | histogram by circuit and phase |
 *
 * A circuit is the label that its key was opened with, else the first twelve digits of the key's
 * SHA-256; never a path. A result is ok, aborted, or the code of the error. The phase total is the
 * whole call.
 *
 * @throws ERR_INVALID_ARG; what prom-client throws for a name that is in the registry already
 * @example
 * import { collectDefaultMetrics } from 'nalloc/metrics'
 * import client from 'prom-client'
 *
 * const stop = collectDefaultMetrics({ prom: { client, register: client.register } })
 * console.log((await client.register.metrics()).includes('nalloc_memory_bytes')) // true
 * stop()
 */
export function collectDefaultMetrics(options: MetricsOptions): () => void {
  const { prom, otel, prefix } = checkOptions(options)
  if (prefix !== undefined && typeof prefix !== 'string') {
    throw wrongType('prefix', 'text', show(prefix))
  }
  if (prom === undefined && otel === undefined) {
    throw wrongType('options', 'prom or otel', 'neither')
  }
  checkParts('prom.client', prom?.client, prom && ['Gauge', 'Counter', 'Histogram'])
  checkParts('prom.register', prom?.register, prom && ['removeSingleMetric'])
  checkParts('otel', otel, otel && ['createObservableGauge', 'addBatchObservableCallback'])
  const stops: (() => void)[] = []
  if (prom !== undefined) stops.push(collectProm(prom, prefix ?? ''))
  if (otel !== undefined) stops.push(collectOtel(otel, prefix ?? ''))
  return () => {
    for (const stop of stops.splice(0)) stop()
  }
}

/** Throws where another thing was handed in, before anything is registered. */
function checkParts(name: string, value: unknown, parts: readonly string[] | undefined): void {
  for (const part of parts ?? []) {
    const has = typeof value === 'object' && value !== null && part in value
    if (!has) throw wrongType(name, `an object with ${part}`, showType(value))
  }
}
