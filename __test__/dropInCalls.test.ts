// Calls of `nalloc/snarkjs` that snarkjs cannot be asked about: options, logger, abort, open keys.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Circuit, type NallocError, type Progress, ProvingKey, stats } from 'nalloc'
import { type CompatOptions, groth16, keyCache } from 'nalloc/snarkjs'
import { assertEnding, runChild } from './_child.ts'
import { fixtures, golden, readJson, semaphore } from './_repository.ts'
import { verifyCases } from './_verifyCases.ts'

const SMALL = semaphore(1)
const BIG = semaphore(20)
const zkey = path.join(fixtures, 'dense.zkey')
const wtns = path.join(fixtures, 'dense.wtns')
const vk = readJson<object>(fixtures, 'dense_vk.json')
const insecureKey = path.join(fixtures, 'malformed/zkey_gamma_is_delta.zkey')
const insecureWitness = path.join(fixtures, 'malformed/base.wtns')
const KEYS_MAX = 16
const ROUNDS = 20
const ATTEMPTS_MAX = 10
const RESTED = new Date('2020-01-01')

async function failure(t: ExecutionContext, call: () => Promise<unknown>): Promise<NallocError> {
  return (await t.throwsAsync(call)) as NallocError
}

/** Copies of a key, which the cache takes for old ones. */
function copiesOf(t: ExecutionContext, file: string, count: number): string[] {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  return Array.from({ length: count }, (_, i) => {
    const copy = path.join(folder, `${i}.zkey`)
    fs.copyFileSync(file, copy)
    fs.utimesSync(copy, RESTED, RESTED)
    return copy
  })
}

for (const { name, expect, ...given } of verifyCases) {
  test(`verify ${name}: ${expect}, as nalloc says`, async (t) => {
    t.is(await groth16.verify(given.vk, given.publicSignals, given.proof), expect)
  })
}

test('null is nothing, as snarkjs has it, for the logger and both options', async (t) => {
  const { publicSignals } = await groth16.fullProve(
    SMALL.input,
    SMALL.wasm,
    SMALL.zkey,
    null,
    null,
    null,
  )
  const { proof } = await groth16.prove(zkey, wtns, null, null)

  t.is(publicSignals.length, 4)
  t.is(proof.curve, 'bn128')
})

test("snarkjs's own options are taken, checked, and never dropped silently", async (t) => {
  const lines: string[] = []
  const logger = { debug: (line: string) => lines.push(line) }
  await groth16.prove(zkey, wtns, logger, { singleThread: true })
  t.true(lines.some((line) => line.includes('singleThread')))
  for (const options of [{ memorySize: 0 }, { sanityCheck: true, memorySize: 32767 }, {}]) {
    await groth16.fullProve(SMALL.input, SMALL.wasm, SMALL.zkey, undefined, options)
  }

  const refused: [object, object, RegExp][] = [
    [{ memorySize: -1 }, {}, /^wtnsCalcOptions\.memorySize: expected a number of pages, got -1/],
    [{ memorySize: '1' }, {}, /^wtnsCalcOptions\.memorySize: /],
    [{ sanityCheck: 1 }, {}, /^wtnsCalcOptions\.sanityCheck: expected a boolean/],
    [{ logSetSignal: () => undefined }, {}, /^wtnsCalcOptions: expected none but .*logSetSignal/],
    [{}, { singleThread: 1 }, /^singleThread: expected a boolean, got 1/],
    [{}, { msmBatching: 'auto' }, /^options: expected none but signal, .*"msmBatching"/],
    [{}, { selfVerify: 1 }, /^selfVerify: expected a boolean/],
  ]
  for (const [calculator, options, expected] of refused) {
    const error = await failure(t, () =>
      groth16.fullProve(SMALL.input, SMALL.wasm, SMALL.zkey, undefined, calculator, options),
    )

    t.is(error.code, 'ERR_INVALID_ARG')
    t.regex(error.message, expected)
  }
})

test('options in the place of the logger are refused, and say where they belong', async (t) => {
  for (const logger of [{ singleThread: true }, 5, 'console', true]) {
    const error = await failure(t, () => groth16.prove(zkey, wtns, logger as never))

    t.true(error instanceof TypeError)
    t.regex(error.message, /^logger: expected a logger with debug, info and error as argument 3/)
  }
})

