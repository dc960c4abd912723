// The threads in which witnesses are computed: how many there are, and what becomes of each.

import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import workerThreads, { type Worker } from 'node:worker_threads'
import test from 'ava'
import type { CircuitInputs } from 'nalloc'
import { assertEnding, runNode } from './_child.ts'
import { calculator, calculatorPool, native, sharedMemory, signals } from './_internal.ts'
import { semaphore } from './_repository.ts'
import { calculatorFunctions, wasmModule } from './_wasm.ts'
import { elementBytes, PRIME } from './_wtns.ts'

type Pool = InstanceType<typeof calculatorPool.CalculatorPool>

const SMALL = semaphore(1)
const OTHER = semaphore(20)
const ENDLESS = wasmModule({
  exportsMemory: true,
  data: elementBytes(PRIME),
  functions: calculatorFunctions({ init: { parameters: 1, result: 'loop' } }),
})
/** What must happen by itself. */
const WAIT_MS = 10_000
const NEVER_MS = 2 ** 30

/** Every thread that was started. */
const started: Worker[] = []
const { Worker: Original } = workerThreads
workerThreads.Worker = class extends Original {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args)
    started.push(this)
  }
}

function pool(limits: Partial<ConstructorParameters<typeof calculatorPool.CalculatorPool>[0]>) {
  return new calculatorPool.CalculatorPool({
    threadsMax: () => 2,
    waitingMax: () => 100,
    idleMsMax: NEVER_MS,
    abandonedMsMax: NEVER_MS,
    ...limits,
  })
}

interface Work {
  readonly pool: Pool
  readonly wasm: Uint8Array
  readonly input: CircuitInputs
  /** Called when there shall be room for the values. */
  readonly onMake?: () => void
}

type Computation = ReturnType<Pool['fill']>

/** Asks a pool for a witness. */
async function begin({ pool: where, wasm, input, onMake }: Work): Promise<Computation> {
  const compiled = await calculator.compileCalculator('circuit', wasm)
  const shape = compiled.shape()
  const checked = await signals.readSignalsInTurns(input, shape, () => undefined)
  return where.fill(compiled, checked, () => {
    onMake?.()
    return new (native.binding().WitnessHandle)(shape.witnessLength)
  })
}

/** Computes a witness in a pool; the values are wiped. */
async function compute(work: Work): Promise<void> {
  const { done } = await begin(work)
  ;(await done).dispose()
}

const small = { wasm: fs.readFileSync(SMALL.wasm), input: SMALL.input }
const endless = { wasm: ENDLESS, input: {} }

/** Starts a computation that finds no end; what gives it up. */
async function occupy(where: Pool): Promise<() => void> {
  return (await begin({ pool: where, ...endless })).abandon
}

async function until(isTrue: () => boolean): Promise<boolean> {
  for (const endMs = performance.now() + WAIT_MS; performance.now() < endMs; await sleep(5)) {
    if (isTrue()) return true
  }
  return false
}

test.serial('a thread is started when a witness waits, and none beyond the limit', async (t) => {
  const where = pool({})
  t.is(where.size, 0)

  await compute({ pool: where, ...small })
  await compute({ pool: where, ...small })
  t.is(where.size, 1, 'one after another needs one')
  const before = started.length
  await Promise.all(Array.from({ length: 9 }, () => compute({ pool: where, ...small })))

  t.is(where.size, 2)
  t.is(started.length, before + 1)
})

test.serial('a computation without an end keeps one thread and no other', async (t) => {
  const where = pool({ abandonedMsMax: 1 })
  const abandon = await occupy(where)

  // While it goes on.
  for (let round = 0; round < 3; round += 1) await compute({ pool: where, ...small })
  abandon()

  t.true(await until(() => where.size === 1), 'its thread ends')
  await Promise.all(Array.from({ length: 4 }, () => compute({ pool: where, ...small })))
  t.is(where.size, 2, 'and another one has its place')
})

