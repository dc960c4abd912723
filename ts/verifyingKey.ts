// A verification key: strict about the key, and a plain answer about everything else.

import { Call, callNative } from './_call.ts'
import { checkOptions, show, showType } from './_check.ts'
import { readWholeSync } from './_file.ts'
import { checkSource, isSource, type Source, unshared } from './_source.ts'
import { wrongType } from './errors.ts'
import { binding, type NativeVerifyingKey } from './native.ts'
import type { AbortOptions } from './options.ts'
import { type Groth16Proof, type PublicSignals, textOfProof, textOfPublicSignals } from './proof.ts'

/** A verification key in the form of verification_key.json. */
export interface VerifyingKeyJson {
  readonly protocol: string
  readonly curve: string
  readonly nPublic: number
  readonly vk_alpha_1: readonly string[]
  readonly vk_beta_2: readonly (readonly string[])[]
  readonly vk_gamma_2: readonly (readonly string[])[]
  readonly vk_delta_2: readonly (readonly string[])[]
  readonly IC: readonly (readonly string[])[]
}

/** Why a proof is not accepted; the first of these checks that fails is the reason. */
export type VerifyFailure =
  | 'public-count'
  | 'public-range'
  | 'proof-encoding'
  | 'not-on-curve'
  | 'not-in-subgroup'
  | 'equation'

/** The answer about a proof. `detail` says what was expected and what was found, for people. */
export type VerifyOutcome =
  | { readonly valid: true }
  | { readonly valid: false; readonly reason: VerifyFailure; readonly detail: string }

const JSON_BYTES_MAX = 2 ** 28
/** How messages name a key that is no file. */
const NAME = 'verifying key'

/** Wraps a key that the native side wrote. @internal */
export let makeVerifyingKey: (json: string, name: string) => VerifyingKey

/**
 * What it takes to verify the proofs of one circuit.
 *
 * @example
 * import { readFileSync } from 'node:fs'
 * import { VerifyingKey } from 'nalloc'
 *
 * const key = VerifyingKey.from('verification_key.json')
 * const proof = JSON.parse(readFileSync('proof.json', 'utf8'))
 * const publicSignals = JSON.parse(readFileSync('public.json', 'utf8'))
 * console.log(await key.verify(proof, publicSignals)) // true
 */
export class VerifyingKey {
  readonly #native: NativeVerifyingKey
  /** How many public signals a proof has. */
  readonly nPublic: number

  static {
    makeVerifyingKey = (json, name) => new VerifyingKey(json, name)
  }

  private constructor(json: string, name: string) {
    this.#native = callNative(() => binding().VerifyingKeyHandle.fromJson(json, name))
    this.nPublic = this.#native.nPublic
  }

  /**
   * Checks a key: the object of verification_key.json, or the file itself as a path, URL or bytes.
   * A file is read at once, on the calling thread: it has some kilobytes.
   *
   * @throws ERR_IO, ERR_INVALID_ARG; ERR_UNSUPPORTED_PROTOCOL, ERR_UNSUPPORTED_CURVE,
   * ERR_NON_CANONICAL, ERR_NOT_ON_CURVE, ERR_NOT_IN_SUBGROUP and others that name what is wrong
   * with the key
   * @example
   * import { VerifyingKey } from 'nalloc'
   *
   * console.log(VerifyingKey.from('verification_key.json').nPublic)
   */
  static from(key: VerifyingKeyJson | Source): VerifyingKey {
    if (!isSource(key)) return new VerifyingKey(textOfKey(key), NAME)
    const source = checkSource(NAME, key)
    const bytes =
      source.kind === 'path' ? readWholeSync(source.path, JSON_BYTES_MAX) : unshared(source.bytes)
    return new VerifyingKey(new TextDecoder().decode(bytes), source.name)
  }

  /**
   * Whether `proof` proves `publicSignals`. Strict: anything malformed in either is false, such as
   * a number that is not canonical decimal text, or one public signal too few.
   *
   * @throws the signal's reason, when it fires before the answer
   * @example
   * import { VerifyingKey } from 'nalloc'
   *
   * const key = VerifyingKey.from('verification_key.json')
   * console.log(await key.verify(JSON.parse('{}'), [])) // false
   */
  async verify(
    proof: Groth16Proof,
    publicSignals: PublicSignals,
    options?: AbortOptions,
  ): Promise<boolean> {
    const { valid } = await this.explain(proof, publicSignals, options)
    return valid
  }

  /**
   * As `verify`, and says why not: for logs and for whoever makes proofs. A server answers with
   * `verify`.
   *
   * @throws the signal's reason, when it fires before the answer
   * @example
   * import { readFileSync } from 'node:fs'
   * import { VerifyingKey } from 'nalloc'
   *
   * const key = VerifyingKey.from('verification_key.json')
   * const proof = JSON.parse(readFileSync('proof.json', 'utf8'))
   * const outcome = await key.explain(proof, ['0', '0', '0', '0'])
   * console.log(outcome.valid || outcome.reason) // equation
   */
  async explain(
    proof: Groth16Proof,
    publicSignals: PublicSignals,
    options?: AbortOptions,
  ): Promise<VerifyOutcome> {
    const { signal } = checkOptions(options)
    const call = new Call({ signal })
    const publicText = textOfPublicSignals(publicSignals, this.nPublic)
    if (publicText === undefined) {
      const got = Array.isArray(publicSignals) ? publicSignals.length : showType(publicSignals)
      const detail = `public signals: expected ${this.nPublic}, got ${got}`
      return { valid: false, reason: 'public-count', detail }
    }
    const proofText = textOfProof(proof)
    const refusal = await call.run((task) =>
      binding().verify(this.#native, publicText, proofText, task),
    )
    if (refusal === null) return { valid: true }
    return { valid: false, reason: refusal.reason as VerifyFailure, detail: refusal.detail }
  }

  /** The key as verification_key.json holds it, less the derived pairing. */
  toJSON(): VerifyingKeyJson {
    return JSON.parse(callNative(() => this.#native.toJson())) as VerifyingKeyJson
  }
}

function textOfKey(key: VerifyingKeyJson): string {
  const expected = 'the object of verification_key.json, a path, a file: URL or bytes'
  if (typeof key !== 'object' || key === null) throw wrongType(NAME, expected, show(key))
  try {
    return JSON.stringify(key)
  } catch {
    // A bigint, or an object within itself.
    throw wrongType(NAME, expected, 'an object that is not JSON')
  }
}
