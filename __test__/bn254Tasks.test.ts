// Calls of `nalloc/bn254` as tasks: stopped, refused, at the same time, disposed under them. Limits
// and figures are the process's, so these tests run one after another.

import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import {
  Arena,
  configure,
  memory,
  type NallocError,
  type Progress,
  ProvingKey,
  stats,
} from 'nalloc'
import { FrVector, G1Vector, msm, ntt } from 'nalloc/bn254'
import { bytesOf, bytesOfPoints, plain, points, R, scalars, sumOf } from './_bn254.ts'
import { assertEnding, childFile, runChild } from './_child.ts'
import { root, semaphore } from './_repository.ts'

/** Long enough to be caught in the middle. */
const LONG = 2 ** 18
const ATTEMPTS_MAX = 20
const SOME = points(64, 1)

test.afterEach.always(() => {
  memory.memoryLimit = null
  configure({ concurrency: 1, maxQueue: 1000 })
})

/** Points and scalars of a long sum, made once. */
async function longSum(): Promise<readonly [G1Vector, FrVector]> {
  const one = bytesOfPoints(SOME)
  const bytes = new Uint8Array(64 * LONG)
  for (let at = 0; at < bytes.length; at += one.length) bytes.set(one, at)
  const all = await G1Vector.fromBytes(bytes, { check: 'none' })
  const numbers = bytesOf(scalars(4096, 2))
  const long = new Uint8Array(32 * LONG)
  for (let at = 0; at < long.length; at += numbers.length) long.set(numbers, at)
  return [all, await FrVector.fromBytes(long)]
}

function settled(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'no error',
    (error: unknown) => error,
  )
}

async function busy(t: ExecutionContext, call: () => unknown, expected: string): Promise<void> {
  const message = `vector: expected ${expected}, got one. Await it first`
  await t.throwsAsync(async () => call(), { code: 'ERR_BUSY', message })
}

const READING = 'no call in progress that reads it, to change it'
const CHANGING = 'no call in progress that changes it'

test.serial('a signal that has fired rejects with its reason before anything starts', async (t) => {
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  const onProgress = () => t.fail('nothing may start')
  using vector = await FrVector.from([1, 2])
  using one = await G1Vector.fromBytes(new Uint8Array(128))
  const calls = [
    FrVector.from([1], { signal }),
    FrVector.fromBytes(new Uint8Array(32), { signal }),
    G1Vector.fromBytes(new Uint8Array(64), { signal, onProgress }),
    vector.toBytes({ signal }),
    one.toBytes({ signal }),
    ntt.forward(vector, { signal, onProgress }),
    ntt.inverse(vector, { signal, onProgress }),
    msm(one, vector, { signal, onProgress }),
  ]

  for (const call of calls) t.is(await settled(call), reason)
  t.deepEqual([vector.at(0), vector.at(1)], [1n, 2n])
})

test.serial(
  'a sum that is stopped rejects with the reason, and the next one is right',
  async (t) => {
    const [all, factors] = await longSum()
    using _ = all
    using __ = factors
    const reason = { because: 'msm' }

    let outcome: unknown
    for (let attempt = 0; attempt < ATTEMPTS_MAX && outcome !== reason; attempt += 1) {
      const stop = new AbortController()
      const onProgress = ({ phase }: Progress) => {
        if (phase === 'msm') stop.abort(reason)
      }
      outcome = await settled(msm(all, factors, { signal: stop.signal, onProgress }))
    }
    t.is(outcome, reason)

    const folded = SOME.map((_, i) => {
      const own = scalars(4096, 2).filter((_, at) => at % 64 === i)
      const sum = own.reduce((total, number) => total + number, 0n)
      return (sum * BigInt(LONG / 4096)) % R
    })
    t.deepEqual(await msm(all, factors), plain(sumOf(SOME, folded)))
  },
)