test.serial('what waits for threads that find no end goes on when they are given up', async (t) => {
  const where = pool({ abandonedMsMax: 1 })
  const abandons = [await occupy(where), await occupy(where)]
  const order: number[] = []

  const behind = [0, 1, 2].map(async (i) => {
    await compute({ pool: where, ...small })
    order.push(i)
  })
  for (const abandon of abandons) abandon()
  await Promise.all(behind)

  t.deepEqual(order.sort(), [0, 1, 2])
})

test.serial('what is given up while it waits is never begun', async (t) => {
  const where = pool({ threadsMax: () => 1, abandonedMsMax: 1 })
  const abandonFirst = await occupy(where)
  const before = started.length

  ;(await occupy(where))()
  ;(await occupy(where))()
  abandonFirst()
  await compute({ pool: where, ...small })

  t.is(started.length, before + 1, 'one thread in the place of the first, for the last')
})

test.serial('threads without work end after a while, all but one', async (t) => {
  const where = pool({ threadsMax: () => 3, idleMsMax: 20 })
  await Promise.all(Array.from({ length: 9 }, () => compute({ pool: where, ...small })))

  t.true(await until(() => where.size === 1))
  await sleep(100)
  t.is(where.size, 1)
  await compute({ pool: where, ...small })
  t.is(where.size, 1)
})

test.serial('what a computation without an end had is overwritten with its thread', async (t) => {
  const where = pool({ abandonedMsMax: 1 })
  const secret = 0x5eed_0123_4567_89abn * 2n ** 180n + 1n
  const functions = calculatorFunctions({
    getInputSize: { parameters: 0, result: 1 },
    getInputSignalSize: { parameters: 2, result: 1 },
    setInputSignal: { parameters: 3, result: 'loop' },
  })
  const wasm = wasmModule({ exportsMemory: true, data: elementBytes(PRIME), functions })

  const { abandon } = await begin({ pool: where, wasm, input: { signal: secret } })
  const memory = await new Promise<SharedArrayBuffer>((resolve) => {
    started.at(-1)?.on('message', ({ memory: { buffer } }) => resolve(buffer))
  })
  const holds = () => Buffer.from(new Uint8Array(memory)).includes(elementBytes(secret))
  t.true(await until(holds), 'control: the value is there while it computes')
  abandon()

  t.true(await until(() => where.size === 0), 'its thread ends')
  t.true(await until(() => new Uint8Array(memory).every((byte) => byte === 0)))
})

test.serial('the memory of a calculator is one that can be overwritten from outside', async (t) => {
  const original = fs.readFileSync(SMALL.wasm)
  for (const bytes of [original, Buffer.from(ENDLESS)]) {
    const changed = sharedMemory.withImportedMemory(bytes)
    t.deepEqual(changed?.limits.maximum, 65_536)
    t.is(sharedMemory.withImportedMemory(changed?.bytes ?? bytes), undefined, 'once')
  }
  for (let length = 0; length < 200; length += 1) {
    t.is(sharedMemory.withImportedMemory(original.subarray(0, length)), undefined)
  }
})

test.serial('one memory serves one witness after another, and is zero in between', async (t) => {
  const where = pool({ threadsMax: () => 1 })
  const memories: SharedArrayBuffer[] = []
  await compute({ pool: where, ...small })
  started.at(-1)?.on('message', ({ memory }) => memory && memories.push(memory.buffer))

  for (let round = 0; round < 10; round += 1) await compute({ pool: where, ...small })
  t.is(memories.length, 0, 'the first one is used again')
  await compute({ pool: where, wasm: fs.readFileSync(OTHER.wasm), input: OTHER.input })
  await compute({ pool: where, ...small })
  t.is(memories.length, 1, 'a circuit of another size has its own')
  t.true(memories.every((buffer) => new Uint8Array(buffer).every((byte) => byte === 0)))
})

test.serial(
  'room for the values is made when a thread begins, not while it is waited for',
  async (t) => {
    const where = pool({ threadsMax: () => 1, abandonedMsMax: 1 })
    const abandon = await occupy(where)
    let made = 0
    const onMake = () => {
      made += 1
    }

    const waiting = [0, 1].map(() => compute({ pool: where, ...small, onMake }))
    await sleep(20)
    t.is(made, 0)
    abandon()
    await Promise.all(waiting)

    t.is(made, 2)
  },
)

