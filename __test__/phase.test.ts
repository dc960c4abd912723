// Named spans of time: when they begin and end, and where they are seen.

import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { type PhaseStats, ProvingKey, phase, stats } from 'nalloc'
import { assertEnding, runNode } from './_child.ts'
import { runCli } from './_cli.ts'
import { root, semaphore } from './_repository.ts'
import { temporaryFolder } from './_temporary.ts'

const MIB = 2 ** 20
const { zkey } = semaphore(20)
/** The kernel's part of a child is slow under load. */
const WAIT_MS = 10_000

function found(name: string): Pick<PhaseStats, 'times' | 'open'> & { readonly peak: number } {
  const {
    times = 0,
    open = 0,
    peakLiveBytes: peak = 0,
  } = stats().phases.find((known) => known.name === name) ?? {}
  return { times, open, peak }
}

test('a phase lasts until its function returns or throws, and hands on what it does', (t) => {
  const value = phase('sync', () => {
    t.like(found('sync'), { times: 1, open: 1 })
    return 7
  })
  const error = t.throws(() =>
    phase('sync', () => {
      throw new RangeError('own')
    }),
  )

  t.is(value, 7)
  t.is(error?.message, 'own')
  t.like(found('sync'), { times: 2, open: 0 })
})

test('a phase lasts until its promise settles, over awaits', async (t) => {
  const computing = phase('async', async () => {
    await sleep(1)
    t.like(found('async'), { times: 1, open: 1 })
    await sleep(1)
    return 7
  })
  t.like(found('async'), { times: 1, open: 1 })

  t.is(await computing, 7)
  t.like(found('async'), { times: 1, open: 0 })
  const failing = phase('async', () => Promise.reject(new RangeError('own')))
  await t.throwsAsync(failing, { instanceOf: RangeError, message: 'own' })
  t.like(found('async'), { times: 2, open: 0 })
})

test('phases nest, and an inner one may outlast the outer', async (t) => {
  const { promise, resolve } = withResolvers()

  const inner = phase('outer', () => {
    const lasting = phase('inner', () => promise)
    t.is(found('outer').open, 1)
    // What is handed on in something else does not keep the outer one open.
    return { lasting }
  })
  t.deepEqual([found('outer').open, found('inner').open], [0, 1])
  resolve()
  await inner.lasting

  t.deepEqual([found('outer').open, found('inner').open], [0, 0])
})

test('phases whose awaits interleave end each in its own time, of one name and of several', async (t) => {
  const gates = Array.from({ length: 4 }, withResolvers)
  const names = ['left', 'right', 'left', 'right']

  const running = names.map((name, i) =>
    phase(name, async () => {
      await sleep(1)
      await gates[i]?.promise
    }),
  )
  const open = () => [found('left').open, found('right').open]
  t.deepEqual(open(), [2, 2])
  for (const [i, expected] of [
    [1, [2, 1]],
    [0, [1, 1]],
    [3, [1, 0]],
    [2, [0, 0]],
  ] as const) {
    gates[i]?.resolve()
    await running[i]
    t.deepEqual(open(), expected)
  }
})

test.serial('the peak of a phase is what was live in its own time', async (t) => {
  await phase('before', async () => undefined)
  const key = await phase('with a key', () => ProvingKey.open(zkey))
  const { keyBytes } = key.estimate()
  key.dispose()
  await phase('after', async () => undefined)

  t.true(keyBytes > MIB)
  t.true(found('with a key').peak >= keyBytes, JSON.stringify(stats().phases))
  t.true(found('before').peak < keyBytes && found('after').peak < keyBytes)
})

test('a proof goes through phases of its own', async (t) => {
  using key = await ProvingKey.open(semaphore(1).zkey)
  await phase('request', () => key.fullProve(semaphore(1).input, semaphore(1).wasm))

  const names = stats().phases.map(({ name }) => name)
  for (const name of ['request', 'load', 'msm', 'self-verify']) t.true(names.includes(name), name)
})

test('a rejection that nobody awaits is still told', async (t) => {
  const program = `
    const { phase } = require('nalloc')
    phase('lost', async () => { throw new Error('nobody awaits this') })`

  const ending = await runNode(['-e', program])

  t.is(ending.status, 1)
  t.regex(ending.stderr, /nobody awaits this/)
})

test('a worker that ends takes its phases with it', async (t) => {
  const program = `
    const { phase } = require('nalloc')
    const { parentPort } = require('node:worker_threads')
    phase('of a worker', () => new Promise(() => {}))
    parentPort.on('message', () => {})
    parentPort.postMessage('begun')`
  const worker = new Worker(program, { eval: true })
  await new Promise((resolve) => worker.once('message', resolve))
  t.is(found('of a worker').open, 1)

  await worker.terminate()

  for (const endMs = performance.now() + WAIT_MS; performance.now() < endMs; await sleep(5)) {
    if (found('of a worker').open === 0) break
  }
  t.like(found('of a worker'), { times: 1, open: 0 })
})

