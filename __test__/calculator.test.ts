import fs from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import type { CircuitInputs, NallocError } from 'nalloc'
import { calculator } from './_internal.ts'
import { golden, goldenCases, readJson, semaphore, sha256 } from './_repository.ts'
import { calculatorFunctions, type WasmParts, wasmModule } from './_wasm.ts'
import { elementBytes, PRIME, WtnsSink } from './_wtns.ts'

const { calculate, compileCalculator } = calculator
const SMALL = semaphore(2)

async function compile(file: string) {
  return compileCalculator(file, fs.readFileSync(file))
}

async function refusal(
  t: ExecutionContext,
  change: (input: Record<string, unknown>) => unknown,
): Promise<NallocError> {
  const module = await compile(SMALL.wasm)
  const input = change({ ...SMALL.input }) as CircuitInputs
  const error = await t.throwsAsync(calculate(module, input, (length) => new WtnsSink(length)))
  return error as NallocError
}

for (const { name, input, wtnsSha256 } of goldenCases('semaphore')) {
  test(`the witness of ${name} is the recorded one, byte for byte`, async (t) => {
    const depth = Number(name.split('-')[1])
    const module = await compile(semaphore(depth).wasm)
    const inputs = readJson<CircuitInputs>(golden, input ?? '')

    const sink = await calculate(module, inputs, (length) => new WtnsSink(length))

    t.is(sha256(sink.file), wtnsSha256)
    t.false(sink.isDisposed)
  })
}

test('numbers, bigints, negative and hexadecimal text give the same witness', async (t) => {
  const module = await compile(SMALL.wasm)
  const reference = await calculate(module, SMALL.input, (length) => new WtnsSink(length))
  const forms: ((value: bigint) => bigint | number | string)[] = [
    (value) => value,
    (value) => (value - PRIME).toString(),
    (value) => value + 3n * PRIME,
    (value) => `0x${value.toString(16)}`,
    (value) => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : value),
  ]

  for (const form of forms) {
    const map = (value: unknown): unknown =>
      Array.isArray(value) ? value.map(map) : form(BigInt(value as string))
    const entries = Object.entries(SMALL.input).map(([name, value]) => [name, map(value)])
    const inputs = Object.fromEntries(entries) as CircuitInputs
    const sink = await calculate(module, inputs, (length) => new WtnsSink(length))

    t.true(sink.file.equals(reference.file), String(form))
  }
})

test('bytes are little-endian elements, one or several, and stay as they were', async (t) => {
  const module = await compile(SMALL.wasm)
  const values = (signal: unknown): bigint[] => [signal].flat(9).map((text) => BigInt(`${text}`))
  const asBytes = Object.fromEntries(
    Object.entries(SMALL.input).map(([name, signal]) => [
      name,
      new Uint8Array(Buffer.concat(values(signal).map(elementBytes))),
    ]),
  )
  const copies = structuredClone(asBytes)
  const [scope = 0n] = values(SMALL.input['scope'])
  const beyond = { ...asBytes, scope: elementBytes(PRIME + scope) }

  const expected = await calculate(module, SMALL.input, (length) => new WtnsSink(length))
  for (const input of [asBytes, beyond]) {
    const sink = await calculate(module, input, (length) => new WtnsSink(length))
    t.true(sink.file.equals(expected.file))
  }

  t.deepEqual(asBytes, copies)
  const two = { ...asBytes, secret: Buffer.alloc(64) }
  await t.throwsAsync(
    calculate(module, two, (length) => new WtnsSink(length)),
    { code: 'ERR_INPUT', message: /^signal "secret": expected 1 value, got 2\. / },
  )
  for (const length of [0, 31, 33]) {
    const secret = Buffer.alloc(length, 7)
    const call = calculate(module, { ...asBytes, secret }, (count) => new WtnsSink(count))
    await t.throwsAsync(call, { code: 'ERR_INPUT', message: /a Uint8Array of 32 bytes for each/ })
  }
})

test('nested arrays are taken in row-major order', async (t) => {
  const module = await compile(SMALL.wasm)
  const flat = await calculate(module, SMALL.input, (length) => new WtnsSink(length))
  const [first, second] = SMALL.input['merkleProofSiblings'] as [string, string]

  const nested = { ...SMALL.input, merkleProofSiblings: [[first], [[second]]] }
  const sink = await calculate(module, nested, (length) => new WtnsSink(length))

  t.true(sink.file.equals(flat.file))
})

