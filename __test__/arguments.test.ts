import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import {
  Circuit,
  groth16,
  type NallocError,
  ProvingKey,
  stats,
  VerifyingKey,
  type Witness,
} from 'nalloc'
import { writeLongFile } from './_longFile.ts'
import { fixtures, semaphore } from './_repository.ts'
import { PRIME, wtnsOf } from './_wtns.ts'

const zkey = path.join(fixtures, 'dense.zkey')
const wtns = path.join(fixtures, 'dense.wtns')
const SMALL = semaphore(1)

/** Pieces of half a MiB that a long file has at least. */
const PIECES = 16

type Call = () => unknown

async function failure(t: ExecutionContext, call: Call): Promise<NallocError> {
  const error = await t.throwsAsync(async () => call())
  return error as NallocError
}

function temporaryFolder(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  return folder
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(8)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

test('a source of the wrong type is a TypeError that names the argument', async (t) => {
  const wrong = [
    undefined,
    null,
    1,
    true,
    {},
    [],
    Symbol('x'),
    { type: 'mem' },
    { type: 'mem', data: 1 },
  ]

  for (const value of [...wrong, detached(), detached().buffer]) {
    const source = value as string
    const calls: [string, Call][] = [
      ['zkey', () => ProvingKey.open(source)],
      ['zkey', () => groth16.prove(source, wtns)],
      ['wtns', () => groth16.prove(zkey, source)],
      ['wasm', () => Circuit.open(source)],
      ['wasm', () => groth16.fullProve({}, source, zkey)],
      ['zkey', () => groth16.fullProve({}, SMALL.wasm, source)],
    ]
    for (const [name, call] of calls) {
      const error = await failure(t, call)

      t.true(error instanceof TypeError, error.message)
      t.is(error.code, 'ERR_INVALID_ARG')
      t.regex(error.message, new RegExp(`^${name}: expected a path, a file: URL or bytes, got `))
    }
  }
})

test('what is no verification key of any kind is refused by name', async (t) => {
  const cyclic: Record<string, unknown> = {}
  cyclic['IC'] = cyclic
  const memory = { type: 'mem', data: 1 }
  const wrong = [undefined, null, 1, true, Symbol('x'), detached(), memory, cyclic, { IC: 1n }]

  for (const value of [...wrong, '', [], Buffer.from('{'), Buffer.from('null')]) {
    const error = await failure(t, () => VerifyingKey.from(value as never))

    t.is(error.code, 'ERR_INVALID_ARG', error.message)
    t.true(error instanceof TypeError || error instanceof RangeError)
    t.regex(error.message, /^verifying key\b.*: expected /)
  }
  const { vk } = semaphore(1)
  const bytes = fs.readFileSync(vk)
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  for (const key of [vk, new URL(`file://${vk}`), bytes, shared, JSON.parse(bytes.toString())]) {
    t.is(VerifyingKey.from(key).nPublic, 4)
  }
})

test('a source with a wrong value is a RangeError', async (t) => {
  for (const source of [
    '',
    'a\0b',
    new URL('https://localhost/x.zkey'),
    new URL('file://host/x'),
  ]) {
    const error = await failure(t, () => ProvingKey.open(source))

    t.true(error instanceof RangeError, error.message)
    t.is(error.code, 'ERR_INVALID_ARG')
  }
})

test('options of the wrong type or value are refused by name', async (t) => {
  using key = await ProvingKey.open(zkey)
  const blinding = (r: unknown, s: unknown) => ({ unsafeBlinding: { r, s } })
  const cases: [object | null | number, typeof TypeError | typeof RangeError, RegExp][] = [
    [null, TypeError, /^options: expected an object, got null$/],
    [1, TypeError, /^options: expected an object, got 1$/],
    [{ selfVerify: 1 }, TypeError, /^selfVerify: expected a boolean, got 1$/],
    [{ onProgress: {} }, TypeError, /^onProgress: expected a function/],
    [{ signal: {} }, TypeError, /^signal: expected an AbortSignal/],
    [{ memoryLimit: true }, TypeError, /^memoryLimit: expected bytes/],
    [{ memoryLimit: 0 }, RangeError, /^memoryLimit: expected bytes/],
    [{ memoryLimit: -1 }, RangeError, /^memoryLimit/],
    [{ memoryLimit: 1.5 }, RangeError, /^memoryLimit/],
    [{ memoryLimit: '12' }, RangeError, /^memoryLimit: .* got "12"$/],
    [{ memoryLimit: '0%' }, RangeError, /^memoryLimit/],
    [{ unsafeBlinding: 1 }, TypeError, /^unsafeBlinding: expected an object with r and s/],
    [{ unsafeBlinding: { r: 1n } }, TypeError, /^unsafeBlinding\.s: expected an integer/],
    [blinding(1n, -1n), RangeError, /^unsafeBlinding\.s: .* got one outside$/],
    [blinding(PRIME, 1n), RangeError, /^unsafeBlinding\.r: .* got one outside$/],
    [blinding('01', 1n), RangeError, /^unsafeBlinding\.r/],
    [blinding('0x1', 1n), RangeError, /^unsafeBlinding\.r/],
    [blinding(0.5, 1n), RangeError, /^unsafeBlinding\.r/],
    [blinding(null, 1n), TypeError, /^unsafeBlinding\.r/],
  ]

  for (const [options, kind, message] of cases) {
    const error = await failure(t, () => key.prove(wtns, options as never))

    t.true(error instanceof kind, `${JSON.stringify(String(options))}: ${error.stack}`)
    t.is(error.code, 'ERR_INVALID_ARG')
    t.regex(error.message, message)
  }
  const opening: [object, RegExp][] = [
    [{ allowInsecure: 'yes' }, /^allowInsecure: expected a boolean, got "yes"$/],
    [{ sha256: 'abc' }, /^sha256: expected 64 hexadecimal digits, got "abc"$/],
    [{ sha256: 1 }, /^sha256: expected 64 hexadecimal digits, got 1$/],
  ]
  for (const [options, message] of opening) {
    const error = await failure(t, () => ProvingKey.open(zkey, options as never))

    t.is(error.code, 'ERR_INVALID_ARG')
    t.regex(error.message, message)
  }
})

test('what is no regular file is ERR_IO for every argument, at once', async (t) => {
  const folder = temporaryFolder(t)
  const fifo = path.join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])

  for (const file of [path.join(folder, 'absent'), folder, fifo, '/dev/zero']) {
    const calls: Call[] = [
      () => ProvingKey.open(file),
      () => groth16.prove(zkey, file),
      () => Circuit.open(file),
      () => VerifyingKey.from(file),
    ]
    for (const call of calls) {
      const error = await failure(t, call)

      t.is(error.code, 'ERR_IO', error.message)
      t.true(error.message.includes(file), error.message)
    }
  }
})

