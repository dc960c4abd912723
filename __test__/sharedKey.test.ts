// One key in several worker threads. The figures are the process's, so one test after another.

import path from 'node:path'
import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { type Groth16Proof, ProvingKey, type PublicSignals, stats } from 'nalloc'
import { runNode } from './_child.ts'
import { fixtures, root } from './_repository.ts'

const stem = path.join(fixtures, 'chain2000')
const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { ProvingKey } = require(workerData.root)
  const key = ProvingKey.fromShared(workerData.ticket)
  parentPort.postMessage('joined')
  parentPort.once('message', async () => {
    const { proof, publicSignals } = await key.prove(workerData.wtns)
    key.dispose()
    parentPort.postMessage({ proof, publicSignals })
  })
`

interface Proved {
  readonly proof: Groth16Proof
  readonly publicSignals: PublicSignals
}

/** A worker that has joined a key. */
async function join(t: ExecutionContext, ticket: string): Promise<Worker> {
  const workerData = { root, ticket, wtns: `${stem}.wtns` }
  const worker = new Worker(PROGRAM, { eval: true, workerData })
  t.teardown(() => worker.terminate())
  t.is(await messageOf(worker), 'joined')
  return worker
}

function messageOf(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
  })
}

test.serial('workers prove with the key that another thread has opened', async (t) => {
  using key = await ProvingKey.open(`${stem}.zkey`)
  const { keys, liveBytes } = stats()
  const ticket = key.share()

  const workers = await Promise.all([0, 1, 2].map(() => join(t, ticket)))
  t.like(stats(), { keys, liveBytes }, 'nothing was read again')
  const proved = workers.map(messageOf) as Promise<Proved>[]
  for (const worker of workers) worker.postMessage('prove')

  for (const { proof, publicSignals } of await Promise.all(proved)) {
    t.true(await key.verifyingKey.verify(proof, publicSignals))
  }
  t.like(stats(), { keys, liveBytes })
})

test.serial('a key stays until its last handle goes, in whichever thread', async (t) => {
  const { keys } = stats()
  const key = await ProvingKey.open(`${stem}.zkey`)
  const { verifyingKey } = key
  const ticket = key.share()
  t.is(key.share(), ticket)
  const worker = await join(t, ticket)

  key.dispose()
  t.is(stats().keys, keys + 1)
  const proved = messageOf(worker) as Promise<Proved>
  worker.postMessage('prove')

  const { proof, publicSignals } = await proved
  t.true(await verifyingKey.verify(proof, publicSignals))
  t.is(stats().keys, keys)
  const error = t.throws(() => ProvingKey.fromShared(ticket), { code: 'ERR_DISPOSED' })
  t.regex(error?.message ?? '', /^ticket: /)
})

test.serial('a worker that is terminated gives its handle up', async (t) => {
  const { keys } = stats()
  const key = await ProvingKey.open(`${stem}.zkey`)
  const worker = await join(t, key.share())

  worker.postMessage('prove')
  await worker.terminate()
  t.true((await key.prove(`${stem}.wtns`)).publicSignals.length > 0)
  key.dispose()

  // The handle goes with its environment, a proof in progress with its next question.
  for (let turn = 0; turn < 1000 && stats().keys > keys; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.is(stats().keys, keys)
})

test.serial('what is no ticket of this process is refused', async (t) => {
  const program = `
    const { ProvingKey } = require('nalloc')
    ProvingKey.open(${JSON.stringify(`${stem}.zkey`)}).then((key) => {
      process.stdout.write(key.share())
    })
  `
  const { stdout: foreign } = await runNode(['-e', program])
  using key = await ProvingKey.open(`${stem}.zkey`)
  const own = key.share()
  t.regex(foreign, /^nalloc-key-/)

  for (const ticket of [foreign, '', 'x', `${own}x`, own.slice(0, -1), own.toUpperCase()]) {
    t.throws(() => ProvingKey.fromShared(ticket), {
      instanceOf: RangeError,
      code: 'ERR_INVALID_ARG',
    })
  }
  for (const ticket of [undefined, null, 1, key, {}]) {
    t.throws(() => ProvingKey.fromShared(ticket as string), {
      instanceOf: TypeError,
      message: /^ticket: expected text that share\(\) gave/,
    })
  }
  key.dispose()
  t.throws(() => key.share(), { code: 'ERR_DISPOSED' })
})
