// The waiting line and the memory limit are the process's, so these tests run one after another.

import path from 'node:path'
import test from 'ava'
import {
  configure,
  memory,
  NallocError,
  type Progress,
  type ProofResult,
  ProvingKey,
  SecretBuf,
  stats,
} from 'nalloc'
import { fixtures, semaphore } from './_repository.ts'

const BIG = path.join(fixtures, 'chain2000')
const SMALL = path.join(fixtures, 'chain1000')
/** More than any of these tests needs at one time. */
const CONCURRENCY = 8

test.afterEach.always(() => {
  memory.memoryLimit = null
  configure({ concurrency: 1, maxQueue: 1000 })
})

/** What is derived from a witness to the end of its proof, and scratch. */
const ARENAS_OF_PROOF = 2

/** How many proofs there were at a time, and the most bytes in use, seen by their own reports. */
class Watch {
  runningMax = 0
  usedMax = 0

  readonly look = (): void => {
    const { arenas, usedBytes } = stats()
    this.runningMax = Math.max(this.runningMax, Math.ceil(arenas / ARENAS_OF_PROOF))
    this.usedMax = Math.max(this.usedMax, usedBytes)
  }
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'no error',
    (error: unknown) => (error instanceof NallocError ? error.code : String(error)),
  )
}

async function isValid(key: ProvingKey, { proof, publicSignals }: ProofResult): Promise<boolean> {
  return key.verifyingKey.verify(proof, publicSignals)
}

test.serial('as many proofs run at one time as concurrency says, one by default', async (t) => {
  using key = await ProvingKey.open(`${BIG}.zkey`)

  for (const [concurrency, proofs] of [
    [1, 4],
    [3, 12],
  ] as const) {
    configure({ concurrency })
    const watch = new Watch()
    const results = await Promise.all(
      Array.from({ length: proofs }, () => key.prove(`${BIG}.wtns`, { onProgress: watch.look })),
    )

    t.is(watch.runningMax, concurrency)
    for (const result of results) t.true(await isValid(key, result))
  }
})

test.serial('thirty-two proofs on two keys under a limit that fits three all verify', async (t) => {
  using big = await ProvingKey.open(`${BIG}.zkey`)
  using small = await ProvingKey.open(`${SMALL}.zkey`)
  configure({ concurrency: CONCURRENCY })
  const limit = stats().usedBytes + 3 * big.estimate().peakBytes
  memory.memoryLimit = limit
  const watch = new Watch()

  const proofs = await Promise.all(
    Array.from({ length: 32 }, async (_, i) => {
      const [key, stem] = i % 2 === 0 ? [big, BIG] : [small, SMALL]
      const result = await key.prove(`${stem}.wtns`, { onProgress: watch.look })
      return isValid(key, result)
    }),
  )

  t.deepEqual(
    proofs,
    proofs.map(() => true),
  )
  t.true(watch.usedMax <= limit, `${watch.usedMax} of ${limit}`)
  t.true(watch.runningMax >= 3, `${watch.runningMax} at a time`)
})

test.serial('a proof that can never fit is refused while others run, with its need', async (t) => {
  using big = await ProvingKey.open(semaphore(32).zkey)
  using key = await ProvingKey.open(`${SMALL}.zkey`)
  configure({ concurrency: 2 })
  const { peakBytes } = big.estimate()
  memory.memoryLimit = peakBytes - 1

  const running = key.prove(`${SMALL}.wtns`)
  const error = await t.throwsAsync<NallocError>(big.prove('absent.wtns'))

  t.is(error?.code, 'ERR_LIMIT')
  t.regex(error?.message ?? '', /^the proof: needs about [\d.]+ MiB, limit [\d.]+ MiB/)
  const told = Number(/about ([\d.]+) MiB/.exec(error?.message ?? '')?.[1])
  t.true(Math.abs(told * 2 ** 20 - peakBytes) <= 2 ** 20 / 20, `${told} of ${peakBytes}`)
  t.deepEqual(error?.details, { neededBytes: peakBytes })
  t.true(await isValid(key, await running))
})

test.serial('what does not fit beside others waits, and those behind it wait for it', async (t) => {
  using big = await ProvingKey.open(`${BIG}.zkey`)
  using small = await ProvingKey.open(`${SMALL}.zkey`)
  configure({ concurrency: CONCURRENCY })
  memory.memoryLimit = stats().usedBytes + big.estimate().peakBytes + 4096
  const ends: string[] = []

  await Promise.all(
    ['big', 'big', 'small', 'small'].map(async (name) => {
      const [key, stem] = name === 'big' ? [big, BIG] : [small, SMALL]
      const result = await key.prove(`${stem}.wtns`)
      ends.push(name)
      t.true(await isValid(key, result))
    }),
  )

  t.deepEqual(ends.slice(0, 2), ['big', 'big'])
})