test('swapped arguments are told apart', async (t) => {
  const swaps: [Call, string][] = [
    [
      () => groth16.prove(wtns, zkey),
      'argument 1 (zkey) is a .wtns file, argument 2 (wtns) is a .zkey file: swapped?',
    ],
    [
      () => groth16.prove(fs.readFileSync(wtns), fs.readFileSync(zkey)),
      'argument 1 (zkey) is a .wtns file, argument 2 (wtns) is a .zkey file: swapped?',
    ],
    [
      () => groth16.fullProve(SMALL.input, SMALL.zkey, SMALL.wasm),
      'argument 2 (wasm) is a .zkey file, argument 3 (zkey) is a WebAssembly module: swapped?',
    ],
    [
      () => ProvingKey.open(SMALL.wasm),
      'argument 1 (zkey) is a WebAssembly module: expected a .zkey file.',
    ],
    [() => Circuit.open(zkey), 'argument 1 (wasm) is a .zkey file: expected a WebAssembly module.'],
  ]

  for (const [call, message] of swaps) {
    const error = await failure(t, call)

    t.is(error.code, 'ERR_BAD_MAGIC')
    t.is(error.message, message)
  }
})

test('a witness of another circuit is ERR_WITNESS_LENGTH with both lengths', async (t) => {
  using key = await ProvingKey.open(zkey)
  const error = await failure(t, () => key.prove(wtnsOf([1n, 2n])))

  t.is(error.code, 'ERR_WITNESS_LENGTH')
  t.regex(error.message, /\b2\b/)
  t.regex(error.message, new RegExp(`\\b${key.info.nVars}\\b`))
  const witness = await (await Circuit.open(SMALL.wasm)).witness(SMALL.input)
  t.is((await failure(t, () => key.prove(witness))).code, 'ERR_WITNESS_LENGTH')
})