test('names beyond what is told apart are one phase, and nothing fails', async (t) => {
  const program = `
    const { phase, stats } = require('nalloc')
    for (let i = 0; i < 100; i += 1) phase('name ' + i, () => phase('name ' + i, () => 0))
    const { phases, phasesMissed } = stats()
    const last = phases.findLast(() => true)
    console.log(JSON.stringify([phases.length, phasesMissed, phases[31].name, last.times, last.open]))`

  const ending = await runNode(['-e', program])

  assertEnding(t, ending, 0)
  t.deepEqual(JSON.parse(ending.stdout), [32, 136, 'name 31', 2, 0])
})

test('a name is text of some length, and the work a function', (t) => {
  for (const name of [1, undefined, null, Symbol('x')]) {
    const error = t.throws(() => phase(name as unknown as string, () => 0), {
      instanceOf: TypeError,
    })
    t.regex(error?.message ?? '', /^name: expected text of 1\.\.64 characters, got /)
  }
  for (const name of ['', 'x'.repeat(65)]) {
    t.throws(() => phase(name, () => 0), { instanceOf: RangeError, code: 'ERR_INVALID_ARG' })
  }
  for (const fn of [undefined, 'text']) {
    const call = () => phase('x', fn as unknown as () => void)
    t.throws(call, { instanceOf: TypeError, message: /^fn: expected a function, got / })
  }
  t.is(found('x').times, 0)
})

/** Opens a key in a phase, and fills memory of Node in another that overlaps it. */
const TRACED = `
  const { phase, ProvingKey } = require(process.argv[1])
  const { setTimeout: sleep } = require('node:timers/promises')
  const open = () => phase('opening', async () => {
    await sleep(20)
    ;(await ProvingKey.open(process.argv[2])).dispose()
  })
  const fill = () => phase('filling', async () => {
    const block = Buffer.alloc(${33 * MIB}, 1)
    await sleep(50)
    return block.length
  })
  Promise.all([open(), fill()])`
const TRACED_ARGS = ['-e', TRACED, path.join(root, 'dist/index.js'), zkey]

interface ReportedPhase {
  readonly name: string | null
  readonly times: number
  readonly openUs: number
  readonly peakLiveBytes: number
}

/** Phases by name, as \`nalloc report\` tells them of a trace. */
async function reported(t: ExecutionContext, file: string): Promise<Map<string, ReportedPhase>> {
  const ending = await runCli(['report', file, '--json'])
  assertEnding(t, ending, 0)
  const { trace } = JSON.parse(ending.stdout) as { trace: { phases: ReportedPhase[] } }
  return new Map(trace.phases.map((entry) => [entry.name ?? '', entry]))
}

test("a trace of the addon's heap has the phases, and the report tells them", async (t) => {
  const folder = temporaryFolder(t)

  const ending = await runNode(TRACED_ARGS, root, { NALLOC_TRACE: path.join(folder, 't') })

  assertEnding(t, ending, 0)
  const [name = ''] = fs.readdirSync(folder)
  const phases = await reported(t, path.join(folder, name))
  t.is(phases.get('opening')?.times, 1)
  t.is(phases.get('filling')?.times, 1)
  t.true((phases.get('opening')?.peakLiveBytes ?? 0) > MIB)
  t.true((phases.get('filling')?.openUs ?? 0) > 0)
})

test('under nalloc run --trace both heaps have the phases', async (t) => {
  const folder = temporaryFolder(t)
  const run = ['run', '--require', '--trace', path.join(folder, 't'), '--', process.execPath]

  const ending = await runCli([...run, ...TRACED_ARGS])

  assertEnding(t, ending, 0)
  const files = fs.readdirSync(folder)
  t.is(files.length, 2)
  const peaks: number[] = []
  for (const file of files) {
    const phases = await reported(t, path.join(folder, file))
    t.deepEqual([phases.get('opening')?.times, phases.get('filling')?.times], [1, 1], file)
    peaks.push(phases.get('filling')?.peakLiveBytes ?? 0)
  }
  // What Node itself takes is in the preloaded heap alone.
  t.true(Math.max(...peaks) >= 33 * MIB && Math.min(...peaks) < 33 * MIB, String(peaks))
})

test('under nalloc run the peak of a phase is that of both heaps', async (t) => {
  const program = `
    const { phase, stats } = require(process.argv[1])
    const block = phase('filling', () => Buffer.alloc(${33 * MIB}, 1))
    const { times, peakLiveBytes } = stats().phases.find(({ name }) => name === 'filling')
    console.log(JSON.stringify([times, peakLiveBytes >= block.length]))`
  const args = ['-e', program, path.join(root, 'dist/index.js')]

  const ending = await runCli(['run', '--require', '--', process.execPath, ...args])

  assertEnding(t, ending, 0)
  t.deepEqual(JSON.parse(ending.stdout), [1, true])
})

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve: () => resolve() }
}
