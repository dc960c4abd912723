// `nalloc/snarkjs` beside snarkjs itself: same calls, same results.

import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Circuit, type NallocError, ProvingKey, VerifyingKey } from 'nalloc'
import * as dropIn from 'nalloc/snarkjs'
import * as snarkjs from 'snarkjs'
import { fixtures, golden, readJson, semaphore } from './_repository.ts'

const { zkey, wasm, vk, input } = semaphore(3)
const theirInput = input as unknown as snarkjs.CircuitSignals
const dense = { zkey: path.join(fixtures, 'dense.zkey'), wtns: path.join(fixtures, 'dense.wtns') }
const denseKey = readJson<object>(fixtures, 'dense_vk.json')

test.after.always(async () => {
  // snarkjs keeps its worker threads until they are told to go.
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } }
  await curve?.terminate()
})

/** Every line, by level. */
class Lines {
  readonly all: string[] = []
  readonly debug = (line: string) => this.all.push(`debug ${line}`)
  readonly info = (line: string) => this.all.push(`info ${line}`)
  readonly error = (line: string) => this.all.push(`error ${line}`)
}

function proofNames(): string[] {
  return fs.readdirSync(golden).filter((name) => name.endsWith('.proof.json'))
}

async function failure(t: ExecutionContext, call: () => Promise<unknown>): Promise<NallocError> {
  return (await t.throwsAsync(call)) as NallocError
}

/** Keys in their order and kinds of values, all the way down. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.entries(value).map(([key, item]) => [key, shapeOf(item)])
}

/** Replaces every number of a proof or a key, and leaves the rest. */
function mapNumbers<T>(value: T, change: (digits: string) => unknown): T {
  const walk = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(walk)
    if (typeof item === 'string') return /^\d+$/.test(item) ? change(item) : item
    if (typeof item !== 'object' || item === null) return item
    return Object.fromEntries(Object.entries(item).map(([key, part]) => [key, walk(part)]))
  }
  return walk(value) as T
}

test.serial(
  'a proof has the shape of snarkjs, and each verifies where the other does',
  async (t) => {
    const ours = await dropIn.groth16.fullProve(theirInput, wasm, zkey)
    const theirs = await snarkjs.groth16.fullProve(theirInput, wasm, zkey)
    const key = readJson<object>(vk)

    t.deepEqual(shapeOf(ours), shapeOf(theirs))
    t.deepEqual(ours.publicSignals, theirs.publicSignals)
    for (const { proof, publicSignals } of [ours, theirs]) {
      for (const groth16 of [dropIn.groth16, snarkjs.groth16]) {
        t.true(await groth16.verify(key, publicSignals, proof))
        t.false(await groth16.verify(key, ['1', ...publicSignals.slice(1)], proof))
      }
    }
    t.is(Object.getPrototypeOf(ours.proof), Object.prototype)
    ours.proof.pi_a[0] = 'the caller may change it'
    ours.publicSignals.push('and this')
  },
)

test.serial('witnesses that snarkjs writes to memory or to a file are proved', async (t) => {
  const inMemory = { type: 'mem', data: new Uint8Array() } as const
  await dropIn.wtns.calculate(theirInput, wasm, inMemory)

  const { proof, publicSignals } = await dropIn.groth16.prove(zkey, inMemory)

  t.true(await snarkjs.groth16.verify(readJson(vk), publicSignals, proof))
  const bytes = fs.readFileSync(dense.zkey)
  for (const key of [dense.zkey, bytes, { type: 'mem', data: bytes } as const]) {
    const result = await dropIn.groth16.prove(key, fs.readFileSync(dense.wtns))
    t.true(await snarkjs.groth16.verify(denseKey, result.publicSignals, result.proof))
  }
})

test.serial('handles of nalloc are taken where files are', async (t) => {
  using key = await ProvingKey.open(fs.readFileSync(zkey))
  const circuit = await Circuit.open(wasm)
  using witness = await circuit.witness(input)

  const results = [
    await dropIn.groth16.prove(key, witness),
    await dropIn.groth16.fullProve(input, circuit, key),
  ]

  for (const { proof, publicSignals } of results) {
    t.true(await dropIn.groth16.verify(VerifyingKey.from(vk), publicSignals, proof))
    t.true(await dropIn.groth16.verify(vk, publicSignals, proof))
  }
  t.false(key.isDisposed)
})

