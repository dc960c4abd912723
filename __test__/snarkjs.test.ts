import test from 'ava'
import { Circuit, groth16, ProvingKey, VerifyingKey } from 'nalloc'
import * as snarkjs from 'snarkjs'
import { readJson, semaphore } from './_repository.ts'

const { zkey, wasm, vk, input } = semaphore(3)

test.after.always(async () => {
  // snarkjs keeps its worker threads until they are told to go.
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } }
  await curve?.terminate()
})

test.serial('snarkjs verifies our proofs, and not altered ones', async (t) => {
  using key = await ProvingKey.open(zkey)
  const circuit = await Circuit.open(wasm)
  const { proof, publicSignals } = await key.fullProve(input, circuit)
  const theirs = proof as unknown as snarkjs.Groth16Proof
  const verify = async (signals: string[]) => snarkjs.groth16.verify(readJson(vk), signals, theirs)

  t.true(await verify([...publicSignals]))
  t.false(await verify(publicSignals.map((signal, i) => (i === 0 ? '1' : signal))))
})

test.serial("we verify snarkjs's proofs, with its key and with ours", async (t) => {
  const { proof, publicSignals } = await snarkjs.groth16.fullProve(
    input as unknown as snarkjs.CircuitSignals,
    wasm,
    zkey,
  )
  using key = await ProvingKey.open(zkey)
  const ours = proof as unknown as Parameters<typeof groth16.verify>[2]

  t.true(await groth16.verify(readJson(vk), publicSignals, ours))
  t.true(await key.verifyingKey.verify(ours, publicSignals))
  t.false(await key.verifyingKey.verify(ours, ['1', ...publicSignals.slice(1)]))
})

test.serial("our verification key is the one in snarkjs's file, less the pairing", async (t) => {
  using key = await ProvingKey.open(zkey)
  const { vk_alphabeta_12: _, ...expected } = readJson<Record<string, unknown>>(vk)

  t.deepEqual({ ...key.verifyingKey.toJSON() } as Record<string, unknown>, expected)
  t.deepEqual(VerifyingKey.from(vk).toJSON(), key.verifyingKey.toJSON())
})