test.serial('a transform that is stopped at work leaves zeros, one in line what was', async (t) => {
  let isZero = false
  for (let attempt = 0; attempt < ATTEMPTS_MAX && !isZero; attempt += 1) {
    using vector = FrVector.alloc(8 * LONG)
    vector.set(1000, 7)
    const stop = new AbortController()
    const onProgress = ({ phase }: Progress) => {
      if (phase === 'ntt') stop.abort('stop')
    }
    // A report may come when the transform is over.
    if ((await settled(ntt.forward(vector, { signal: stop.signal, onProgress }))) !== 'stop')
      continue
    // Or after the last question whether to stop, and then before anything was changed.
    isZero = vector.at(1000) === 0n && (await vector.toBytes()).every((byte) => byte === 0)
    t.true(isZero || vector.at(1000) === 7n)
  }
  t.true(isZero)

  using vector = FrVector.alloc(LONG)
  vector.set(1000, 7)
  const [all, factors] = await longSum()
  const first = msm(all, factors)
  const stop = new AbortController()
  const waiting = ntt.forward(vector, { signal: stop.signal })
  stop.abort('in line')
  t.is(await settled(waiting), 'in line')
  t.deepEqual([vector.at(0), vector.at(1000)], [0n, 7n])
  await first
  all.dispose()
  factors.dispose()
})

test.serial('copies in turns can be stopped, and let the event loop turn', async (t) => {
  const bytes = new Uint8Array(32 * LONG)
  // One turn fewer than there are pieces, and that turn may have begun before.
  const turnsMin = bytes.length / 2 ** 19 - 2
  const during = async (call: Promise<unknown>): Promise<number> => {
    let turns = 0
    let isRunning = true
    const ended = call.finally(() => {
      isRunning = false
    })
    while (isRunning) {
      await new Promise((resolve) => setImmediate(resolve))
      turns += 1
    }
    await ended
    return turns
  }
  const values = new Set(Array.from({ length: 20_000 }, (_, i) => i))
  using vector = FrVector.alloc(LONG)

  t.true((await during(FrVector.fromBytes(bytes))) >= turnsMin)
  t.true((await during(G1Vector.fromBytes(bytes))) >= turnsMin)
  t.true((await during(vector.toBytes())) >= turnsMin)
  t.true((await during(FrVector.from(values))) >= 18)
  for (const start of [
    (signal: AbortSignal) => FrVector.fromBytes(bytes, { signal }),
    (signal: AbortSignal) => FrVector.from(values, { signal }),
    (signal: AbortSignal) => G1Vector.fromBytes(bytes, { signal }),
    (signal: AbortSignal) => vector.toBytes({ signal }),
  ]) {
    const stop = new AbortController()
    const copying = start(stop.signal)
    setImmediate(() => stop.abort('stop'))
    t.is(await settled(copying), 'stop')
  }
})

test.serial('the event loop turns while a sum runs, and progress ends with the call', async (t) => {
  const [all, factors] = await longSum()
  const reports: Progress[] = []
  let turns = 0
  let isRunning = true
  const sum = msm(all, factors, { onProgress: (progress) => reports.push(progress) }).finally(
    () => {
      isRunning = false
    },
  )
  while (isRunning) {
    await new Promise((resolve) => setImmediate(resolve))
    turns += 1
  }
  await sum
  const { length } = reports
  await new Promise((resolve) => setTimeout(resolve, 100))

  t.true(turns > 10, `${turns} turns`)
  t.true(reports.some(({ phase }) => phase === 'msm'))
  t.true(reports.every(({ phase, ratio }) => ['queue', 'msm'].includes(phase) && ratio <= 1))
  t.is(reports.length, length)
  all.dispose()
  factors.dispose()
})

test.serial('what onProgress throws stops the call and comes out of it', async (t) => {
  const [all, factors] = await longSum()
  const thrown = new Error('from the callback')
  const onProgress = () => {
    throw thrown
  }

  t.is(await settled(msm(all, factors, { onProgress })), thrown)
  t.is(await settled(ntt.forward(factors, { onProgress })), thrown)
  t.false(factors.isDisposed)
  all.dispose()
  factors.dispose()
})

