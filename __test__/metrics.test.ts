// `nalloc/metrics`, with the real prom-client and the real OpenTelemetry.

import type { Attributes } from '@opentelemetry/api'
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import test, { type ExecutionContext } from 'ava'
import { type CircuitInputs, configure, groth16, memory, ProvingKey, stats } from 'nalloc'
import { collectDefaultMetrics } from 'nalloc/metrics'
import { groth16 as dropIn } from 'nalloc/snarkjs'
import * as client from 'prom-client'
import { assertEnding, runNode } from './_child.ts'
import { semaphore } from './_repository.ts'

const SMALL = semaphore(1)
const STATES = ['live', 'cached', 'softened', 'mapped', 'secret', 'locked']
const PHASES = ['finish', 'msm', 'queue', 'quotient', 'self-verify', 'total', 'witness']

interface Sample {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  readonly metricName?: string
}

/** What a registry says of one metric. */
async function samples(register: client.Registry, name: string): Promise<readonly Sample[]> {
  const all = await register.getMetricsAsJSON()
  const found = all.find((metric) => metric.name === name) as { values: Sample[] } | undefined
  return found?.values ?? []
}

function sum(list: readonly Sample[]): number {
  return list.reduce((total, { value }) => total + value, 0)
}

/** A meter, and what it has collected until now: by name, then by attributes. */
function meterOf(t: ExecutionContext) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  t.teardown(() => provider.shutdown())
  const collect = async () => {
    exporter.reset()
    await provider.forceFlush()
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
    const metrics = scopes.flatMap((scope) => scope.metrics)
    return new Map(metrics.map((metric) => [metric.descriptor.name, metric]))
  }
  return { meter: provider.getMeter('test'), collect }
}

test.serial('prom-client sees the memory as stats() tells it', async (t) => {
  const register = new client.Registry()
  const stop = collectDefaultMetrics({ prom: { client, register } })
  using key = await ProvingKey.open(semaphore(20).zkey)

  const bytes = await samples(register, 'nalloc_memory_bytes')
  const { liveBytes, peakLiveBytes, mappedBytes, hits, misses, evictions } = stats()
  const counters = ['hits', 'misses', 'evictions'].map((name) => `nalloc_cache_${name}_total`)
  const totals = await Promise.all(counters.map((name) => samples(register, name)))
  const [peak] = await samples(register, 'nalloc_memory_peak_bytes')

  t.deepEqual(
    bytes.map(({ labels }) => labels['state']),
    STATES,
  )
  const valueAt = (state: string) => bytes.find(({ labels }) => labels['state'] === state)?.value
  t.deepEqual([valueAt('live'), valueAt('mapped')], [liveBytes, mappedBytes])
  t.true(liveBytes >= key.info.bytes / 2)
  t.is(peak?.value, peakLiveBytes)
  t.deepEqual(totals.map(sum), [hits, misses, evictions])
  memory.release()
  await groth16.prove(SMALL.zkey, await witness())
  const again = await samples(register, 'nalloc_cache_misses_total')
  t.is(sum(again), stats().misses)
  stop()
})

async function witness() {
  const { Circuit } = await import('nalloc')
  return (await Circuit.open(SMALL.wasm)).witness(SMALL.input)
}

test.serial('prom-client counts proofs by circuit and result, however they are made', async (t) => {
  const register = new client.Registry()
  const stop = collectDefaultMetrics({ prom: { client, register } })
  using key = await ProvingKey.open(SMALL.zkey)
  using named = await ProvingKey.open(SMALL.zkey, { label: 'semaphore' })
  using shared = ProvingKey.fromShared(named.share(), { label: 'of a worker' })
  const digits = key.info.sha256.slice(0, 12)

  await key.fullProve(SMALL.input, SMALL.wasm)
  await groth16.fullProve(SMALL.input, SMALL.wasm, SMALL.zkey, { label: 'one shot' })
  await dropIn.fullProve(SMALL.input, SMALL.wasm, SMALL.zkey)
  await named.prove(await witness())
  await shared.prove(await witness())

  const proofs = await samples(register, 'nalloc_proofs_total')
  const counted = proofs.map(({ labels, value }) => [labels['circuit'], labels['result'], value])
  t.deepEqual(
    counted.sort(),
    [
      ['of a worker', 'ok', 1],
      ['one shot', 'ok', 1],
      ['semaphore', 'ok', 1],
      [digits, 'ok', 2],
    ].sort(),
  )
  const seconds = await samples(register, 'nalloc_proof_seconds')
  const countOf = (circuit: string) =>
    seconds.filter(
      ({ metricName, labels }) =>
        metricName === 'nalloc_proof_seconds_count' && labels['circuit'] === circuit,
    )
  t.deepEqual(
    countOf('semaphore')
      .map(({ labels }) => labels['phase'])
      .sort(),
    PHASES,
  )
  const phases = countOf(digits).map(({ labels }) => labels['phase'])
  t.deepEqual(phases.sort(), PHASES)
  t.true(countOf(digits).every(({ value }) => value === 2))
  const sums = seconds.filter(({ metricName }) => metricName === 'nalloc_proof_seconds_sum')
  const total = sums.filter(({ labels }) => labels['phase'] === 'total')
  const parts = sums.filter(({ labels }) => labels['phase'] !== 'total')
  t.true(sum(parts) > 0 && sum(parts) <= sum(total), `${sum(parts)} of ${sum(total)}`)
  stop()
})