test('the logger hears of each phase, and of no value', async (t) => {
  const lines: string[] = []
  const logger = { debug: (line: string) => lines.push(line) }
  const phases: string[] = []
  const onProgress = ({ phase }: { phase: string }) => phases.push(phase)

  await groth16.fullProve(BIG.input, BIG.wasm, BIG.zkey, logger, undefined, { onProgress })

  for (const part of ['computing the witness', 'multiplying points', 'proved in']) {
    t.true(
      lines.some((line) => line === `nalloc: ${part}` || line.includes(part)),
      lines.join('\n'),
    )
  }
  t.true(
    lines.every((line, i) => line !== lines[i + 1]),
    lines.join('\n'),
  )
  t.false(lines.some((line) => /\d{6}/.test(line)))
  t.true(phases.includes('msm'), 'the caller hears of it too')
})

test('a logger that throws stops the call', async (t) => {
  const thrown = new Error('no space for the log')
  const logger = {
    debug: () => {
      throw thrown
    },
  }

  t.is(await failure(t, () => groth16.prove(zkey, wtns, logger)), thrown as never)
})

test('swapped files and other mistakes are errors of nalloc, with codes', async (t) => {
  const swapped = await failure(t, () => groth16.fullProve(SMALL.input, SMALL.zkey, SMALL.wasm))
  t.is(swapped.code, 'ERR_BAD_MAGIC')
  t.regex(swapped.message, /swapped\?$/)
  const wrong = await failure(t, () => groth16.prove(wtns, zkey))
  t.is(wrong.code, 'ERR_BAD_MAGIC')
  const absent = await failure(t, () => groth16.prove('absent.zkey', wtns))
  t.is(absent.code, 'ERR_IO')
  const input = await failure(t, () => groth16.fullProve({}, SMALL.wasm, SMALL.zkey))
  t.is(input.code, 'ERR_INPUT')
})

test.serial('an abort rejects with its reason, before the call and within it', async (t) => {
  const reason = new Error('enough')
  const before = groth16.prove('absent.zkey', wtns, undefined, {
    signal: AbortSignal.abort(reason),
  })
  t.is(await failure(t, () => before), reason as never)
  for (const phase of ['load', 'quotient', 'msm']) {
    let outcome: unknown
    // A report may come when its phase is over, and the proof with it.
    for (let attempt = 0; attempt < ATTEMPTS_MAX && outcome !== reason; attempt += 1) {
      keyCache.clear()
      const controller = new AbortController()
      const onProgress = (progress: Progress) => {
        if (progress.phase === phase) controller.abort(reason)
      }
      const options = { signal: controller.signal, onProgress }
      const call = groth16.fullProve(BIG.input, BIG.wasm, BIG.zkey, null, null, options)
      outcome = await call.catch((error: unknown) => error)
    }

    t.is(outcome, reason as never, phase)
  }
  const { publicSignals } = await groth16.fullProve(BIG.input, BIG.wasm, BIG.zkey)

  t.is(publicSignals.length, 4)
})

test.serial('a key in memory is not kept, one that is named by its path is', async (t) => {
  keyCache.clear()
  const bytes = fs.readFileSync(zkey)
  for (const key of [bytes, { type: 'mem', data: bytes } as const]) {
    await groth16.prove(key, wtns)
  }
  t.deepEqual([keyCache.keys, keyCache.keyBytes], [0, 0])

  await groth16.prove(zkey, wtns)
  await groth16.prove(new URL(`file://${zkey}`), wtns)
  await groth16.fullProve(SMALL.input, SMALL.wasm, SMALL.zkey)

  t.deepEqual([keyCache.keys, keyCache.circuits], [2, 1])
  t.is(keyCache.keyBytes, bytes.length + fs.statSync(SMALL.zkey).size)
  keyCache.clear()
  t.deepEqual([keyCache.keys, keyCache.keyBytes, keyCache.circuits], [0, 0, 0])
})

test.serial('live memory does not grow over twenty calls, and clear gives it back', async (t) => {
  keyCache.clear()
  const empty = stats().liveBytes
  const prove = () => groth16.fullProve(SMALL.input, SMALL.wasm, SMALL.zkey)
  await prove()
  const afterFirst = stats().liveBytes
  t.true(afterFirst > empty)

  for (let round = 0; round < ROUNDS; round += 1) await prove()
  const afterLast = stats().liveBytes
  keyCache.clear()

  t.true(afterLast <= afterFirst, `${afterFirst} -> ${afterLast}`)
  t.true(stats().liveBytes < afterFirst)
})