test.serial(
  'a key is opened under a limit when no proof runs, and others go on then',
  async (t) => {
    using key = await ProvingKey.open(`${BIG}.zkey`)
    configure({ concurrency: CONCURRENCY })
    memory.memoryLimit = stats().usedBytes + 3 * key.estimate().peakBytes

    const before = [0, 1, 2].map(() => key.prove(`${BIG}.wtns`))
    const opening = ProvingKey.open(`${SMALL}.zkey`)
    const after = [0, 1].map(() => key.prove(`${BIG}.wtns`))
    using other = await opening

    t.true(await isValid(other, await other.prove(`${SMALL}.wtns`)))
    for (const result of await Promise.all([...before, ...after])) {
      t.true(await isValid(key, result))
    }
  },
)

test.serial('a limit that is taken away lets those that wait begin', async (t) => {
  using key = await ProvingKey.open(`${BIG}.zkey`)
  configure({ concurrency: CONCURRENCY })
  memory.memoryLimit = stats().usedBytes + key.estimate().peakBytes
  const watch = new Watch()
  const bounded = new Watch()
  let hasLimit = true

  await Promise.all(
    Array.from({ length: 16 }, async (_, i) => {
      const { look } = i < 4 ? bounded : watch
      await key.prove(`${BIG}.wtns`, { onProgress: () => hasLimit === i < 4 && look() })
      if (i !== 3) return
      hasLimit = false
      memory.memoryLimit = null
    }),
  )

  t.is(bounded.runningMax, 1)
  t.true(watch.runningMax > 1, `${watch.runningMax} at a time`)
})

test.serial('an abort of one of two that run leaves the other alone', async (t) => {
  using key = await ProvingKey.open(`${BIG}.zkey`)
  configure({ concurrency: 2 })
  const { liveBytes } = stats()

  const outcomes: unknown[] = []
  // A report may come when the proof is over.
  for (let attempt = 0; attempt < 20 && !outcomes.includes('stopped'); attempt += 1) {
    const stop = new AbortController()
    const onProgress = ({ phase }: Progress) => phase === 'quotient' && stop.abort('stopped')
    const stopped = key.prove(`${BIG}.wtns`, { signal: stop.signal, onProgress })
    const beside = key.prove(`${BIG}.wtns`)
    outcomes.push(await stopped.catch((reason: unknown) => reason))
    t.true(await isValid(key, await beside))
  }

  t.is(outcomes.at(-1), 'stopped')
  t.is(stats().liveBytes, liveBytes)
})

test.serial(
  'maxQueue bounds those that wait; with 0 only what begins at once may come',
  async (t) => {
    using key = await ProvingKey.open(`${BIG}.zkey`)
    using secret = await SecretBuf.fromFile(`${BIG}.wtns`)
    configure({ maxQueue: 2 })
    const four = [0, 1, 2, 3].map(() => key.prove(secret))
    t.deepEqual(await Promise.all(four.map(codeOf)), [
      'no error',
      'no error',
      'no error',
      'ERR_QUEUE_FULL',
    ])

    configure({ maxQueue: 0 })
    for (let round = 0; round < 20; round += 1) {
      t.true(await isValid(key, await key.prove(secret)), 'the place is free when a proof is there')
    }
    const two = [0, 1].map(() => key.prove(secret))
    t.deepEqual(await Promise.all(two.map(codeOf)), ['no error', 'ERR_QUEUE_FULL'])
    configure({ concurrency: 2 })
    const both = [0, 1, 2].map(() => key.prove(secret))
    t.deepEqual(await Promise.all(both.map(codeOf)), ['no error', 'no error', 'ERR_QUEUE_FULL'])
  },
)

test.serial('after each of two hundred proofs as much is live as after the first', async (t) => {
  using key = await ProvingKey.open(`${SMALL}.zkey`)
  await key.prove(`${SMALL}.wtns`)
  const { liveBytes, secretBytes, usedBytes, arenas } = stats()

  for (let round = 0; round < 200; round += 1) {
    const result = await key.prove(`${SMALL}.wtns`)
    if (round % 50 === 0) t.true(await isValid(key, result))
    t.like(stats(), { liveBytes, secretBytes, usedBytes, arenas })
  }
})

test.serial('a result has the bytes that its proof took, and its time by phases', async (t) => {
  using key = await ProvingKey.open(`${BIG}.zkey`)
  const before = stats().usedBytes
  let took = 0
  const startMs = performance.now()

  const { peakBytes, timings } = await key.prove(`${BIG}.wtns`, {
    onProgress: () => {
      took = Math.max(took, stats().usedBytes - before)
    },
  })

  const ms = performance.now() - startMs
  t.true(took <= peakBytes && took >= 0.9 * peakBytes, `${took} of ${peakBytes} bytes`)
  const phases = ['queue', 'witness', 'quotient', 'msm', 'finish', 'self-verify']
  t.deepEqual(Object.keys(timings).sort(), [...phases].sort())
  const sum = Object.values(timings).reduce((total, part) => total + part, 0)
  t.true(sum > 0 && sum <= ms, `${sum} of ${ms} ms`)
})