test.serial('what fails is counted under its code, what is aborted as aborted', async (t) => {
  const register = new client.Registry()
  const stop = collectDefaultMetrics({ prom: { client, register } })
  using key = await ProvingKey.open(SMALL.zkey, { label: 'c' })
  const noInput: CircuitInputs = { nosuch: 1 }
  const throwing = () => {
    throw new Error('own')
  }

  await t.throwsAsync(key.fullProve(noInput, SMALL.wasm), { code: 'ERR_INPUT' })
  await t.throwsAsync(key.prove(await witness(), { memoryLimit: 1 }), { code: 'ERR_LIMIT' })
  await t.throwsAsync(key.prove(await witness(), { onProgress: throwing }), { message: 'own' })
  const computed = await witness()
  const outcome = await key
    .prove(computed, { signal: abortSoon() })
    .catch((reason: unknown) => reason)

  t.is(outcome, 'enough')
  const proofs = await samples(register, 'nalloc_proofs_total')
  const counted = proofs.map(({ labels, value }) => [labels['result'], value])
  t.deepEqual(counted, [
    ['ERR_INPUT', 1],
    ['ERR_LIMIT', 1],
    ['error', 1],
    ['aborted', 1],
  ])
  t.deepEqual(await samples(register, 'nalloc_proof_seconds'), [])
  stop()
})

/** Fires within the call that it is given to. */
function abortSoon(): AbortSignal {
  const controller = new AbortController()
  queueMicrotask(() => controller.abort('enough'))
  return controller.signal
}

test.serial('no label and no help has a path, an input or a value', async (t) => {
  const register = new client.Registry()
  const stop = collectDefaultMetrics({ prom: { client, register } })

  await dropIn.fullProve(SMALL.input, SMALL.wasm, SMALL.zkey)
  const text = await register.metrics()
  stop()

  t.true(text.includes('nalloc_proofs_total{circuit="'))
  t.notRegex(text, /\.zkey|\.wasm|node_modules|\/tmp/)
  const values = Object.values(SMALL.input).flat(9).map(String)
  const long = values.filter((value) => value.length > 20)
  t.true(long.length > 0 && long.every((value) => !text.includes(value)))
})

test.serial('stopping leaves a registry empty, and it can be begun again', async (t) => {
  const register = new client.Registry()
  const before = register.getMetricsAsArray().length

  const stop = collectDefaultMetrics({ prom: { client, register }, prefix: 'app_' })
  const names = register.getMetricsAsArray().map(({ name }) => name)
  t.true(names.includes('app_nalloc_memory_bytes') && names.length === 7, names.join())
  const twice = () => collectDefaultMetrics({ prom: { client, register }, prefix: 'app_' })
  t.throws(twice, { message: /app_nalloc_memory_bytes has already been registered/ })
  t.is(register.getMetricsAsArray().length, 7)
  stop()
  stop()
  t.is(register.getMetricsAsArray().length, before)

  collectDefaultMetrics({ prom: { client, register }, prefix: 'app_' })()
  t.is(register.getMetricsAsArray().length, before)
})

test.serial('a name that is taken leaves nothing of ours behind', async (t) => {
  const register = new client.Registry()
  const name = 'nalloc_cache_misses_total'
  const theirs = new client.Counter({ name, help: 'taken', registers: [register] })

  t.throws(() => collectDefaultMetrics({ prom: { client, register } }), { message: /misses/ })

  t.deepEqual(register.getMetricsAsArray(), [theirs as never])
})

