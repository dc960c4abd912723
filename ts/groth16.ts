// The entry point `nalloc/groth16`: the handles, and one-shot functions over them.

import { Call } from './_call.ts'
import { checkOptions } from './_check.ts'
import { type FileArgument, withKindsNamed } from './_sniff.ts'
import { checkSource, type Opened, type Source } from './_source.ts'
import { type Circuit, checkCircuit, circuitOf } from './circuit.ts'
import type { CircuitInputs } from './inputs.ts'
import type { AbortOptions, OneShotOptions } from './options.ts'
import type { Groth16Proof, PublicSignals } from './proof.ts'
import {
  checkWitness,
  fileOf,
  fullProveWith,
  type KeySettings,
  keySettings,
  openKey,
  type ProofResult,
  ProvingKey,
  proofSettings,
  proveWith,
} from './provingKey.ts'
import type { SecretBuf } from './secretBuf.ts'
import { VerifyingKey, type VerifyingKeyJson } from './verifyingKey.ts'
import type { Witness } from './witness.ts'

export type { Bytes, Source } from './_source.ts'
export { Circuit } from './circuit.ts'
export { configure } from './configure.ts'
export type { CircuitInputs, SignalValue } from './inputs.ts'
export type * from './options.ts'
export type { Groth16Proof, PublicSignals } from './proof.ts'
export { type KeyInfo, type ProofEstimate, type ProofResult, ProvingKey } from './provingKey.ts'
export { setupUnsafeDev } from './setup.ts'
export {
  type ProofItem,
  type VerifyFailure,
  VerifyingKey,
  type VerifyingKeyJson,
  type VerifyOutcome,
} from './verifyingKey.ts'
export { Witness } from './witness.ts'

/** One-shot calls: they open what they are given, use it once and drop it. */
export interface Groth16 {
  /**
   * Proves a witness. A server that proves more than once opens the key once: `ProvingKey.open`.
   *
   * @throws what `ProvingKey.open` and `ProvingKey.prove` throw
   * @example
   * import { groth16 } from 'nalloc'
   *
   * const { proof, publicSignals } = await groth16.prove('circuit.zkey', 'witness.wtns')
   * console.log(proof.protocol, publicSignals.length)
   */
  prove(
    zkey: ProvingKey | Source,
    wtns: Witness | SecretBuf | Source,
    options?: OneShotOptions,
  ): Promise<ProofResult>

  /**
   * Computes the witness for `input` and proves it.
   *
   * @throws what `Circuit.open`, `Circuit.witness`, `ProvingKey.open` and `ProvingKey.prove` throw
   * @example
   * import { readFileSync } from 'node:fs'
   * import { groth16 } from 'nalloc'
   *
   * const input = JSON.parse(readFileSync('input.json', 'utf8'))
   * const { proof, publicSignals } = await groth16.fullProve(input, 'circuit.wasm', 'circuit.zkey')
   * console.log(await groth16.verify('verification_key.json', publicSignals, proof)) // true
   */
  fullProve(
    input: CircuitInputs,
    wasm: Circuit | Source,
    zkey: ProvingKey | Source,
    options?: OneShotOptions,
  ): Promise<ProofResult>

  /**
   * Whether `proof` proves `publicSignals`; anything malformed in either is false.
   *
   * @throws what `VerifyingKey.from` throws
   * @example
   * import { readFileSync } from 'node:fs'
   * import { groth16 } from 'nalloc'
   *
   * const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
   * const key = read('verification_key.json')
   * console.log(await groth16.verify(key, read('public.json'), read('proof.json'))) // true
   */
  verify(
    vk: VerifyingKey | VerifyingKeyJson | Source,
    publicSignals: PublicSignals,
    proof: Groth16Proof,
    options?: AbortOptions,
  ): Promise<boolean>
}

/** Groth16 over BN254 with the argument order of snarkjs and this package's options. */
export const groth16: Groth16 = Object.freeze({
  async prove(
    zkey: ProvingKey | Source,
    wtns: Witness | SecretBuf | Source,
    options?: OneShotOptions,
  ): Promise<ProofResult> {
    const checkedKey = checkKey('zkey', zkey)
    const checkedWitness = checkWitness('wtns', wtns)
    const checked = checkOptions(options)
    const opening = keySettings(checked)
    const proving = proofSettings(checked)
    const call = new Call(checked)
    const args: FileArgument[] = [
      { name: 'zkey', position: 1, expected: 'a .zkey file', source: fileOf(checkedKey) },
      { name: 'wtns', position: 2, expected: 'a .wtns file', source: fileOf(checkedWitness) },
    ]
    return withKindsNamed(args, () =>
      withKey(checkedKey, opening, call, (key) => proveWith(key, checkedWitness, proving, call)),
    )
  },

  async fullProve(
    input: CircuitInputs,
    wasm: Circuit | Source,
    zkey: ProvingKey | Source,
    options?: OneShotOptions,
  ): Promise<ProofResult> {
    const checkedCircuit = checkCircuit('wasm', wasm)
    const checkedKey = checkKey('zkey', zkey)
    const checked = checkOptions(options)
    const opening = keySettings(checked)
    const proving = proofSettings(checked)
    const call = new Call(checked)
    const args: FileArgument[] = [
      {
        name: 'wasm',
        position: 2,
        expected: 'a WebAssembly module',
        source: fileOf(checkedCircuit),
      },
      { name: 'zkey', position: 3, expected: 'a .zkey file', source: fileOf(checkedKey) },
    ]
    return withKindsNamed(args, async () => {
      const circuit = await circuitOf(checkedCircuit, call)
      return withKey(checkedKey, opening, call, (key) =>
        fullProveWith(key, input, circuit, proving, call),
      )
    })
  },

  async verify(
    vk: VerifyingKey | VerifyingKeyJson | Source,
    publicSignals: PublicSignals,
    proof: Groth16Proof,
    options?: AbortOptions,
  ): Promise<boolean> {
    const key = vk instanceof VerifyingKey ? vk : VerifyingKey.from(vk)
    return key.verify(proof, publicSignals, options)
  },
})

function checkKey(name: string, value: ProvingKey | Source): ProvingKey | Opened {
  return value instanceof ProvingKey ? value : checkSource(name, value)
}

/** Uses a key that is open, or opens one for as long as `use` needs it. */
async function withKey<T>(
  checked: ProvingKey | Opened,
  settings: KeySettings,
  call: Call,
  use: (key: ProvingKey) => Promise<T>,
): Promise<T> {
  if (checked instanceof ProvingKey) return use(checked)
  const key = await openKey(checked, settings, call)
  try {
    return await use(key)
  } finally {
    key.dispose()
  }
}