test('the sha256 of a key is checked on demand', async (t) => {
  using key = await ProvingKey.open(zkey)
  const { sha256 } = key.info

  await t.notThrowsAsync(ProvingKey.open(zkey, { sha256: sha256.toUpperCase() }))
  const error = await failure(t, () => ProvingKey.open(zkey, { sha256: '0'.repeat(64) }))
  t.is(error.code, 'ERR_FILE_CHANGED')
  t.like(error.details, { expected: '0'.repeat(64), got: sha256 })
})

/** The same file, long enough to be copied in so many turns. */
function longBytes(t: ExecutionContext, short: string): Uint8Array<ArrayBuffer> {
  const long = path.join(temporaryFolder(t), 'long')
  writeLongFile(long, fs.readFileSync(short), PIECES * 2 ** 19)
  return Uint8Array.from(fs.readFileSync(long))
}

/** The same bytes, in memory that other threads may see. */
function sharedCopy(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}

/** How often the event loop turns until `work` has settled. */
async function turnsDuring(work: () => Promise<void>): Promise<number> {
  let turns = 0
  let isSettled = false
  const counting = async (): Promise<void> => {
    for (; !isSettled; turns += 1) await turn()
  }
  const counted = counting()
  try {
    await work()
  } finally {
    isSettled = true
  }
  await counted
  return turns
}

test.serial(
  'many bytes are copied in turns: of a key, whole, shared, stopped, or gone',
  async (t) => {
    const bytes = longBytes(t, zkey)
    using key = await ProvingKey.open(bytes)
    const { sha256 } = key.info

    for (const source of [bytes, sharedCopy(bytes)]) {
      const turns = await turnsDuring(async () => {
        using opened = await ProvingKey.open(source)
        t.is(opened.info.sha256, sha256)
      })
      t.true(turns >= PIECES, `${turns} turns`)
      const { proof, publicSignals } = await groth16.prove(source, wtns)
      t.true(await key.verifyingKey.verify(proof, publicSignals))
    }
    const turns = await turnsDuring(async () => {
      t.deepEqual((await VerifyingKey.fromZkey(bytes)).toJSON(), key.verifyingKey.toJSON())
    })
    t.true(turns >= PIECES, `${turns} turns`)

    const { liveBytes } = stats()
    const controller = new AbortController()
    const stopped = ProvingKey.open(bytes, { signal: controller.signal })
    setImmediate(() => controller.abort('enough'))
    t.is(await stopped.then(String, (reason: unknown) => reason), 'enough')
    const gone = ProvingKey.open(bytes)
    setImmediate(() => structuredClone(bytes.buffer, { transfer: [bytes.buffer] }))
    const error = await failure(t, () => gone)
    t.is(error.code, 'ERR_INVALID_ARG')
    t.regex(error.message, /^zkey: expected bytes, got a detached buffer/)
    t.is(stats().liveBytes, liveBytes)
  },
)