test.serial('both agree about every proof that snarkjs can judge', async (t) => {
  const proof = readJson<dropIn.Groth16Proof>(golden, 'dense.0.proof.json')
  const signals = readJson<string[]>(golden, 'dense.0.public.json')
  const [x = '', y = ''] = proof.pi_a
  const [b0 = [], b1 = []] = proof.pi_b
  const q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n
  const negated = (q - BigInt(y)).toString()
  const cases: [string, dropIn.ProofLike, readonly string[], boolean][] = [
    ['good', proof, signals, true],
    ['another first signal', proof, ['5', ...signals.slice(1)], false],
    ['A negated', { ...proof, pi_a: [x, negated, '1'] }, signals, false],
    ['A off the curve', { ...proof, pi_a: ['1', '3', '1'] }, signals, false],
    ['A and C swapped', { ...proof, pi_a: proof.pi_c, pi_c: proof.pi_a }, signals, false],
    ['B turned round', { ...proof, pi_b: [b1, b0, ['1', '0']] }, signals, false],
    ['without third coordinates', { ...proof, pi_a: [x, y], pi_b: [b0, b1] }, signals, true],
    ['without a curve', { ...proof, curve: undefined }, signals, true],
    ['without a protocol', { ...proof, protocol: undefined }, signals, true],
  ]

  for (const [name, candidate, publicSignals, expected] of cases) {
    const theirs = candidate as dropIn.Groth16Proof
    t.is(await dropIn.groth16.verify(denseKey, publicSignals, candidate), expected, name)
    t.is(await snarkjs.groth16.verify(denseKey, [...publicSignals], theirs), expected, name)
  }
})

test.serial(
  'numbers may be text, bigints or safe integers, in proof, signals and key',
  async (t) => {
    const proof = readJson<dropIn.Groth16Proof>(golden, 'many_public.0.proof.json')
    const signals = readJson<string[]>(golden, 'many_public.0.public.json')
    const key = readJson<object>(fixtures, 'many_public_vk.json')
    const small = (digits: string) => (digits.length < 16 ? Number(digits) : digits)

    for (const change of [BigInt, small]) {
      for (const { groth16 } of [dropIn, snarkjs]) {
        const [p, s, k] = [proof, signals, key].map((value) => mapNumbers(value, change))
        t.true(await groth16.verify(key, s as string[], proof))
        t.true(await groth16.verify(key, signals, p as dropIn.Groth16Proof))
        t.true(await groth16.verify(k as object, signals, proof))
      }
    }
    for (const curve of ['BN254', 'bn128', 'altbn128']) {
      t.true(await dropIn.groth16.verify({ ...key, curve }, signals, proof))
      t.true(await dropIn.groth16.verify(key, signals, { ...proof, curve }))
    }
  },
)

test.serial('what snarkjs lets pass and nalloc does not: the documented differences', async (t) => {
  const proof = readJson<dropIn.Groth16Proof>(golden, 'dense.0.proof.json')
  const signals = readJson<string[]>(golden, 'dense.0.public.json')
  const hex = (digits: string) => `0x${BigInt(digits).toString(16)}`
  const lenient: [string, readonly string[], dropIn.Groth16Proof, RegExp][] = [
    ['hexadecimal signals', signals.map(hex), proof, /publicSignals\[0\]: expected a number/],
    ['a leading zero', signals.map((text) => `0${text}`), proof, /publicSignals\[0\]/],
    ['a hexadecimal proof', signals, mapNumbers(proof, hex), /proof\.pi_\w\S* expected a number/],
    ['another protocol', signals, { ...proof, protocol: 'plonk' }, /proof\.protocol/],
    ['another curve', signals, { ...proof, curve: 'bls12381' }, /proof\.curve/],
  ]

  for (const [name, publicSignals, candidate, reason] of lenient) {
    const lines = new Lines()
    t.true(await snarkjs.groth16.verify(denseKey, [...publicSignals], candidate), name)
    t.false(await dropIn.groth16.verify(denseKey, publicSignals, candidate, lines), name)
    t.is(lines.all.length, 1)
    t.regex(lines.all[0] ?? '', reason)
  }
})

test.serial('a public signal too few is false even where snarkjs accepts it', async (t) => {
  const { proof, publicSignals } = await dropIn.groth16.prove(
    path.join(fixtures, 'zeros.zkey'),
    path.join(fixtures, 'zeros.wtns'),
  )
  const key = readJson<object>(fixtures, 'zeros_vk.json')
  t.is(publicSignals.at(-1), '0')
  const short = publicSignals.slice(0, -1)
  const lines = new Lines()

  t.true(await snarkjs.groth16.verify(key, short, proof))
  t.false(await dropIn.groth16.verify(key, short, proof, lines))
  t.regex(lines.all.join(), /^error nalloc: .*publicSignals: expected an array of \d+ items/)
  await t.throwsAsync(snarkjs.groth16.verify(key, [...publicSignals, '0'], proof))
  t.false(await dropIn.groth16.verify(key, [...publicSignals, '0'], proof))
})