test.serial('OpenTelemetry sees memory, caches and proofs, in its names and units', async (t) => {
  const { meter, collect } = meterOf(t)
  const stop = collectDefaultMetrics({ otel: meter })
  using key = await ProvingKey.open(SMALL.zkey, { label: 'c' })

  await key.fullProve(SMALL.input, SMALL.wasm)
  await t.throwsAsync(key.fullProve({ nosuch: 1 }, SMALL.wasm))
  const { liveBytes, peakLiveBytes, hits } = stats()
  const metrics = await collect()

  const points = <T>(name: string) =>
    (metrics.get(name)?.dataPoints ?? []) as unknown as DataPoint<T>[]
  const valueAt = (name: string, attributes: Attributes) =>
    points<number>(name).find((point) => isLike(point.attributes, attributes))?.value
  t.deepEqual(
    points('nalloc.memory.usage').map(({ attributes }) => attributes['state']),
    STATES,
  )
  t.is(valueAt('nalloc.memory.usage', { state: 'live' }), liveBytes)
  t.is(valueAt('nalloc.memory.peak', {}), peakLiveBytes)
  t.is(valueAt('nalloc.cache.hits', {}), hits)
  t.is(valueAt('nalloc.proofs', { circuit: 'c', result: 'ok' }), 1)
  t.is(valueAt('nalloc.proofs', { circuit: 'c', result: 'ERR_INPUT' }), 1)
  const durations = points<Histogram>('nalloc.proof.duration')
  t.deepEqual(durations.map(({ attributes }) => attributes['phase']).sort(), PHASES)
  t.true(durations.every(({ value }) => value.count === 1 && value.buckets.boundaries[0] === 0.001))
  const units = [...metrics.values()].map(({ descriptor }) => [descriptor.name, descriptor.unit])
  t.deepEqual(Object.fromEntries(units), {
    'nalloc.memory.usage': 'By',
    'nalloc.memory.peak': 'By',
    'nalloc.cache.hits': '{event}',
    'nalloc.cache.misses': '{event}',
    'nalloc.cache.evictions': '{event}',
    'nalloc.proofs': '{proof}',
    'nalloc.proof.duration': 's',
  })
  stop()
  await key.fullProve(SMALL.input, SMALL.wasm)
  const after = await collect()
  const last = after.get('nalloc.proofs')?.dataPoints ?? []
  t.deepEqual(
    last.map(({ value }) => value),
    [1, 1],
  )
})

function isLike(attributes: Attributes, wanted: Attributes): boolean {
  return Object.entries(wanted).every(([name, value]) => attributes[name] === value)
}

test.serial('both at once, and other work goes on unseen', async (t) => {
  const register = new client.Registry()
  const { meter, collect } = meterOf(t)
  const stop = collectDefaultMetrics({ prom: { client, register }, otel: meter })
  configure({ concurrency: 2 })
  t.teardown(() => configure({ concurrency: 1 }))
  using key = await ProvingKey.open(SMALL.zkey, { label: 'c' })

  await Promise.all(Array.from({ length: 4 }, () => key.fullProve(SMALL.input, SMALL.wasm)))

  t.is(sum(await samples(register, 'nalloc_proofs_total')), 4)
  const [point] = (await collect()).get('nalloc.proofs')?.dataPoints ?? []
  t.is(point?.value, 4)
  stop()
})

test('it says what is missing, before anything is registered', (t) => {
  const register = new client.Registry()
  const wrong: [unknown, RegExp][] = [
    [undefined, /^options: expected prom or otel, got neither$/],
    [{}, /^options: expected prom or otel, got neither$/],
    [
      { prom: { client } },
      /^prom\.register: expected an object with removeSingleMetric, got undef/,
    ],
    [
      { prom: { client: {}, register } },
      /^prom\.client: expected an object with Gauge, got an obj/,
    ],
    [{ otel: register }, /^otel: expected an object with createObservableGauge, got an object of/],
    [{ prom: { client, register }, prefix: 7 }, /^prefix: expected text, got 7$/],
  ]

  for (const [options, message] of wrong) {
    const call = () => collectDefaultMetrics(options as { prefix?: string })
    t.throws(call, { instanceOf: TypeError, code: 'ERR_INVALID_ARG', message })
  }
  t.deepEqual(register.getMetricsAsArray(), [])
})

test('metrics do not keep a process alive, and load no addon before they are read', async (t) => {
  const program = `
    const client = require('prom-client')
    const { collectDefaultMetrics } = require('nalloc/metrics')
    collectDefaultMetrics({ prom: { client, register: client.register } })
    process.report.excludeNetwork = true
    const { sharedObjects } = process.report.getReport()
    if (sharedObjects.some((file) => file.endsWith('.node'))) throw new Error('loaded')
    process.stdout.write('done')
  `

  const ending = await runNode(['-e', program])

  assertEnding(t, ending, 0)
  t.is(ending.killed, undefined)
})