test('an unknown signal is named, with what else was given', async (t) => {
  const error = await refusal(t, (input) => ({ ...input, nosuch: 1 }))

  t.is(error.code, 'ERR_INPUT')
  t.regex(error.message, /^signal "nosuch": the circuit has no input of this name/)
  t.regex(
    error.message,
    /The circuit takes 7 input values in all\. Given beside it: secret, .*\[2\]/,
  )
  t.is(error.details['signal'], 'nosuch')
})

test('a missing signal is told by the numbers of values', async (t) => {
  const error = await refusal(t, ({ scope: _, ...rest }) => rest)

  t.is(error.code, 'ERR_INPUT')
  t.regex(error.message, /^the circuit takes 7 input values in all, got 6 from secret, .*\[2\]/)
  t.deepEqual(error.details, { expected: 7, got: 6 })
})

test('a signal with the wrong number of values says both numbers', async (t) => {
  const error = await refusal(t, (input) => ({ ...input, merkleProofSiblings: ['1', '2', '3'] }))

  t.is(error.code, 'ERR_INPUT')
  t.regex(error.message, /^signal "merkleProofSiblings": expected 2 values, got 3\. /)
  t.regex(
    error.message,
    /The circuit takes 7 input values in all\. Given beside it: secret, merkle/,
  )
  t.deepEqual(error.details, { signal: 'merkleProofSiblings', expected: 2, got: 3 })
})

test('a value of the wrong kind is refused without being shown', async (t) => {
  const cyclic: unknown[] = []
  cyclic.push(cyclic)
  const kinds: [unknown, RegExp][] = [
    [true, /got a boolean\. Give 0 or 1\.$/],
    ['31337x', /got a string of another form\.$/],
    [31337.5, /got a number of another form\.$/],
    [null, /got null\.$/],
    [undefined, /got undefined\.$/],
    [{ x: 31337 }, /got an object\. A bus is given field by field/],
    [new Uint8Array(2), /got an object of class Uint8Array\. Give an array/],
    [cyclic, /at most 32 arrays in each other/],
  ]

  for (const [value, message] of kinds) {
    const error = await refusal(t, (input) => ({ ...input, secret: value }))

    t.is(error.code, 'ERR_INPUT')
    t.regex(error.message, message)
    t.notRegex(error.message, /31337/)
  }
})

test('what is no object of signals is refused', async (t) => {
  for (const value of [undefined, null, 'secret', 1, [SMALL.input]]) {
    const error = await refusal(t, () => value)

    t.is(error.code, 'ERR_INPUT')
    t.regex(error.message, /^input: expected an object of signals, got /)
  }
})

test('an input that changes while it is read is refused', async (t) => {
  for (const later of [1, 3]) {
    let reads = 0
    const changing = new Proxy(['1', '2', '3'], {
      get: (target, key) => {
        if (key !== 'length') return Reflect.get(target, key)
        reads += 1
        return reads === 1 ? 2 : later
      },
    })
    const error = await refusal(t, (input) => ({ ...input, merkleProofSiblings: changing }))

    t.is(error.message, `signal "merkleProofSiblings": expected 2 values, got ${later}.`)
  }
})

test('an input that violates the circuit says template and line', async (t) => {
  const error = await refusal(t, (input) => ({ ...input, secret: PRIME - 1n }))

  t.is(error.code, 'ERR_WITNESS')
  t.is(
    error.message,
    'assert failed in template Num2Bits line 38 (via BabyPbk line 97, Semaphore line 52): ' +
      'an input violates the circuit.',
  )
})

test.serial(
  'nothing of the witness stays in the buffer or in the memory of the calculator',
  async (t) => {
    const memories: { readonly buffer: SharedArrayBuffer }[] = []
    const api = (globalThis as unknown as { WebAssembly: { instantiate: Instantiate } }).WebAssembly
    type Instantiate = (
      ...args: unknown[]
    ) => Promise<{ exports: { memory: { buffer: SharedArrayBuffer } } }>
    const { instantiate } = api
    api.instantiate = async (...args) => {
      const instance = await instantiate.apply(api, args)
      memories.push(instance.exports.memory)
      return instance
    }
    t.teardown(() => {
      api.instantiate = instantiate
    })

    const module = await compile(SMALL.wasm)
    const [asked] = memories.map(({ buffer }) => new Uint8Array(buffer))
    const before = asked?.slice()
    const sink = await calculate(module, SMALL.input, (length) => new WtnsSink(length))
    const failed = calculate(module, { ...SMALL.input, secret: PRIME - 1n }, (n) => new WtnsSink(n))
    await t.throwsAsync(failed, { code: 'ERR_WITNESS' })

    const [, computed, again] = memories.map(({ buffer }) => new Uint8Array(buffer))
    t.is(memories.length, 3, 'one that is asked, and one for each that computes')
    t.true(computed?.every((byte) => byte === 0) && again?.every((byte) => byte === 0))
    t.deepEqual(asked, before, 'what is asked for sizes sees no value')
    t.true(sink.seen.length > 0)
    t.true(sink.seen.every((view) => view.byteLength > 0 && view.every((byte) => byte === 0)))
    t.true(sink.file.includes(elementBytes(BigInt(SMALL.input['secret'] as string))), 'control')
  },
)

