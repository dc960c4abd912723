// Makes a proof with a circuit of its own, checks it, and looks for what it left in memory.
//
// Before the proof the decoded witness is looked for and must be found: without this control, a
// search that sees nothing would be taken for a clean one. Then its buffer is overwritten, and every
// value that is still found is a copy that a proof left behind.

import type { Groth16Proof } from '../../proof.ts'
import { ProvingKey } from '../../provingKey.ts'
import { type MemorySearch, type Pattern, patternAt, searchOwnMemory } from './memorySearch.ts'
import { KEY_BASE64, PRIVATE_VALUES, WITNESS_BASE64 } from './selfTestCircuit.ts'

const VALUE_BYTES = 32

/** Whether values were left in memory, or why nobody knows. */
export type Residue =
  | { readonly isKnown: true; readonly valuesLeft: number; readonly values: number }
  | { readonly isKnown: false; readonly reason: string }

/** What the self-test saw. */
export interface SelfTest {
  /** Milliseconds of one proof and its verification. */
  readonly ms: number
  readonly isValid: boolean
  /** Whether an altered proof and an altered public signal were both refused. */
  readonly isAlteredRefused: boolean
  readonly residue: Residue
}

/** How memory is searched: a parameter, so that tests can be another machine. */
export type Search = (patterns: readonly Pattern[]) => MemorySearch

/** How a self-test is stopped, and where it searches. */
export interface SelfTestOptions {
  readonly signal?: AbortSignal
  readonly search?: Search
}

/** Runs the self-test. Throws what opening the key and proving throw. */
export async function runSelfTest(options: SelfTestOptions = {}): Promise<SelfTest> {
  const { signal, search = searchOwnMemory } = options
  using key = await ProvingKey.open(Buffer.from(KEY_BASE64, 'base64'), { signal })
  // Over a buffer of its own: Bun moves other short arrays when they are proved with, and keeps the
  // old place as it was.
  const witness = Buffer.from(new ArrayBuffer(Buffer.byteLength(WITNESS_BASE64, 'base64')))
  try {
    witness.write(WITNESS_BASE64, 'base64')
    const patterns = patternsOf(witness)
    const planted = attempt(() => search(patterns))

    const startMs = performance.now()
    const { proof, publicSignals } = await key.prove(witness, { signal })
    witness.fill(0)
    const { verifyingKey } = key
    const isValid = await verifyingKey.verify(proof, publicSignals, { signal })
    const ms = performance.now() - startMs

    const [first, ...others] = publicSignals
    const accepted = [
      await verifyingKey.verify(altered(proof), publicSignals),
      await verifyingKey.verify(proof, [...others, first ?? '']),
    ]
    const left = attempt(() => search(patterns))
    const isAlteredRefused = !accepted.includes(true)
    return { ms, isValid, isAlteredRefused, residue: residueOf(planted, left) }
  } finally {
    witness.fill(0)
  }
}

function patternsOf(witness: Buffer): Pattern[] {
  const first = witness.length - PRIVATE_VALUES * VALUE_BYTES
  return Array.from({ length: PRIVATE_VALUES }, (_, i) =>
    patternAt(witness, first + i * VALUE_BYTES),
  )
}

/** The same proof with A and C exchanged: both are points of the curve. */
function altered(proof: Groth16Proof): Groth16Proof {
  return { ...proof, pi_a: proof.pi_c, pi_c: proof.pi_a }
}

function attempt(search: () => MemorySearch): MemorySearch | string {
  try {
    return search()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function residueOf(planted: MemorySearch | string, left: MemorySearch | string): Residue {
  if (typeof planted === 'string') return { isKnown: false, reason: planted }
  if (typeof left === 'string') return { isKnown: false, reason: left }
  if (planted.found < PRIVATE_VALUES) {
    const reason = `the search found ${planted.found} of ${PRIVATE_VALUES} values that were there`
    return { isKnown: false, reason }
  }
  return { isKnown: true, valuesLeft: left.found, values: PRIVATE_VALUES }
}
