import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { Circuit, groth16, ProvingKey, VerifyingKey } from 'nalloc'
import {
  fixtures,
  type GoldenCase,
  golden,
  goldenCases,
  goldenProof,
  readJson,
  semaphore,
} from './_repository.ts'

function blindings({ vectors }: GoldenCase) {
  return vectors.map((vector) => ({
    unsafeBlinding: { r: BigInt(vector.r), s: BigInt(vector.s) },
    proof: goldenProof(vector.proof),
    publicSignals: readJson<string[]>(golden, vector.public),
  }))
}

for (const goldenCase of goldenCases('synthetic')) {
  test(`${goldenCase.name}: the proof for fixed blinding is the recorded one`, async (t) => {
    const stem = path.join(fixtures, goldenCase.name)
    using key = await ProvingKey.open(`${stem}.zkey`)
    t.is(key.info.sha256, goldenCase.zkeySha256)
    t.is(key.info.nPublic, goldenCase.nPublic)

    for (const { unsafeBlinding, proof, publicSignals } of blindings(goldenCase)) {
      const fromFile = await key.prove(`${stem}.wtns`, { unsafeBlinding })
      const fromBytes = await key.prove(fs.readFileSync(`${stem}.wtns`), { unsafeBlinding })

      t.deepEqual(fromFile.proof, proof)
      t.deepEqual(fromFile.publicSignals, publicSignals)
      t.deepEqual(fromBytes.proof, proof)
    }
    const fresh = await key.prove(`${stem}.wtns`)
    const verifyingKey = VerifyingKey.from(`${stem}_vk.json`)

    t.true(await verifyingKey.verify(fresh.proof, fresh.publicSignals))
    t.true(await key.verifyingKey.verify(fresh.proof, fresh.publicSignals))
    t.notDeepEqual(fresh.proof, blindings(goldenCase)[0]?.proof)
  })
}

for (const goldenCase of goldenCases('semaphore')) {
  test(`${goldenCase.name}: circuit, witness and proof are the recorded ones`, async (t) => {
    const { zkey, wasm, vk, input } = semaphore(Number(goldenCase.name.split('-')[1]))
    using key = await ProvingKey.open(zkey, { sha256: goldenCase.zkeySha256 })
    const circuit = await Circuit.open(wasm)
    using witness = await circuit.witness(input)
    t.is(witness.length, key.info.nVars)

    for (const { unsafeBlinding, proof, publicSignals } of blindings(goldenCase)) {
      const result = await key.prove(witness, { unsafeBlinding })

      t.deepEqual(result.proof, proof)
      t.deepEqual(result.publicSignals, publicSignals)
    }
    const fresh = await key.fullProve(input, circuit)

    t.true(await groth16.verify(readJson(vk), fresh.publicSignals, fresh.proof))
    t.true(witness.length > 0 && !witness.isDisposed)
  })
}

test('one-shot calls take paths, URLs, bytes, views and snarkjs memory objects', async (t) => {
  const goldenCase = goldenCases('synthetic').find(({ name }) => name === 'dense')
  const [vector] = goldenCase ? blindings(goldenCase) : []
  const zkey = path.join(fixtures, 'dense.zkey')
  const wtns = path.join(fixtures, 'dense.wtns')
  const bytes = fs.readFileSync(wtns)
  const padded = new Uint8Array(bytes.length + 7)
  padded.set(bytes, 7)
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  const arrayBuffer = Uint8Array.from(bytes).buffer
  const witnesses = [
    wtns,
    new URL(`file://${wtns}`),
    bytes,
    padded.subarray(7),
    new DataView(padded.buffer, 7),
    arrayBuffer,
    shared,
    { type: 'mem', data: bytes } as const,
  ]

  for (const witness of witnesses) {
    const options = vector ? { unsafeBlinding: vector.unsafeBlinding } : {}
    const result = await groth16.prove(zkey, witness, options)

    t.deepEqual(result.proof, vector?.proof)
  }
  t.true(bytes.equals(fs.readFileSync(wtns)), "the caller's bytes stay the caller's")
})

test('a result tells its phases and its memory', async (t) => {
  const { zkey, wasm, input } = semaphore(10)
  using key = await ProvingKey.open(zkey)

  const { timings, peakBytes } = await key.fullProve(input, wasm)

  for (const phase of ['witness', 'quotient', 'msm', 'finish', 'self-verify'] as const) {
    t.true((timings[phase] ?? -1) >= 0, `${phase} in ${JSON.stringify(timings)}`)
  }
  t.true(peakBytes > 0 && Number.isSafeInteger(peakBytes))
  t.true(key.estimate().peakBytes >= peakBytes)
})
