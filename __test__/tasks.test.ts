import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import {
  type AbortSignalLike,
  Circuit,
  groth16,
  type Progress,
  ProvingKey,
  VerifyingKey,
} from 'nalloc'
import { writeLongFile } from './_longFile.ts'
import { fixtures, semaphore } from './_repository.ts'
import { temporaryFolder } from './_temporary.ts'

const BIG = semaphore(20)
const zkey = path.join(fixtures, 'dense.zkey')
const wtns = path.join(fixtures, 'dense.wtns')
const ATTEMPTS_MAX = 10
/** Half a second of reading and hashing, or more. */
const LONG_BYTES = 2 ** 29
const NATIVE_PHASES = ['quotient', 'msm', 'finish', 'self-verify']

/** Counts its listeners, and is no AbortSignal, as those of job queues are not. */
class CountingSignal implements AbortSignalLike {
  aborted = false
  reason: unknown
  readonly listeners = new Set<() => void>()

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.add(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.delete(listener)
  }

  abort(reason: unknown): void {
    this.aborted = true
    this.reason = reason
    for (const listener of this.listeners) listener()
  }
}

test('a signal that has fired rejects with its reason before anything starts', async (t) => {
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  const options = {
    signal,
    onProgress: () => t.fail('nothing may start'),
  }
  using key = await ProvingKey.open(zkey)
  const circuit = await Circuit.open(BIG.wasm)
  const valid = await key.prove(wtns)
  const calls: Promise<unknown>[] = [
    ProvingKey.open('absent.zkey', options),
    Circuit.open('absent.wasm', options),
    circuit.witness({}, options),
    key.prove('absent.wtns', options),
    key.fullProve({}, 'absent.wasm', options),
    groth16.prove('absent.zkey', 'absent.wtns', options),
    groth16.fullProve({}, 'absent.wasm', 'absent.zkey', options),
    key.verifyingKey.verify(valid.proof, valid.publicSignals, { signal }),
  ]

  for (const call of calls) {
    t.is(
      await call.then(
        () => 'no error',
        (error: unknown) => error,
      ),
      reason,
    )
  }
})

test.serial(
  'an abort in any phase rejects with the reason, and the key goes on proving',
  async (t) => {
    using key = await ProvingKey.open(BIG.zkey)
    const circuit = await Circuit.open(BIG.wasm)
    using witness = await circuit.witness(BIG.input)

    for (const phase of ['quotient', 'msm']) {
      const reason = { because: phase }
      let outcome: unknown
      // A report may come when the phase is over, and the proof with it.
      for (let attempt = 0; attempt < ATTEMPTS_MAX && outcome !== reason; attempt += 1) {
        const controller = new AbortController()
        const onProgress = (progress: Progress) => {
          if (progress.phase === phase) controller.abort(reason)
        }
        const proving = key.prove(witness, { signal: controller.signal, onProgress })
        outcome = await proving.catch((error: unknown) => error)
      }

      t.is(outcome, reason, phase)
    }
    const { proof, publicSignals } = await key.prove(witness)

    t.true(await key.verifyingKey.verify(proof, publicSignals))
  },
)

test.serial('the default reason is a DOMException named AbortError', async (t) => {
  using key = await ProvingKey.open(BIG.zkey)
  const circuit = await Circuit.open(BIG.wasm)
  using witness = await circuit.witness(BIG.input)

  for (const signal of [new CountingSignal(), undefined]) {
    const controller = new AbortController()
    const proving = key.prove(witness, { signal: signal ?? controller.signal })
    setImmediate(() => {
      if (signal) signal.abort(undefined)
      else controller.abort()
    })

    const error: unknown = await proving.catch((thrown: unknown) => thrown)
    t.true(error instanceof DOMException && error.name === 'AbortError', String(error))
  }
})

test('waiting calls can be aborted, and those behind them go on', async (t) => {
  using key = await ProvingKey.open(BIG.zkey)
  const circuit = await Circuit.open(BIG.wasm)
  using witness = await circuit.witness(BIG.input)
  const controller = new AbortController()

  const first = key.prove(witness)
  const second = key.prove(witness, { signal: controller.signal })
  const third = key.prove(witness)
  controller.abort('second')

  t.is(
    await second.then(
      () => 'no error',
      (error: unknown) => error,
    ),
    'second',
  )
  for (const { proof, publicSignals } of [await first, await third]) {
    t.true(await key.verifyingKey.verify(proof, publicSignals))
  }
})

test('no listener stays on the signal, however the call ends', async (t) => {
  using key = await ProvingKey.open(zkey)
  const signal = new CountingSignal()

  await key.prove(wtns, { signal })
  t.is(signal.listeners.size, 0)
  await t.throwsAsync(key.prove(zkey, { signal }), { code: 'ERR_BAD_MAGIC' })
  t.is(signal.listeners.size, 0)
  const proving = key.prove(wtns, { signal })
  t.is(signal.listeners.size, 1)
  signal.abort('now')
  await proving.catch(() => undefined)
  t.is(signal.listeners.size, 0)
})

