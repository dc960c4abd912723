// The number of threads is the process's own, so each promise has a process of its own.

import path from 'node:path'
import test from 'ava'
import { assertEnding, runNode } from './_child.ts'
import { fixtures } from './_repository.ts'

const zkey = path.join(fixtures, 'chain2000.zkey')
const wtns = path.join(fixtures, 'chain2000.wtns')
const HEAD = `
  import { configure, NallocError, ProvingKey, stats } from 'nalloc'
  import * as groth16 from 'nalloc/groth16'
  import { readdirSync, readFileSync } from 'node:fs'
  import { setTimeout as sleep } from 'node:timers/promises'
  import { Worker } from 'node:worker_threads'
  const [zkey, wtns] = ${JSON.stringify([zkey, wtns])}
  const print = (value) => process.stdout.write(JSON.stringify(value))
  /** The threads of nalloc's pool that there are. */
  const threads = () => readdirSync('/proc/self/task').filter((id) => {
    try {
      return readFileSync('/proc/self/task/' + id + '/comm', 'utf8').startsWith('nalloc-')
    } catch {
      return false // It has ended since the folder was read.
    }
  }).length
  /** Their number once it is the expected one, or what it is after ten seconds: a thread takes its
   * name itself, a moment after it was started. */
  const threadsAtLast = async (expected) => {
    for (let turn = 0; turn < 1000 && threads() !== expected; turn += 1) await sleep(10)
    return threads()
  }
  const failure = (call) => { try { call() } catch (error) { return error } }
`

/** What a module prints. */
async function resultOf(t: Parameters<typeof assertEnding>[0], program: string): Promise<unknown> {
  const ending = await runNode(['--input-type=module', '-e', HEAD + program])
  assertEnding(t, ending, 0)
  return JSON.parse(ending.stdout)
}

test('as many threads are started as were asked for, by the first call that needs them', async (t) => {
  for (const count of [1, 3]) {
    const result = await resultOf(
      t,
      `
      configure({ threads: 7 })
      configure({ threads: ${count} })
      configure({})
      const before = threads()
      const key = await ProvingKey.open(zkey)
      key.dispose()
      print([before, await threadsAtLast(${count})])
      `,
    )
    t.deepEqual(result, [0, count])
  }
})

test('another number after that is ERR_BUSY, the same number is not', async (t) => {
  const result = await resultOf(
    t,
    `
    groth16.configure({ threads: 2 })
    const key = await ProvingKey.open(zkey)
    configure({ threads: 2 })
    const error = failure(() => configure({ threads: 3 }))
    if (!(error instanceof NallocError)) throw error
    await key.prove(wtns)
    print([error.code, error.message, await threadsAtLast(2)])
    `,
  )

  t.deepEqual(result, [
    'ERR_BUSY',
    'threads: expected to be set before the first call that needs them, got 3 after 2 had been ' +
      'started. Call configure() at the start of the program',
    2,
  ])
})

test('a worker shares the threads of its process', async (t) => {
  const result = await resultOf(
    t,
    `
    configure({ threads: 2 })
    const work = \`
      import { configure, ProvingKey } from 'nalloc'
      import { parentPort, workerData } from 'node:worker_threads'
      configure({ threads: 1 })
      ProvingKey.open(workerData).then((key) => parentPort.postMessage(key.info.nPublic))
    \`
    const worker = new Worker(work, { eval: true, workerData: zkey })
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    const error = failure(() => configure({ threads: 2 }))
    print([error.code, await threadsAtLast(1)])
    `,
  )

  t.deepEqual(result, ['ERR_BUSY', 1])
})

test('proofs for one blinding are the same with one thread and with two', async (t) => {
  const proofs: unknown[] = []
  for (const count of [1, 2]) {
    proofs.push(
      await resultOf(
        t,
        `
        configure({ threads: ${count} })
        const key = await ProvingKey.open(zkey)
        const { proof, publicSignals } = await key.prove(wtns, { unsafeBlinding: { r: 5, s: 6 } })
        print([proof, publicSignals])
        `,
      ),
    )
  }

  t.deepEqual(proofs[0], proofs[1])
})

test('concurrency and maxQueue are refused outside of their range, and change nothing', async (t) => {
  const result = await resultOf(
    t,
    `
    const wrong = [
      ...[0, 65, 1.5, '2', null].map((concurrency) => ({ concurrency, maxQueue: 0 })),
      ...[-1, 2 ** 32, NaN, '1'].map((maxQueue) => ({ concurrency: 2, maxQueue })),
    ]
    const errors = wrong.map((options) => failure(() => configure(options)))
    const key = await ProvingKey.open(zkey)
    let most = 0
    const onProgress = () => { most = Math.max(most, Math.ceil(stats().arenas / 2)) }
    await Promise.all([1, 2, 3].map(() => key.prove(wtns, { onProgress })))
    print([errors.map(({ code, message }) => code + ' ' + message), most])
    `,
  )

  const concurrency = 'ERR_INVALID_ARG concurrency: expected an integer in 1..64, got'
  const maxQueue = 'ERR_INVALID_ARG maxQueue: expected an integer in 0..4294967295, got'
  t.deepEqual(result, [
    [
      ...['0', '65', '1.5', '"2"', 'null'].map((got) => `${concurrency} ${got}`),
      ...['-1', '4294967296', 'NaN', '"1"'].map((got) => `${maxQueue} ${got}`),
    ],
    1,
  ])
})

test('each proof at a time has as many threads as were asked for', async (t) => {
  const result = await resultOf(
    t,
    `
    configure({ threads: 2, concurrency: 3 })
    const key = await ProvingKey.open(zkey)
    const before = await threadsAtLast(2)
    await Promise.all(Array.from({ length: 9 }, () => key.prove(wtns)))
    print([before, await threadsAtLast(6)])
    `,
  )

  t.deepEqual(result, [2, 6])
})

test('a number that is none of 1 to 1024 is refused', async (t) => {
  const result = await resultOf(
    t,
    `
    const values = [0, -1, 1.5, 1025, NaN, Infinity, '2', null, 2n]
    const errors = values.map((threads) => failure(() => configure({ threads })))
    const others = [null, 1].map((options) => failure(() => configure(options)))
    print([...errors, ...others].map(({ name, code, message }) => [name, code, message]))
    `,
  )

  const expected = 'threads: expected an integer in 1..1024, got'
  const range = (got: string) => ['RangeError', 'ERR_INVALID_ARG', `${expected} ${got}`]
  const type = (got: string) => ['TypeError', 'ERR_INVALID_ARG', `${expected} ${got}`]
  t.deepEqual(result, [
    ...['0', '-1', '1.5', '1025', 'NaN', 'Infinity'].map(range),
    ...['"2"', 'null', '2'].map(type),
    ...['null', '1'].map((got) => [
      'TypeError',
      'ERR_INVALID_ARG',
      `options: expected an object, got ${got}`,
    ]),
  ])
})
