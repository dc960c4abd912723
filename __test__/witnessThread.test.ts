// Witnesses are computed in a thread of their own.

import fs from 'node:fs'
import test from 'ava'
import { Circuit, groth16, ProvingKey, stats } from 'nalloc'
import { assertEnding, runNode } from './_child.ts'
import { semaphore } from './_repository.ts'
import { calculatorFunctions, wasmModule } from './_wasm.ts'
import { elementBytes, PRIME } from './_wtns.ts'

const BIG = semaphore(32)

/** A circuit without inputs whose computation is this. */
function circuitOf(init: 'loop' | 'trap'): Promise<Circuit> {
  const functions = calculatorFunctions({ init: { parameters: 1, result: init } })
  return Circuit.open(wasmModule({ exportsMemory: true, data: elementBytes(PRIME), functions }))
}

test.serial('the event loop turns while a witness is computed', async (t) => {
  const circuit = await Circuit.open(BIG.wasm)
  ;(await circuit.witness(BIG.input)).dispose()
  let turns = 0
  let isRunning = true

  const computing = circuit.witness(BIG.input).finally(() => {
    isRunning = false
  })
  while (isRunning) {
    await new Promise((resolve) => setImmediate(resolve))
    turns += 1
  }
  ;(await computing).dispose()

  t.true(turns > 20, `${turns} turns`)
})

test.serial('a computation that finds no end is aborted at once and stops no other', async (t) => {
  const endless = await circuitOf('loop')
  const circuit = await Circuit.open(BIG.wasm)
  const { secretBytes } = stats()
  const controller = new AbortController()
  const { signal } = controller

  const stopped = [endless.witness({}, { signal }), endless.witness({}, { signal })]
  const behind = circuit.witness(BIG.input)
  setTimeout(() => controller.abort('enough'), 100)

  for (const computing of stopped) {
    t.is(await computing.catch((reason: unknown) => reason), 'enough')
  }
  const witness = await behind
  using key = await ProvingKey.open(BIG.zkey)
  const { proof, publicSignals } = await key.prove(witness)
  witness.dispose()
  t.true(await key.verifyingKey.verify(proof, publicSignals))
  t.is(stats().secretBytes, secretBytes)
})

test.serial(
  'an abort while a witness is computed leaves nothing and the next one is right',
  async (t) => {
    const circuit = await Circuit.open(BIG.wasm)
    const { secretBytes } = stats()

    for (let round = 0; round < 10; round += 1) {
      const controller = new AbortController()
      const computing = circuit.witness(BIG.input, { signal: controller.signal })
      setTimeout(() => controller.abort(round), 2 * round)
      const outcome = await computing.catch((reason: unknown) => reason)
      if (outcome !== round) (outcome as Disposable)[Symbol.dispose]()
    }

    t.is(stats().secretBytes, secretBytes)
    const { proof, publicSignals } = await groth16.fullProve(BIG.input, circuit, BIG.zkey)
    t.true(await groth16.verify(BIG.vk, publicSignals, proof))
  },
)

test.serial('a calculator that crashes is an error, and the next one works', async (t) => {
  const crashing = await circuitOf('trap')
  const { secretBytes } = stats()

  const error = await t.throwsAsync(crashing.witness({}), { code: 'ERR_WITNESS' })

  t.regex(error?.message ?? '', /^the witness calculator crashed: /)
  t.is(stats().secretBytes, secretBytes)
  const circuit = await Circuit.open(semaphore(1).wasm)
  ;(await circuit.witness(semaphore(1).input)).dispose()
})

test.serial('wrong inputs are refused before anything is computed', async (t) => {
  // It would find no end.
  const endless = await circuitOf('loop')
  const { secretBytes } = stats()

  await t.throwsAsync(endless.witness({ nosuch: 1 }), {
    code: 'ERR_INPUT',
    message: /^signal "nosuch": the circuit has no input of this name/,
  })

  t.is(stats().secretBytes, secretBytes)
})

test.serial('a circuit is compiled once for many witnesses', async (t) => {
  const api = (globalThis as unknown as { WebAssembly: { compile: (bytes: unknown) => unknown } })
    .WebAssembly
  const { compile } = api
  let compiled = 0
  api.compile = (bytes) => {
    compiled += 1
    return compile.call(api, bytes)
  }
  t.teardown(() => {
    api.compile = compile
  })
  const circuit = await Circuit.open(BIG.wasm)

  for (let round = 0; round < 3; round += 1) (await circuit.witness(BIG.input)).dispose()

  t.is(compiled, 1)
})

test.serial('many witnesses at once are each their own', async (t) => {
  const cases = [semaphore(1), semaphore(5), semaphore(10)]
  const proved = await Promise.all(
    [...cases, ...cases, ...cases].map(async ({ zkey, wasm, vk, input }) => {
      const { proof, publicSignals } = await groth16.fullProve(input, wasm, zkey)
      return groth16.verify(vk, publicSignals, proof)
    }),
  )

  t.deepEqual(
    proved,
    proved.map(() => true),
  )
})

test.serial(
  'a process whose last witness is there ends by itself, also one that was given up',
  async (t) => {
    const program = (rest: string): string => `
    const { Circuit } = require('nalloc')
    const input = JSON.parse(${JSON.stringify(JSON.stringify(BIG.input))})
    Circuit.open(${JSON.stringify(BIG.wasm)}).then(async (circuit) => {
      ${rest}
      process.stdout.write('done')
    })
  `
    const aborted = `
    const controller = new AbortController()
    const computing = circuit.witness(input, { signal: controller.signal })
    setTimeout(() => controller.abort('enough'), 20)
    await computing.catch(() => {})
  `
    for (const rest of ['await circuit.witness(input)', aborted]) {
      const ending = await runNode(['-e', program(rest)])

      assertEnding(t, ending, 0)
      t.is(ending.stdout, 'done')
    }
  },
)

test.serial('large inputs are read in turns', async (t) => {
  const count = 50_000
  const functions = calculatorFunctions({
    getInputSize: { parameters: 0, result: count },
    getInputSignalSize: { parameters: 2, result: count },
  })
  const bytes = wasmModule({ exportsMemory: true, data: elementBytes(PRIME), functions })
  const circuit = await Circuit.open(Buffer.from(bytes))
  const value = fs.readFileSync(BIG.vk, 'utf8').match(/\d{70,}/)?.[0] ?? ''
  const signal = Array.from({ length: count }, () => value)
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
  }, 1)

  // What it computes is no witness; that it was given its inputs is enough.
  const computing = circuit.witness({ signal })
  await computing.then(
    (witness) => witness.dispose(),
    () => {},
  )
  clearInterval(timer)

  t.true(value.length >= 70 && turns > 10, `${turns} turns`)
})