test.serial('progress goes through the phases in order and ends with the call', async (t) => {
  using key = await ProvingKey.open(BIG.zkey)
  const reports: Progress[] = []
  let isSettled = false

  await key.fullProve(BIG.input, BIG.wasm, {
    onProgress: (progress) => {
      t.false(isSettled)
      reports.push(progress)
    },
  })
  isSettled = true
  await new Promise((resolve) => setTimeout(resolve, 200))

  t.deepEqual(
    reports.slice(0, 2).map(({ phase, ratio }) => [phase, ratio]),
    [
      ['witness', 0],
      ['witness', 1],
    ],
  )
  t.true(reports.some(({ phase }) => NATIVE_PHASES.includes(phase)))
  const order = reports.map(({ phase }) => NATIVE_PHASES.indexOf(phase))
  t.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
    JSON.stringify(reports),
  )
  for (const [i, { phase, ratio, elapsedMs }] of reports.entries()) {
    const before = reports[i - 1]
    t.true(ratio >= 0 && ratio <= 1, String(ratio))
    t.true(before?.phase !== phase || ratio >= before.ratio, JSON.stringify(reports))
    t.true(elapsedMs >= (before?.elapsedMs ?? 0))
  }
})

test.serial('a call reports at most 20 times in any second, however long it takes', async (t) => {
  const file = path.join(temporaryFolder(t), 'long.zkey')
  writeLongFile(file, fs.readFileSync(zkey), LONG_BYTES)
  const times: number[] = []
  const ratios: number[] = []

  const key = await ProvingKey.open(file, {
    onProgress: ({ phase, ratio }) => {
      times.push(performance.now())
      if (phase === 'load') ratios.push(ratio)
    },
  })
  key.dispose()

  const inSecond = times.map((first) => {
    return times.filter((time) => time >= first && time < first + 1000).length
  })
  t.true(Math.max(...inSecond) <= 20, JSON.stringify(times))
  t.true(ratios.length > 2 && ratios.some((ratio) => ratio > 0), JSON.stringify(ratios))
})

test.serial('what onProgress throws stops the call and comes out of it', async (t) => {
  using key = await ProvingKey.open(BIG.zkey)
  const circuit = await Circuit.open(BIG.wasm)
  using witness = await circuit.witness(BIG.input)
  const thrown = new Error('from the callback')

  for (const call of [
    () =>
      key.prove(witness, {
        onProgress: () => {
          throw thrown
        },
      }),
    () =>
      circuit.witness(BIG.input, {
        onProgress: () => {
          throw thrown
        },
      }),
  ]) {
    t.is(await t.throwsAsync(call), thrown)
  }
})

test('eight proofs at once on two keys all verify', async (t) => {
  const cases = [semaphore(5), semaphore(10)]
  const opened = await Promise.all(
    cases.map(async ({ zkey: file, wasm, input }) => ({
      key: await ProvingKey.open(file),
      circuit: await Circuit.open(wasm),
      input,
    })),
  )

  const proofs = await Promise.all(
    Array.from({ length: 4 }, () => opened)
      .flat()
      .map(async ({ key, circuit, input }) => ({
        vk: key.verifyingKey,
        ...(await key.fullProve(input, circuit)),
      })),
  )

  t.is(proofs.length, 8)
  for (const { vk, proof, publicSignals } of proofs) t.true(await vk.verify(proof, publicSignals))
  t.is(new Set(proofs.map(({ proof }) => proof.pi_a[0])).size, 8, 'fresh blinding for each')
  for (const { key } of opened) key.dispose()
})

test.serial('the event loop turns while a proof runs', async (t) => {
  using key = await ProvingKey.open(BIG.zkey)
  const circuit = await Circuit.open(BIG.wasm)
  using witness = await circuit.witness(BIG.input)
  let turns = 0
  let running = true
  const proving = key.prove(witness).finally(() => {
    running = false
  })
  while (running) {
    await new Promise((resolve) => setImmediate(resolve))
    turns += 1
  }
  await proving

  t.true(turns > 10, `${turns} turns`)
})

test('a proof of one circuit does not verify with the key of another', async (t) => {
  const { zkey: file, wasm, input } = semaphore(5)
  const { proof, publicSignals } = await groth16.fullProve(input, wasm, file)
  const own = VerifyingKey.from(semaphore(5).vk)
  const other = VerifyingKey.from(semaphore(10).vk)

  t.true(await own.verify(proof, publicSignals))
  t.false(await other.verify(proof, publicSignals))
})