test.serial('readers share a vector, who changes it has it alone', async (t) => {
  const [all, factors] = await longSum()
  using other = FrVector.alloc(4)

  const sums = [msm(all, factors), msm(all, factors)]
  t.is(factors.at(1), 1n)
  await busy(t, () => factors.set(0, 1), READING)
  await busy(t, () => ntt.forward(factors), READING)
  const [one, two] = await Promise.all(sums)
  t.deepEqual(one, two)

  const changing = ntt.forward(factors)
  await busy(t, () => factors.at(0), CHANGING)
  await busy(t, () => factors.set(0, 1), CHANGING)
  await busy(t, () => factors.toBytes(), CHANGING)
  await busy(t, () => factors.slice(), CHANGING)
  await busy(t, () => ntt.inverse(factors), CHANGING)
  await busy(t, () => msm(all, factors), CHANGING)
  await ntt.forward(other)
  await changing
  await ntt.inverse(factors)
  t.is(factors.at(1), 1n)

  const copying = factors.toBytes()
  await busy(t, () => factors.set(0, 1), READING)
  await copying
  factors.set(0, 1)
  all.dispose()
  factors.dispose()
})

test.serial('what is disposed under a call stays until the call has ended', async (t) => {
  const { liveBytes } = stats()
  const [all, factors] = await longSum()
  const before = await msm(all, factors)

  const sum = msm(all, factors)
  const copied = all.toBytes()
  const sliced = factors.slice(0, 3)
  all.dispose()
  factors.dispose()
  t.true(all.isDisposed && factors.isDisposed)
  t.deepEqual(await sum, before)
  t.is((await copied).length, 64 * LONG)
  using slice = await sliced
  t.is(slice.at(1), 1n)
  const gone = (what: string) => ({
    code: 'ERR_DISPOSED',
    message: `${what}: expected a live one, got a disposed one. Make a new one`,
  })
  t.throws(() => factors.at(0), gone('vector'))
  t.throws(() => factors.set(0, 1), gone('vector'))
  t.throws(() => all.at(0), gone('points'))
  await t.throwsAsync(msm(all, slice), gone('points'))
  await t.throwsAsync(factors.toBytes(), gone('vector'))
  await t.throwsAsync(ntt.forward(factors), gone('vector'))

  const changed = FrVector.alloc(LONG)
  const changing = ntt.forward(changed)
  changed.dispose()
  await changing
  slice.dispose()
  for (let turn = 0; turn < 1000 && stats().liveBytes > liveBytes + 2 ** 24; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  // Some tables of transforms are kept.
  t.true(stats().liveBytes <= liveBytes + 2 ** 24, `${stats().liveBytes} of ${liveBytes}`)
})

test.serial('an arena is busy while a call uses a vector in it', async (t) => {
  const arena = new Arena('32M')
  const vector = FrVector.alloc(LONG, { arena })
  vector.set(0, 1)

  const changing = ntt.forward(vector)
  t.throws(() => arena.reset(), { code: 'ERR_BUSY' })
  t.throws(() => arena.dispose(), { code: 'ERR_BUSY' })
  await changing
  t.is(vector.at(LONG - 1), 1n)
  vector.dispose()
  // Many elements are overwritten on another thread, which has a lease.
  for (let turn = 0; turn < 1000; turn += 1) {
    try {
      arena.reset()
      break
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  t.is(arena.usedBytes, 0)
  arena.dispose()
})

test.serial('a reset while a vector is filled in turns stops that, and harms nobody', async (t) => {
  using arena = new Arena('32M')
  const filling = FrVector.fromBytes(new Uint8Array(32 * LONG), { arena })
  await new Promise((resolve) => setImmediate(resolve))
  arena.reset()
  const view = arena.alloc('u8', 2 ** 20)
  view.fill(1)

  await t.throwsAsync(filling, { code: 'ERR_DISPOSED' })
  t.true(view.every((byte) => byte === 1))
})

test.serial('limits refuse before anything is taken', async (t) => {
  const [all, factors] = await longSum()
  const own = (what: string) =>
    new RegExp(
      `^${what}: expected at most 1024 bytes of memory, got a need of \\d+\\. Raise the limit$`,
    )
  const common = (what: string) =>
    new RegExp(`^${what}: needs about [0-9.]+ [MK]iB, limit [0-9.]+ MiB \\(memory\\.memoryLimit\\)`)

  const limit = { memoryLimit: 1024 }
  await t.throwsAsync(msm(all, factors, limit), { code: 'ERR_LIMIT', message: own('the sum') })
  await t.throwsAsync(ntt.forward(factors, limit), {
    code: 'ERR_LIMIT',
    message: own('the transform'),
  })
  t.is(factors.at(1), 1n)
  memory.memoryLimit = stats().usedBytes + 2 ** 20
  for (const [call, what] of [
    [() => msm(all, factors), 'the sum'],
    [() => ntt.forward(factors), 'the transform'],
    [() => factors.slice(), 'the vector'],
    [() => FrVector.fromBytes(new Uint8Array(2 ** 21)), 'the vector'],
    [() => FrVector.alloc(2 ** 16), 'the vector'],
    [() => G1Vector.fromBytes(new Uint8Array(2 ** 21)), 'the points'],
  ] as const) {
    const error = await t.throwsAsync<NallocError>(async () => call(), { code: 'ERR_LIMIT' })
    t.regex(error?.message ?? '', common(what))
  }
  memory.memoryLimit = null
  t.is(factors.at(1), 1n)
  await ntt.forward(factors)
  all.dispose()
  factors.dispose()
})

test.serial('calls wait in the line of proofs, and a full line refuses them', async (t) => {
  using key = await ProvingKey.open(semaphore(20).zkey)
  const [all, factors] = await longSum()
  using vector = FrVector.alloc(1024)
  configure({ maxQueue: 1 })

  const order: string[] = []
  const first = msm(all, factors).then(() => order.push('sum'))
  const second = ntt.forward(vector).then(() => order.push('transform'))
  await t.throwsAsync(msm(all, factors), { code: 'ERR_QUEUE_FULL' })
  await t.throwsAsync(ntt.forward(FrVector.alloc(4)), { code: 'ERR_QUEUE_FULL' })
  await t.throwsAsync(key.prove(Buffer.from('wtns')), { code: 'ERR_TRUNCATED' })
  await Promise.all([first, second])

  t.deepEqual(order, ['sum', 'transform'])
  t.is(vector.at(0), 0n)
  all.dispose()
  factors.dispose()
})

test.serial('workers compute at the same time, each with its own vectors', async (t) => {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { FrVector, G1Vector, msm, ntt } = require(workerData.entry)
    async function main() {
      using points = await G1Vector.fromBytes(workerData.points)
      using scalars = await FrVector.fromBytes(workerData.scalars)
      const sums = await Promise.all([msm(points, scalars), msm(points, scalars)])
      await ntt.forward(scalars)
      await ntt.inverse(scalars)
      sums.push(await msm(points, scalars))
      parentPort.postMessage(sums)
    }
    main()
  `.replaceAll('using ', 'const ')
  const factors = scalars(64, 4)
  const workerData = {
    entry: `${root}/dist/bn254.js`,
    points: bytesOfPoints(SOME),
    scalars: bytesOf(factors),
  }
  const workers = [1, 2, 3].map(() => new Worker(program, { eval: true, workerData }))
  const expected = plain(sumOf(SOME, factors))

  const answers = await Promise.all(
    workers.map((worker) => {
      return new Promise((resolve, reject) => {
        worker.once('message', resolve).once('error', reject)
      })
    }),
  )
  await Promise.all(workers.map((worker) => worker.terminate()))

  for (const sums of answers) t.deepEqual(sums, [expected, expected, expected])
})

test.serial(
  'process.exit and terminated workers in the middle of it end as they should',
  async (t) => {
    for (const ms of [0, 5, 20, 60, 150, 300]) {
      assertEnding(t, await runChild('bn254AtMoment', ['exit', `${ms}`]), 7)
    }
    const ending = await runChild('bn254AtMoment', ['terminate', childFile('bn254Worker')])
    assertEnding(t, ending, 0)
    t.is(ending.stdout, 'done')
  },
)
