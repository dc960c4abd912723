// Why a proof is not accepted: one reason for each, and never another answer than `verify`.

import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  type Groth16Proof,
  type PublicSignals,
  type VerifyFailure,
  VerifyingKey,
  type VerifyingKeyJson,
  type VerifyOutcome,
} from 'nalloc'
import { goldenCases, goldenProof, semaphore } from './_repository.ts'
import { type VerifyCase, verifyCases } from './_verifyCases.ts'

const valid = caseOf('ok')
const r = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
/** On the curve of G2 and of another order: x = 1, y = the root of 1 + 3 / (9 + u). */
const OUTSIDE_OF_G2 = [
  ['1', '0'],
  [
    '18278151005453108793778860132295291098363647455926340152056652516292830556603',
    '5912654199736721486680175016176231956195085055698687135131307249486702594212',
  ],
  ['1', '0'],
]
const REASONS: Readonly<Record<string, readonly [reason: VerifyFailure, detail: string]>> = {
  one_public_short: ['public-count', 'public signals: expected 2, got 1'],
  no_publics: ['public-count', 'public signals: expected 2, got 0'],
  one_public_too_many: ['public-count', 'public signals: expected 2, got 3'],
  public_changed: ['equation', 'proof: expected one of these signals for this key'],
  public_plus_r: ['public-range', 'public signal 0: expected the decimal string of a number'],
  leading_zero: ['public-range', 'public signal 0: '],
  hex_public: ['public-range', 'public signal 0: '],
  negative_public: ['public-range', 'public signal 0: '],
  A_plus_q: ['proof-encoding', 'pi_a: expected a point in decimal strings of numbers below q'],
  A_off_curve: ['not-on-curve', 'pi_a: expected a point of the curve'],
  A_not_affine: ['proof-encoding', 'pi_a: '],
  B_coordinates_swapped: ['not-on-curve', 'pi_b: '],
  A_and_C_swapped: ['equation', 'proof: '],
  missing_pi_c: ['proof-encoding', 'pi_c: '],
}

function caseOf(name: string): VerifyCase {
  const found = verifyCases.find((candidate) => candidate.name === name)
  if (!found) throw new Error(`verify.json: expected a case ${name}, got none`)
  return found
}

/** What `explain` says of anything, checked against `verify`. */
async function explain(
  t: ExecutionContext,
  { vk, proof, publicSignals }: { vk: VerifyingKeyJson; proof: unknown; publicSignals: unknown },
): Promise<VerifyOutcome> {
  const key = VerifyingKey.from(vk)
  const outcome = await key.explain(proof as Groth16Proof, publicSignals as PublicSignals)
  const answer = await key.verify(proof as Groth16Proof, publicSignals as PublicSignals)
  t.is(outcome.valid, answer, JSON.stringify(outcome))
  return outcome
}

async function isRefused(
  t: ExecutionContext,
  changes: { readonly proof?: unknown; readonly publicSignals?: unknown },
  [reason, detail]: readonly [reason: VerifyFailure, detail: string],
): Promise<void> {
  const outcome = await explain(t, { ...valid, ...changes })
  if (outcome.valid) return t.fail(`accepted: expected ${reason}`)
  t.is(outcome.reason, reason, outcome.detail)
  t.true(outcome.detail.startsWith(detail), outcome.detail)
}

for (const verifyCase of verifyCases) {
  const expected = REASONS[verifyCase.name]
  test(`explain ${verifyCase.name}: ${expected?.[0] ?? 'valid'}`, async (t) => {
    if (expected) return isRefused(t, verifyCase, expected)
    t.true(verifyCase.expect)
    t.deepEqual(await explain(t, verifyCase), { valid: true })
  })
}

test('what is no array of as many signals is refused by its number', async (t) => {
  const huge = new Array(2 ** 32 - 1)
  const wrong: [unknown, string][] = [
    [undefined, 'undefined'],
    [null, 'null'],
    ['00', 'a string'],
    [{ length: 2, 0: '0', 1: '0' }, 'an object'],
    [Uint8Array.of(0, 0), 'an object of class Uint8Array'],
    [huge, '4294967295'],
  ]
  for (const [publicSignals, got] of wrong) {
    await isRefused(t, { publicSignals }, [
      'public-count',
      `public signals: expected 2, got ${got}`,
    ])
  }
})