test.serial('twenty keys at once all prove, and no more than the bound stay', async (t) => {
  keyCache.clear()
  const copies = copiesOf(t, zkey, ROUNDS)

  const results = await Promise.all(copies.map((copy) => groth16.prove(copy, wtns)))

  for (const { proof, publicSignals } of results) {
    t.true(await groth16.verify(vk, publicSignals, proof))
  }
  t.is(keyCache.keys, KEYS_MAX)
})

test.serial('a key that is dropped in the middle of a call goes on proving', async (t) => {
  const call = groth16.fullProve(BIG.input, BIG.wasm, BIG.zkey, undefined, undefined, {
    onProgress: () => keyCache.clear(),
  })
  const { proof, publicSignals } = await call

  t.true(await groth16.verify(readJson(BIG.vk), publicSignals, proof))
  t.is(keyCache.keys, 0)
})

test.serial('a failure is not kept', async (t) => {
  const [copy = ''] = copiesOf(t, zkey, 1)
  const bytes = fs.readFileSync(copy)
  fs.writeFileSync(copy, bytes.subarray(0, 1000))
  t.is((await failure(t, () => groth16.prove(copy, wtns))).code, 'ERR_TRUNCATED')
  fs.rmSync(copy)
  t.is((await failure(t, () => groth16.prove(copy, wtns))).code, 'ERR_IO')

  fs.writeFileSync(copy, bytes)
  const { proof, publicSignals } = await groth16.prove(copy, wtns)

  t.true(await groth16.verify(vk, publicSignals, proof))
})

test.serial('an open key is no way round sha256 and allowInsecure', async (t) => {
  keyCache.clear()
  await groth16.prove(zkey, wtns)
  const sha256 = '0'.repeat(64)
  const changed = await failure(t, () => groth16.prove(zkey, wtns, undefined, { sha256 }))
  t.is(changed.code, 'ERR_FILE_CHANGED')
  using key = await ProvingKey.open(zkey)
  await groth16.prove(zkey, wtns, undefined, { sha256: key.info.sha256 })

  const prove = (options: CompatOptions) =>
    groth16.prove(insecureKey, insecureWitness, undefined, options)
  // The key is another one's with a point replaced: what it proves does not verify.
  await prove({ allowInsecure: true, selfVerify: false })
  t.is((await failure(t, () => prove({ selfVerify: false }))).code, 'ERR_INSECURE_KEY')
  t.is((await failure(t, () => prove({ allowInsecure: true }))).code, 'ERR_SELF_VERIFY')
  t.is(keyCache.keys, 2)
})

test('each option of nalloc reaches the proof', async (t) => {
  const { cases } = readJson<{ cases: { name: string; vectors: { r: string; s: string }[] }[] }>(
    golden,
    'INDEX.json',
  )
  const [vector] = cases.find(({ name }) => name === 'dense')?.vectors ?? []
  const unsafeBlinding = { r: vector?.r ?? '', s: vector?.s ?? '' }
  const { proof } = await groth16.prove(zkey, wtns, undefined, { unsafeBlinding })
  t.deepEqual<unknown, unknown>(proof, readJson(golden, 'dense.0.proof.json'))
  const limited = await failure(t, () => groth16.prove(zkey, wtns, undefined, { memoryLimit: 1 }))
  t.is(limited.code, 'ERR_LIMIT')
})

test('the second call reads no key, and a replaced or rewritten one is read', async (t) => {
  const ending = await runChild('dropInReads', [])

  assertEnding(t, ending, 0)
  const [line = ''] = ending.stdout.split('\n')
  const { keyBytes, reads } = JSON.parse(line) as {
    keyBytes: number
    reads: Record<string, number>
  }
  const isRead = Object.entries(reads).map(([name, bytes]) => [name, bytes >= keyBytes])
  t.deepEqual(Object.fromEntries(isRead), {
    together: true,
    again: false,
    replaced: true,
    rewritten: true,
    'again after that': false,
    cleared: true,
  })
  const { wasm } = semaphore(10)
  t.true((reads['together'] ?? 0) < 2 * keyBytes + fs.statSync(wasm).size, line)
})

test('a circuit that is open is taken beside a key that is cached', async (t) => {
  const circuit = await Circuit.open(SMALL.wasm)
  const { publicSignals } = await groth16.fullProve(SMALL.input, circuit, SMALL.zkey)

  t.is(publicSignals.length, 4)
})