test('a sink that fails is disposed, and its error comes out', async (t) => {
  const module = await compile(SMALL.wasm)
  let sink: WtnsSink | undefined
  const failing = calculate(module, SMALL.input, (length) => {
    sink = new WtnsSink(length)
    sink.write = () => {
      throw new RangeError('full')
    }
    return sink
  })

  await t.throwsAsync(failing, { instanceOf: RangeError, message: 'full' })
  t.true(sink?.isDisposed)
})

const PRIME_DATA = { exportsMemory: true, data: elementBytes(PRIME) }
const REFUSED: [string, WasmParts, string, RegExp][] = [
  ['of circom 1', { importsMemory: true }, 'ERR_UNSUPPORTED_VERSION', /calculator of circom 1/],
  ['without exports', {}, 'ERR_UNSUPPORTED_VERSION', /does not export memory/],
  [
    'that wants more than a calculator does',
    { importedFunctions: [['fs', 'open']] },
    'ERR_UNSUPPORTED_VERSION',
    /imports function fs\.open/,
  ],
  [
    'of circom 3',
    { ...PRIME_DATA, functions: calculatorFunctions({ getVersion: { parameters: 0, result: 3 } }) },
    'ERR_UNSUPPORTED_VERSION',
    /calculator of circom 3/,
  ],
  [
    'over another prime',
    { exportsMemory: true, data: elementBytes(PRIME - 2n), functions: calculatorFunctions() },
    'ERR_PRIME_MISMATCH',
    /not over BN254/,
  ],
  [
    'with longer field elements',
    {
      ...PRIME_DATA,
      functions: calculatorFunctions({ getFieldNumLen32: { parameters: 0, result: 12 } }),
    },
    'ERR_PRIME_MISMATCH',
    /not over BN254/,
  ],
  [
    'whose shared words lie outside its memory',
    {
      ...PRIME_DATA,
      functions: calculatorFunctions({ getSharedRWMemoryStart: { parameters: 0, result: 65532 } }),
    },
    'ERR_WITNESS',
    /crashed/,
  ],
]

for (const [what, parts, code, message] of REFUSED) {
  test(`a module ${what} is refused`, async (t) => {
    const error = await t.throwsAsync(compileCalculator('x.wasm', wasmModule(parts)), { code })

    t.regex(error.message, message)
  })
}

test('what is no WebAssembly is refused', async (t) => {
  for (const bytes of [
    new Uint8Array(),
    Buffer.from('{}'),
    fs.readFileSync(SMALL.wasm).subarray(0, 900),
  ]) {
    await t.throwsAsync(compileCalculator('x.wasm', bytes), { code: 'ERR_BAD_MAGIC' })
  }
})

test('a calculator that traps or lies about its witness is an error', async (t) => {
  const lies: [Parameters<typeof calculatorFunctions>[0], string][] = [
    [{ init: { parameters: 1, result: 'trap' } }, 'ERR_WITNESS'],
    [{ getInputSize: { parameters: 0, result: 'trap' } }, 'ERR_WITNESS'],
    [{ getWitness: { parameters: 1, result: 'trap' } }, 'ERR_WITNESS'],
    [{ getWitnessSize: { parameters: 0, result: 0 } }, 'ERR_LIMIT'],
    [{ getWitnessSize: { parameters: 0, result: -1 } }, 'ERR_LIMIT'],
    [{ getInputSize: { parameters: 0, result: -1 } }, 'ERR_INPUT'],
  ]
  const honest = wasmModule({ ...PRIME_DATA, functions: calculatorFunctions() })
  const control = await compileCalculator('x.wasm', honest)
  await t.notThrowsAsync(calculate(control, {}, (length) => new WtnsSink(length)))

  for (const [changes, code] of lies) {
    const bytes = wasmModule({ ...PRIME_DATA, functions: calculatorFunctions(changes) })
    const module = await compileCalculator('x.wasm', bytes)

    await t.throwsAsync(
      calculate(module, {}, (length) => new WtnsSink(length)),
      { code },
      JSON.stringify(changes),
    )
  }
})