test.serial('many bytes of a witness are copied in turns, to secret memory', async (t) => {
  const bytes = longBytes(t, wtns)
  using key = await ProvingKey.open(zkey)
  const { secretBytes } = stats()
  let most = 0

  for (const source of [bytes, sharedCopy(bytes)]) {
    const turns = await turnsDuring(async () => {
      const proving = key.prove(source)
      while (most < bytes.length) {
        most = Math.max(most, stats().secretBytes - secretBytes)
        await turn()
      }
      const { proof, publicSignals } = await proving
      t.true(await key.verifyingKey.verify(proof, publicSignals))
    })
    t.true(turns >= PIECES, `${turns} turns`)
    t.is(stats().secretBytes, secretBytes)
  }

  const controller = new AbortController()
  const stopped = key.prove(bytes, { signal: controller.signal })
  setImmediate(() => controller.abort('enough'))
  t.is(await stopped.then(String, (reason: unknown) => reason), 'enough')
  t.is(stats().secretBytes, secretBytes)
  const gone = key.prove(bytes)
  setImmediate(() => structuredClone(bytes.buffer, { transfer: [bytes.buffer] }))
  const error = await failure(t, () => gone)
  t.regex(error.message, /^witness: expected bytes, got a detached buffer/)
})

test('a memory limit below the need is ERR_LIMIT, one above it is kept to', async (t) => {
  using key = await ProvingKey.open(zkey, { memoryLimit: '1G' })
  const { peakBytes } = key.estimate()

  t.is((await failure(t, () => key.prove(wtns, { memoryLimit: 1 }))).code, 'ERR_LIMIT')
  t.is((await failure(t, () => ProvingKey.open(zkey, { memoryLimit: 1 }))).code, 'ERR_LIMIT')
  await t.notThrowsAsync(key.prove(wtns, { memoryLimit: peakBytes }))
  await t.notThrowsAsync(key.prove(wtns, { memoryLimit: '50%' }))
})

test('a disposed handle is ERR_DISPOSED everywhere, and may be disposed again', async (t) => {
  const key = await ProvingKey.open(SMALL.zkey)
  const circuit = await Circuit.open(SMALL.wasm)
  const witness = await circuit.witness(SMALL.input)
  const disposedWitness = await circuit.witness(SMALL.input)
  disposedWitness.dispose()
  const { verifyingKey } = key
  t.is((await failure(t, () => key.prove(disposedWitness))).code, 'ERR_DISPOSED')

  key.dispose()
  key.dispose()

  t.true(key.isDisposed && disposedWitness.isDisposed && !witness.isDisposed)
  const calls: Call[] = [
    () => key.info,
    () => key.estimate(),
    () => key.verifyingKey,
    () => key.prove(witness),
    () => key.fullProve(SMALL.input, circuit),
  ]
  for (const call of calls) t.is((await failure(t, call)).code, 'ERR_DISPOSED')
  t.is(verifyingKey.nPublic, 4)
})

test('disposing while a proof runs lets it finish', async (t) => {
  const key = await ProvingKey.open(SMALL.zkey)
  const { verifyingKey } = key
  const circuit = await Circuit.open(SMALL.wasm)
  const witness = await circuit.witness(SMALL.input)

  const proving = key.prove(witness)
  key.dispose()
  witness.dispose()
  const { proof, publicSignals } = await proving

  t.true(await verifyingKey.verify(proof, publicSignals))
})

test('the class of a handle cannot be made by hand', (t) => {
  t.throws(() => Reflect.construct(ProvingKey.prototype.constructor, []).info)
  const made = Object.create(ProvingKey.prototype) as ProvingKey
  t.throws(() => made.info)
  const fake = { length: 1 } as Witness
  return t.throwsAsync(groth16.prove(zkey, fake as never), { code: 'ERR_INVALID_ARG' })
})

test('stats are whole numbers and see a key come and go', async (t) => {
  const before = stats()
  const key = await ProvingKey.open(semaphore(20).zkey)
  const during = stats()
  key.dispose()

  const { memoryLimitBytes, phases, ...numbers } = during
  t.true(memoryLimitBytes === null || Number.isSafeInteger(memoryLimitBytes))
  for (const [name, value] of Object.entries(numbers)) {
    t.true(Number.isSafeInteger(value) && value >= 0, `${name}: ${value}`)
  }
  t.true(phases.every(({ times, open }) => times >= 1 && open <= times))
  t.true(during.liveBytes > before.liveBytes)
  t.true(during.rssBytes > 0)
})
