import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import {
  groth16,
  type NallocError,
  type ProofResult,
  ProvingKey,
  type VerifyingKeyJson,
} from 'nalloc'
import { fixtures, readJson } from './_repository.ts'

const folder = path.join(fixtures, 'malformed')

interface Row {
  readonly name: string
  readonly zkey: string
  readonly wtns: string
  readonly verdict: 'accept' | 'reject' | 'may'
  readonly codes: readonly string[]
}

interface VerifyCase {
  readonly name: string
  readonly vk: VerifyingKeyJson
  readonly publicSignals: unknown
  readonly proof: unknown
  readonly expect: boolean
}

function rows(): Row[] {
  const [, ...lines] = fs.readFileSync(path.join(folder, 'INDEX.tsv'), 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [name = '', zkey = '', wtns = '', verdict = '', codes = ''] = line.split('\t')
    return { name, zkey, wtns, verdict: verdict as Row['verdict'], codes: codes.split('|') }
  })
}

/** 'accept' for a proof that verifies, else the code of the error. */
async function outcome(prove: () => Promise<ProofResult>): Promise<string> {
  try {
    const { proof, publicSignals } = await prove()
    using base = await ProvingKey.open(path.join(folder, 'base.zkey'))
    const isValid = await base.verifyingKey.verify(proof, publicSignals)
    return isValid ? 'accept' : 'a proof that does not verify'
  } catch (error) {
    return (error as NallocError).code
  }
}

for (const { name, zkey, wtns, verdict, codes } of rows()) {
  test(`malformed ${name}: ${verdict === 'reject' ? codes.join(' or ') : verdict}`, async (t) => {
    const allowed = verdict === 'accept' ? ['accept'] : codes
    const accepted = verdict === 'may' ? [...allowed, 'accept'] : allowed
    const zkeyFile = path.join(folder, zkey)
    const wtnsFile = path.join(folder, wtns)

    const fromFiles = await outcome(async () => {
      using key = await ProvingKey.open(zkeyFile)
      return await key.prove(wtnsFile)
    })
    const fromBytes = await outcome(() =>
      groth16.prove(fs.readFileSync(zkeyFile), fs.readFileSync(wtnsFile)),
    )

    t.true(accepted.includes(fromFiles), `${fromFiles} from files`)
    t.true(accepted.includes(fromBytes), `${fromBytes} from bytes`)
  })
}

for (const { name, vk, publicSignals, proof, expect } of readJson<VerifyCase[]>(
  folder,
  'verify.json',
)) {
  test(`verify ${name}: ${expect}`, async (t) => {
    t.is(await groth16.verify(vk, publicSignals as never, proof as never), expect)
  })
}

test('what is no proof and no public signals is false, whatever its type', async (t) => {
  const { vk, publicSignals, proof } = validCase()
  const notStrings = (publicSignals as string[]).map((signal) => ({ toJSON: () => signal }))
  const sparse = new Array((publicSignals as string[]).length)
  const odd = [undefined, null, 0, true, '', 'x', [], {}, Symbol('x'), () => 1, 10n]

  for (const value of [...odd, notStrings, sparse, (publicSignals as string[]).map(BigInt)]) {
    t.false(await groth16.verify(vk, value as never, proof as never), String(typeof value))
  }
  for (const value of odd) {
    t.false(await groth16.verify(vk, publicSignals as never, value as never), String(typeof value))
  }
  t.true(await groth16.verify(vk, publicSignals as never, proof as never), 'control')
})

test('a key that is no verification key is an error', async (t) => {
  const { vk, publicSignals, proof } = validCase()
  const { IC: _, ...withoutIc } = vk
  const broken: unknown[] = [
    withoutIc,
    { ...vk, protocol: 'plonk' },
    { ...vk, curve: 'bls12381' },
    { ...vk, nPublic: vk.nPublic + 1 },
    { ...vk, vk_alpha_1: ['1', '3', '1'] },
    Buffer.from('{'),
    Buffer.from('[]'),
  ]

  for (const key of broken) {
    const error = await t.throwsAsync<NallocError>(
      groth16.verify(key as VerifyingKeyJson, publicSignals as never, proof as never),
    )
    t.regex(error?.code ?? '', /^ERR_(?!INTERNAL)/, error?.message)
  }
})

test('a lie in vk_alphabeta_12 changes nothing', async (t) => {
  const { vk, publicSignals, proof } = validCase()
  const lie = [
    [
      ['1', '0'],
      ['0', '0'],
      ['0', '0'],
    ],
    [
      ['0', '0'],
      ['0', '0'],
      ['0', '0'],
    ],
  ]
  const lying = { ...vk, vk_alphabeta_12: lie }

  t.true(await groth16.verify(lying, publicSignals as never, proof as never))
})

function validCase(): VerifyCase {
  const cases = readJson<VerifyCase[]>(folder, 'verify.json')
  const [valid] = cases.filter(({ expect }) => expect)
  if (!valid) throw new Error('verify.json: expected a case that verifies, got none')
  return valid
}