test('verify tells the logger one line that shows no value', async (t) => {
  const proof = readJson<dropIn.Groth16Proof>(golden, 'dense.0.proof.json')
  const signals = readJson<string[]>(golden, 'dense.0.public.json')
  const lines = new Lines()

  await dropIn.groth16.verify(denseKey, signals, proof, lines)
  await dropIn.groth16.verify(denseKey, signals, { ...proof, pi_a: proof.pi_c }, lines)
  await dropIn.groth16.verify(denseKey, signals, undefined as never, lines)

  t.is(lines.all.length, 3)
  t.deepEqual(
    lines.all.map((line) => line.split(' ')[0]),
    ['info', 'error', 'error'],
  )
  t.false(lines.all.some((line) => /\d{5}/.test(line)))
})

test('a key that is none is an error with a code', async (t) => {
  const cyclic: Record<string, unknown> = {}
  cyclic['IC'] = cyclic
  for (const key of [undefined, null, 5, {}, [], cyclic, { ...denseKey, curve: 'bls12381' }]) {
    const error = await failure(t, () => dropIn.groth16.verify(key as object, [], {} as never))

    t.true(['ERR_INVALID_ARG', 'ERR_UNSUPPORTED_CURVE'].includes(error.code), error.message)
  }
})

for (const name of proofNames()) {
  test(`the Solidity call of ${name} is the one of snarkjs`, async (t) => {
    const proof = readJson<dropIn.Groth16Proof>(golden, name)
    const signals = readJson<string[]>(golden, name.replace('.proof.', '.public.'))
    const expected = await snarkjs.groth16.exportSolidityCallData(proof, signals)

    t.is(await dropIn.groth16.exportSolidityCallData(proof, signals), expected)
    const { groth16 } = dropIn
    const asNumbers = mapNumbers(proof, BigInt)
    t.is(await groth16.exportSolidityCallData(asNumbers, signals.map(BigInt)), expected)
  })
}

test('a Solidity call keeps leading zeros and takes few signals or none', async (t) => {
  const proof = readJson<dropIn.Groth16Proof>(golden, 'dense.0.proof.json')
  const small = { ...proof, pi_a: ['1', '2', '1'], pi_c: ['0', '15', '1'] }

  for (const signals of [[], ['0'], ['1', '2']]) {
    const expected = await snarkjs.groth16.exportSolidityCallData(small, signals)
    t.is(await dropIn.groth16.exportSolidityCallData(small, signals), expected)
  }
})

test('a Solidity call of what is no proof is refused by name', async (t) => {
  const proof = readJson<dropIn.Groth16Proof>(golden, 'dense.0.proof.json')
  const tooLarge = (2n ** 256n).toString()
  const cases: [unknown, unknown, RegExp][] = [
    [undefined, [], /^proof: expected an object/],
    [{}, [], /^proof\.pi_b: expected an array of 2 to 3 items, got undefined/],
    [
      { ...proof, pi_a: ['1'] },
      [],
      /^proof\.pi_a: expected an array of 2 to 3 items, got one of 1/,
    ],
    [{ ...proof, pi_a: ['1', tooLarge] }, [], /^proof\.pi_a\[1\]: .*got a larger one/],
    [{ ...proof, pi_a: ['1', '0x2'] }, [], /^proof\.pi_a\[1\]: .*got a string of another form/],
    [{ ...proof, pi_c: ['0', '1', '0'] }, [], /^proof\.pi_c: expected a point as \[x, y, "1"\]/],
    [{ ...proof, protocol: 'plonk' }, [], /^proof\.protocol: expected "groth16"/],
    [proof, 'abc', /^publicSignals: expected an array/],
    [proof, ['-1'], /^publicSignals\[0\]: .*got a string of another form/],
    [proof, [1.5], /^publicSignals\[0\]: .*got a number of another form/],
    [proof, [2 ** 60], /^publicSignals\[0\]: .*got a number of another form/],
    [proof, ['1', null], /^publicSignals\[1\]: .*got null/],
    [proof, [tooLarge], /^publicSignals\[0\]: .*got a larger one/],
  ]

  for (const [candidate, signals, expected] of cases) {
    const error = await failure(t, () =>
      dropIn.groth16.exportSolidityCallData(candidate as never, signals as never),
    )

    t.is(error.code, 'ERR_INVALID_ARG')
    t.regex(error.message, expected)
  }
})
