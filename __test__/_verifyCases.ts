// Proofs and whether they are valid: what every verifier answers to.

import type { Groth16Proof, PublicSignals, VerifyingKeyJson } from 'nalloc'
import { fixtures, readJson } from './_repository.ts'

export interface VerifyCase {
  readonly name: string
  readonly vk: VerifyingKeyJson
  readonly publicSignals: PublicSignals
  readonly proof: Groth16Proof
  readonly expect: boolean
}

export const verifyCases = readJson<readonly VerifyCase[]>(fixtures, 'malformed/verify.json')
