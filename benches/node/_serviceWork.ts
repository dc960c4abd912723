// What service.ts measures, each in a process of its own: prints one object on stdout.

import { createHook } from 'node:async_hooks'
import fs from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { configure, memory, type ProofResult, ProvingKey, stats } from 'nalloc'

/** Files of a key and a witness of it. */
export interface Pair {
  readonly zkey: string
  readonly wtns: string
}

/** What a measurement found: a number for each row of service.ts. */
export type Figures = Readonly<Record<string, number>>

const ABORTS = 30
/** What must have happened by then. */
const ABORT_MS = 50
/** How long the process is watched after that. */
const WATCHED_MS = 100
const CROWD = 32
const CROWD_FITS = 3
const PROOFS = 1000
/** The proof that the memory of all later ones is compared with. */
const SETTLED = 10
const MS_PER_SECOND = 1000
const CALLBACK_MS_MAX = 5

async function check(key: ProvingKey, { proof, publicSignals }: ProofResult): Promise<void> {
  if (await key.verifyingKey.verify(proof, publicSignals)) return
  throw new Error('expected a proof that verifies, got another')
}

/** Bytes that are resident, or were at most. */
function statusBytes(field: 'VmRSS' | 'VmHWM'): number {
  const status = fs.readFileSync('/proc/self/status', 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
}

function resetResidentPeak(): void {
  fs.writeFileSync('/proc/self/clear_refs', '5')
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The proof's time, warm. */
async function proofMs(key: ProvingKey, wtns: string): Promise<number> {
  await key.prove(wtns)
  const startMs = performance.now()
  await check(key, await key.prove(wtns))
  return performance.now() - startMs
}

/** Aborts proofs at moments that are spread over a proof, and sees what is over when. */
async function abort([pair]: readonly [Pair]): Promise<Figures> {
  const { zkey, wtns } = pair
  const key = await ProvingKey.open(zkey)
  const ms = await proofMs(key, wtns)
  const before = stats()
  let [rejectMs, freeMs, cpuAfterMs, nextMs, stopped] = [0, 0, 0, 0, 0]
  for (let i = 0; i < ABORTS; i += 1) {
    const controller = new AbortController()
    const proving = key.prove(wtns, { signal: controller.signal })
    await wait((ms * i) / ABORTS)
    const abortedMs = performance.now()
    controller.abort('stop')
    const outcome = await proving.catch((reason: unknown) => reason)
    if (outcome !== 'stop') continue
    stopped += 1
    rejectMs = Math.max(rejectMs, performance.now() - abortedMs)
    while (stats().usedBytes > before.usedBytes) await turn()
    freeMs = Math.max(freeMs, performance.now() - abortedMs)
    if (i % 2 === 0) {
      await wait(Math.max(0, ABORT_MS - (performance.now() - abortedMs)))
      const cpu = cpuMs()
      await wait(WATCHED_MS)
      cpuAfterMs = Math.max(cpuAfterMs, cpuMs() - cpu)
    } else {
      const next = { startedMs: 0 }
      const onProgress = ({ phase }: { phase: string }): void => {
        if (phase === 'quotient' && next.startedMs === 0) next.startedMs = performance.now()
      }
      await check(key, await key.prove(wtns, { onProgress }))
      nextMs = Math.max(nextMs, next.startedMs - abortedMs)
    }
  }
  const liveBytes = stats().liveBytes - before.liveBytes
  return { proofMs: ms, stopped, rejectMs, freeMs, cpuAfterMs, nextMs, liveBytes }
}

/** The most reports of any call in any second, and whether a result has what it should. */
async function progress(pairs: readonly Pair[]): Promise<Figures> {
  let [mostInSecond, reports, timingsShare] = [0, 0, 1]
  for (const { zkey, wtns } of pairs) {
    const key = await ProvingKey.open(zkey)
    for (let round = 0; round < 20; round += 1) {
      const times: number[] = []
      const startMs = performance.now()
      const onProgress = (): void => void times.push(performance.now())
      const { timings } = await key.prove(wtns, { onProgress })
      const ms = performance.now() - startMs
      const sum = Object.values(timings).reduce((total, part) => total + part, 0)
      timingsShare = Math.min(timingsShare, sum / ms)
      reports += times.length
      for (const [i, first] of times.entries()) {
        const within = times.slice(i).filter((time) => time < first + MS_PER_SECOND)
        mostInSecond = Math.max(mostInSecond, within.length)
      }
    }
  }
  return { mostInSecond, reports, timingsShare }
}

/** Many proofs at once on two keys, under a limit that a few of the larger fit. */
async function crowd(pairs: readonly Pair[]): Promise<Figures> {
  const opened = await Promise.all(
    pairs.map(async ({ zkey, wtns }) => ({ key: await ProvingKey.open(zkey), wtns })),
  )
  configure({ concurrency: 8 })
  const peaks = opened.map(({ key }) => key.estimate().peakBytes)
  const roomBytes = CROWD_FITS * Math.max(...peaks)
  const { usedBytes } = stats()
  memory.memoryLimit = usedBytes + roomBytes
  let [usedMax, runningMax] = [0, 0]
  const look = (): void => {
    const now = stats()
    usedMax = Math.max(usedMax, now.usedBytes)
    // A proof has two: one that it keeps to its end, one of scratch.
    runningMax = Math.max(runningMax, Math.ceil(now.arenas / 2))
  }
  const timer = setInterval(look, 1)
  resetResidentPeak()
  const residentBytes = statusBytes('VmRSS')
  const startMs = performance.now()
  const proofs = await Promise.all(
    Array.from({ length: CROWD }, async (_, i) => {
      const { key, wtns } = opened[i % opened.length] as (typeof opened)[number]
      return { key, result: await key.prove(wtns, { onProgress: look }) }
    }),
  )
  const ms = performance.now() - startMs
  const residentRise = statusBytes('VmHWM') - residentBytes
  clearInterval(timer)
  for (const { key, result } of proofs) await check(key, result)
  const usedShare = (usedMax - usedBytes) / roomBytes
  return { verified: proofs.length, runningMax, usedShare, residentRise, roomBytes, ms }
}

/** When a callback began, and for how long its thread had waited for a CPU until then. */
interface Moment {
  readonly ms: number
  readonly waitedMs: number
}

/** Longest callback of any asynchronous resource, and of any call until it returns its promise. */
class Callbacks {
  longestMs = 0
  /** Of the longest, how much of it was waiting for a CPU that another thread had. */
  longestWaitedMs = 0
  /** The longest without such waiting. */
  longestOwnMs = 0
  /** Those above the bound. */
  long = 0
  count = 0
  readonly #starts = new Map<number, Moment>()
  readonly #schedule = fs.openSync('/proc/thread-self/schedstat', 'r')
  readonly #text = Buffer.alloc(64)
  readonly #hook = createHook({
    before: (id) => void this.#starts.set(id, this.now()),
    after: (id) => {
      const start = this.#starts.get(id)
      this.#starts.delete(id)
      if (start !== undefined) this.note(start)
    },
  })

  begin(): void {
    this.#hook.enable()
  }

  end(): void {
    this.#hook.disable()
    fs.closeSync(this.#schedule)
  }

  now(): Moment {
    const length = fs.readSync(this.#schedule, this.#text, 0, this.#text.length, 0)
    const [, waitedNs] = this.#text.toString('latin1', 0, length).split(' ')
    return { ms: performance.now(), waitedMs: Number(waitedNs) / 1e6 }
  }

  note(start: Moment): void {
    const now = this.now()
    const [ms, waitedMs] = [now.ms - start.ms, now.waitedMs - start.waitedMs]
    if (ms > this.longestMs) [this.longestMs, this.longestWaitedMs] = [ms, waitedMs]
    this.longestOwnMs = Math.max(this.longestOwnMs, ms - waitedMs)
    if (ms > CALLBACK_MS_MAX) this.long += 1
    this.count += 1
  }

  /** Calls what returns a promise, and counts the time until it has. */
  call<T>(work: () => Promise<T>): Promise<T> {
    const start = this.now()
    const promise = work()
    this.note(start)
    return promise
  }
}

/** Everything that a service calls, over and over, with what every callback took. */
async function loop(pairs: readonly [Pair], [wasm, input]: readonly string[]): Promise<Figures> {
  const { Circuit } = await import('nalloc')
  const inputs = JSON.parse(fs.readFileSync(input as string, 'utf8'))
  const [pair] = pairs
  const bytes = { zkey: fs.readFileSync(pair.zkey), wtns: fs.readFileSync(pair.wtns) }
  const small = (wasm as string).replace(/wasm$/, 'zkey')
  // Once before: what is compiled and loaded with the first call is not what a service waits for.
  const warm = await ProvingKey.open(small)
  await check(warm, await warm.fullProve(inputs, wasm as string))
  warm.dispose()
  const callbacks = new Callbacks()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  callbacks.begin()
  delay.enable()
  for (let round = 0; round < 5; round += 1) {
    const key = await callbacks.call(() => ProvingKey.open(pair.zkey))
    const ofBytes = await callbacks.call(() => ProvingKey.open(bytes.zkey))
    const proofs = await Promise.all([
      callbacks.call(() => key.prove(pair.wtns, { onProgress: () => {} })),
      callbacks.call(() => ofBytes.prove(bytes.wtns)),
    ])
    for (const { proof, publicSignals } of proofs) {
      const { verifyingKey } = key
      await callbacks.call(() => verifyingKey.verify(proof, publicSignals))
    }
    const other = await callbacks.call(() => ProvingKey.open(small))
    const circuit = await callbacks.call(() => Circuit.open(wasm as string))
    await callbacks.call(() => other.fullProve(inputs, circuit))
    for (const opened of [key, ofBytes, other]) opened.dispose()
  }
  delay.disable()
  callbacks.end()
  const { longestMs, longestWaitedMs, longestOwnMs, long, count } = callbacks
  const [p99Ms, maxMs] = [delay.percentile(99) / 1e6, delay.max / 1e6]
  return { longestMs, longestWaitedMs, longestOwnMs, long, callbacks: count, p99Ms, maxMs }
}

/** Many proofs one after the other: what stays behind. */
async function thousand([pair]: readonly [Pair]): Promise<Figures> {
  const { zkey, wtns } = pair
  const key = await ProvingKey.open(zkey)
  let liveDifference = 0
  let settledBytes = 0
  let liveBytes = 0
  for (let count = 1; count <= PROOFS; count += 1) {
    const result = await key.prove(wtns)
    if (count % 100 === 0) await check(key, result)
    if (count === 1) ({ liveBytes } = stats())
    liveDifference = Math.max(liveDifference, Math.abs(stats().liveBytes - liveBytes))
    if (count !== SETTLED) continue
    globalThis.gc?.()
    settledBytes = statusBytes('VmRSS')
  }
  globalThis.gc?.()
  return { proofs: PROOFS, liveDifference, residentRise: statusBytes('VmRSS') - settledBytes }
}

const MEASUREMENTS = { abort, progress, crowd, loop, thousand }
/** A measurement of this file. */
export type Measurement = keyof typeof MEASUREMENTS

async function main([name, pairs, ...files]: readonly string[]): Promise<void> {
  const measurement = MEASUREMENTS[name as Measurement]
  const figures = await measurement(JSON.parse(pairs ?? '[]') as [Pair], files)
  process.stdout.write(JSON.stringify(figures))
}

main(process.argv.slice(2))