test('a signal that is no number below r is refused by its position', async (t) => {
  const texts = ['', '00', '01', '+1', '-1', ' 1', '1.0', '1e1', '0x1', '\u0660', '\ud800', '1\0']
  const numbers = [r, r + 1n, 2n ** 256n, 10n ** 77n, 10n ** 5000n].map(String)
  const values = [undefined, null, 0, 1n, true, [], {}, { toJSON: () => '0' }, Symbol('0')]
  for (const signal of [...texts, ...numbers, ...values]) {
    await isRefused(t, { publicSignals: ['0', signal] }, ['public-range', 'public signal 1: '])
  }
  await isRefused(t, { publicSignals: new Array(2) }, ['public-range', 'public signal 0: '])
  await isRefused(t, { publicSignals: ['0', `${r - 1n}`] }, ['equation', 'proof: '])
})

test('what is no proof is refused as one, or by its field', async (t) => {
  const { proof } = valid
  for (const value of [undefined, null, 0, '', 'x', true, () => proof]) {
    await isRefused(t, { proof: value }, ['proof-encoding', 'proof: expected the object of proof'])
  }
  const fields: [keyof Groth16Proof, unknown][] = [
    ['protocol', undefined],
    ['protocol', 'plonk'],
    ['protocol', ['groth16']],
    ['curve', 'bls12381'],
    ['curve', null],
    ['pi_a', undefined],
    ['pi_a', ['0', '0', '0']],
    ['pi_a', ['1', '\ud800', '1']],
    ['pi_a', [1, 2, 1]],
    ['pi_b', ['1']],
    ['pi_b', [['5', '0'], ...proof.pi_b.slice(1, 2), ['0', '0']]],
    ['pi_c', ['1', '2', '2']],
    ['pi_c', ['1', '2', '1', '1']],
  ]
  for (const [field, value] of fields) {
    const changed = { ...proof, [field]: value }
    await isRefused(t, { proof: changed }, ['proof-encoding', `${field}: expected `])
  }
  await isRefused(t, { proof: {} }, ['proof-encoding', 'protocol: '])
  await isRefused(t, { proof: [] }, ['proof-encoding', 'protocol: '])
})

test('points off the curve and outside of their group are told apart', async (t) => {
  const { proof } = valid
  const isOff = (field: string) => ['not-on-curve', `${field}: expected `] as const
  await isRefused(t, { proof: { ...proof, pi_a: ['1', '3', '1'] } }, isOff('pi_a'))
  await isRefused(t, { proof: { ...proof, pi_c: ['0', '0', '1'] } }, isOff('pi_c'))
  const reason = ['not-in-subgroup', 'pi_b: expected a point of order r'] as const
  await isRefused(t, { proof: { ...proof, pi_b: OUTSIDE_OF_G2 } }, reason)
})

test('the first check that fails is the reason', async (t) => {
  const wrong = { proof: {}, publicSignals: ['x', '0'] }
  await isRefused(t, { ...wrong, publicSignals: [] }, ['public-count', 'public signals: '])
  await isRefused(t, wrong, ['public-range', 'public signal 0: '])
})

test('proofs of other provers are valid, and no others with the signals of another', async (t) => {
  for (const { name, input, vectors } of goldenCases('semaphore')) {
    const depth = Number(/\d+/.exec(input ?? name)?.[0])
    const vk = JSON.parse(fs.readFileSync(semaphore(depth).vk, 'utf8')) as VerifyingKeyJson
    for (const vector of vectors) {
      const proof = goldenProof(vector.proof)
      const publicSignals = goldenProof(vector.public) as unknown as string[]
      const changed = publicSignals.with(0, `${BigInt(publicSignals[0] ?? 0) + 1n}`)
      t.deepEqual(await explain(t, { vk, proof, publicSignals }), { valid: true }, name)
      const outcome = await explain(t, { vk, proof, publicSignals: changed })
      t.false(outcome.valid, path.join(name, vector.proof))
    }
  }
})

test('a signal that has fired rejects with its reason', async (t) => {
  const reason = new Error('enough')
  const options = { signal: AbortSignal.abort(reason) }
  const key = VerifyingKey.from(valid.vk)

  const error = await t.throwsAsync(key.explain(valid.proof, valid.publicSignals, options))

  t.is(error, reason)
})