test.serial(
  'without room for the values a witness fails, and the next one is computed',
  async (t) => {
    const where = pool({ threadsMax: () => 1 })
    const onMake = () => {
      throw new RangeError('no room')
    }

    const failing = compute({ pool: where, ...small, onMake })
    const behind = compute({ pool: where, ...small })

    await t.throwsAsync(failing, { instanceOf: RangeError, message: 'no room' })
    await behind
    t.is(where.size, 1)
  },
)

test.serial('more than may wait are refused', async (t) => {
  const where = pool({ threadsMax: () => 1, waitingMax: () => 2, abandonedMsMax: 1 })
  const abandons = [await occupy(where), await occupy(where), await occupy(where)]

  const error = await t.throwsAsync(compute({ pool: where, ...small }), { code: 'ERR_QUEUE_FULL' })
  for (const abandon of abandons) abandon()
  await compute({ pool: where, ...small })

  t.is(error?.message, '2 witnesses are waiting, and maxQueue allows 2. Retry later (HTTP 503).')
})

test.serial('a thread that dies fails its own computation, and is replaced', async (t) => {
  const where = pool({ threadsMax: () => 1 })
  await compute({ pool: where, ...small })
  const dying = started.at(-1)

  const { done: failing } = await begin({ pool: where, ...endless })
  const behind = compute({ pool: where, ...small })
  await dying?.terminate()

  await t.throwsAsync(failing, {
    code: 'ERR_WITNESS',
    message: /^the thread that computes witnesses failed: it ended without a word\.$/,
  })
  await behind
  t.is(where.size, 1)
  t.not(started.at(-1), dying)
})

test.serial('a thread that dies without work is replaced when there is some', async (t) => {
  const where = pool({})
  await compute({ pool: where, ...small })
  await started.at(-1)?.terminate()
  t.true(await until(() => where.size === 0))

  await compute({ pool: where, ...small })

  t.is(where.size, 1)
})

test.serial('as many witnesses are computed at once as a proof has threads', async (t) => {
  const program = (threads: number) => `
    const { Circuit, configure } = require('nalloc')
    configure({ threads: ${threads} })
    const bytes = Buffer.from('${Buffer.from(ENDLESS).toString('base64')}', 'base64')
    async function main() {
      const endless = await Circuit.open(bytes)
      const circuit = await Circuit.open(${JSON.stringify(SMALL.wasm)})
      const controller = new AbortController()
      const { signal } = controller
      const stopped = [1, 2].map(() => endless.witness({}, { signal }).catch((reason) => reason))
      // With three threads it does not wait for the two without an end.
      const third = circuit.witness(${JSON.stringify(SMALL.input)})
      if (${threads} < 3) setTimeout(() => controller.abort('enough'), 50)
      const witness = await third
      controller.abort('enough')
      process.stdout.write(witness.length + ' ' + (await Promise.all(stopped)).join() + ' done')
    }
    main()
  `

  for (const threads of [3, 2, 1]) {
    const ending = await runNode(['-e', program(threads)])

    assertEnding(t, ending, 0)
    t.regex(ending.stdout, /^\d+ enough,enough done$/)
    t.is(ending.killed, undefined)
  }
})

test.serial('threads with nothing to do keep no process open', async (t) => {
  const program = `
    const { Circuit, configure } = require('nalloc')
    configure({ threads: 4 })
    async function main() {
      const circuit = await Circuit.open(${JSON.stringify(SMALL.wasm)})
      const input = ${JSON.stringify(SMALL.input)}
      await Promise.all(Array.from({ length: 8 }, () => circuit.witness(input)))
      process.stdout.write('done')
    }
    main()
  `

  const ending = await runNode(['-e', program])

  assertEnding(t, ending, 0)
  t.is(ending.killed, undefined)
})
