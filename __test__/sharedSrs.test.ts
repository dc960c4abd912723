// One SRS in several worker threads. The figures are the process's, so one test after another.

import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { ProvingKey, stats } from 'nalloc'
import { Kzg, type KzgOpening, Polynomial, Srs } from 'nalloc/bn254'
import { runNode } from './_child.ts'
import { root } from './_repository.ts'

const TAU = 31337n
const MAX_DEGREE = 2 ** 14 - 1
const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { Kzg, Polynomial, Srs } = require(workerData.entry)
  const srs = Srs.fromShared(workerData.ticket)
  parentPort.postMessage(srs.maxDegree)
  parentPort.once('message', async () => {
    const polynomial = await Polynomial.fromCoefficients([1, 2, 3])
    const opening = await new Kzg(srs).open(polynomial, 10)
    polynomial.dispose()
    srs.dispose()
    parentPort.postMessage(opening)
  })
`

/** A worker that has joined an SRS. */
async function join(t: ExecutionContext, ticket: string): Promise<Worker> {
  const workerData = { entry: `${root}/dist/bn254.js`, ticket }
  const worker = new Worker(PROGRAM, { eval: true, workerData })
  t.teardown(() => worker.terminate())
  t.is(await messageOf(worker), MAX_DEGREE)
  return worker
}

function messageOf(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
  })
}

test.serial('workers open with the SRS that another thread has read', async (t) => {
  using srs = await Srs.unsafeForTests(TAU, MAX_DEGREE)
  const { liveBytes } = stats()
  const ticket = srs.share()
  t.is(srs.share(), ticket)

  const workers = await Promise.all([0, 1, 2].map(() => join(t, ticket)))
  t.is(stats().liveBytes, liveBytes, 'nothing was made again')
  const opened = workers.map(messageOf) as Promise<KzgOpening>[]
  for (const worker of workers) worker.postMessage('open')

  const openings = await Promise.all(opened)
  t.deepEqual(
    openings.map(({ value }) => value),
    [321n, 321n, 321n],
  )
  t.true(await new Kzg(srs).verifyBatch(openings))
})

test.serial('an SRS stays until its last handle goes, in whichever thread', async (t) => {
  const { liveBytes } = stats()
  const srs = await Srs.unsafeForTests(TAU, MAX_DEGREE)
  const ticket = srs.share()
  const worker = await join(t, ticket)
  using other = Srs.fromShared(ticket)

  srs.dispose()
  t.throws(() => srs.share(), { code: 'ERR_DISPOSED' })
  using polynomial = await Polynomial.fromCoefficients([1, 2, 3])
  const kzg = new Kzg(other)
  t.true(await kzg.verify(await kzg.open(polynomial, 5)))
  other.dispose()
  const opened = messageOf(worker) as Promise<KzgOpening>
  worker.postMessage('open')

  t.is((await opened).value, 321n)
  for (let turn = 0; turn < 1000 && stats().liveBytes > liveBytes + 2 ** 19; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.true(stats().liveBytes <= liveBytes + 2 ** 19, `${stats().liveBytes} of ${liveBytes}`)
  const message = 'ticket: expected that of an open SRS, got that of a disposed one'
  t.throws(() => Srs.fromShared(ticket), { code: 'ERR_DISPOSED', message })
})

test.serial('a worker that is terminated gives its handle up', async (t) => {
  const { liveBytes } = stats()
  const srs = await Srs.unsafeForTests(TAU, MAX_DEGREE)
  const worker = await join(t, srs.share())

  srs.dispose()
  t.true(stats().liveBytes >= liveBytes + 64 * MAX_DEGREE, 'the worker has it')
  await worker.terminate()

  for (let turn = 0; turn < 1000 && stats().liveBytes > liveBytes + 2 ** 19; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.true(stats().liveBytes <= liveBytes + 2 ** 19, `${stats().liveBytes} of ${liveBytes}`)
})

test.serial('what is no ticket of an SRS of this process is refused', async (t) => {
  const program = `
    const { Srs } = require('nalloc/bn254')
    Srs.unsafeForTests(5, 3).then((srs) => process.stdout.write(srs.share()))
  `
  const { stdout: foreign } = await runNode(['-e', program])
  t.regex(foreign, /^nalloc-srs-[0-9a-f]{16}-\d+$/)
  using srs = await Srs.unsafeForTests(TAU, 3)
  const own = srs.share()

  const keyLike = own.replace('srs', 'key')
  for (const ticket of [foreign, keyLike, '', 'x', `${own}x`, own.toUpperCase()]) {
    const error = t.throws(() => Srs.fromShared(ticket), {
      instanceOf: RangeError,
      code: 'ERR_INVALID_ARG',
    })
    t.is(error?.message, 'ticket: expected one that share() gave in this process, got another text')
  }
  t.throws(() => ProvingKey.fromShared(own), { code: 'ERR_INVALID_ARG' })
  for (const ticket of [undefined, null, 1, srs, {}]) {
    t.throws(() => Srs.fromShared(ticket as string), {
      instanceOf: TypeError,
      message: /^ticket: expected text that share\(\) gave/,
    })
  }
})
