// A verification key: strict about the key, and a plain answer about everything else.

import { setImmediate as turn } from 'node:timers/promises'
import { Call, callNative } from './_call.ts'
import { checkBoolean, checkOptions, show, showType } from './_check.ts'
import { readWholeSync } from './_file.ts'
import { runWithFile } from './_nativeFile.ts'
import { withKindsNamed } from './_sniff.ts'
import { checkSource, isSource, type Source, unshared } from './_source.ts'
import { wrongType } from './errors.ts'
import { binding, type NativeProofTexts, type NativeVerifyingKey } from './native.ts'
import type { AbortOptions, VerifyingKeyOptions } from './options.ts'
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
  /** The pairing of alpha and beta, which snarkjs writes and no verifier should believe. */
  readonly vk_alphabeta_12?: readonly (readonly (readonly string[])[])[]
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

/** A proof and what it shall prove, as `ProvingKey.prove` returns them. */
export interface ProofItem {
  readonly proof: Groth16Proof
  readonly publicSignals: PublicSignals
}

const JSON_BYTES_MAX = 2 ** 28
/** How messages name a key that is no file. */
const NAME = 'verifying key'
/** Proofs of one native call: some tens of milliseconds on one thread. More of them gain nothing. */
const TOGETHER_MAX = 256
/** How long proofs are read until the event loop turns. */
const TURN_MS = 2

/** Wraps a key that the native side wrote. @internal */
export let makeVerifyingKey: (json: string, name: string) => VerifyingKey
/** The key as snarkjs exports it, with the pairing of alpha and beta. @internal */
export let exportedKey: (key: VerifyingKey) => VerifyingKeyJson

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
  /**
   * True for a key without a phase-2 contribution (gamma = delta): everybody can forge proofs that
   * it accepts. Keys of `nalloc setup --unsafe-dev` are such keys.
   */
  readonly isInsecure: boolean

  static {
    makeVerifyingKey = (json, name) =>
      new VerifyingKey(callNative(() => binding().VerifyingKeyHandle.fromJson(json, name)))
    exportedKey = (key) =>
      JSON.parse(callNative(() => key.#native.toJsonWithPairing())) as VerifyingKeyJson
  }

  private constructor(native: NativeVerifyingKey) {
    this.#native = native
    this.nPublic = native.nPublic
    this.isInsecure = native.isInsecure
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
    if (!isSource(key)) return makeVerifyingKey(textOfKey(key), NAME)
    const source = checkSource(NAME, key)
    const bytes =
      source.kind === 'path' ? readWholeSync(source.path, JSON_BYTES_MAX) : unshared(source.bytes)
    return makeVerifyingKey(new TextDecoder().decode(bytes), source.name)
  }

  /**
   * Reads the verification key that is in a Groth16 `.zkey`, and no more than that: of a key of any
   * size some kilobytes. Bytes must not change before the promise has settled.
   *
   * @throws ERR_IO; ERR_BAD_MAGIC, ERR_TRUNCATED, ERR_UNSUPPORTED_PROTOCOL, ERR_INSECURE_KEY and
   * others that name what is wrong with the file
   * @example
   * import { VerifyingKey } from 'nalloc'
   *
   * const key = await VerifyingKey.fromZkey('circuit.zkey')
   * console.log(key.toJSON().nPublic === key.nPublic) // true
   */
  static async fromZkey(zkey: Source, options?: VerifyingKeyOptions): Promise<VerifyingKey> {
    const source = checkSource('zkey', zkey)
    const { allowInsecure, signal } = checkOptions(options)
    const settings = {
      allowInsecure: checkBoolean('allowInsecure', allowInsecure, false),
      name: source.name,
    }
    const call = new Call({ signal })
    const args = [{ name: 'zkey', position: 1, expected: 'a .zkey file', source } as const]
    return withKindsNamed(args, async () => {
      const { openVerifyingKey } = binding()
      const native = await runWithFile(source, call, (file, task) =>
        openVerifyingKey(file, settings, task),
      )
      return new VerifyingKey(native)
    })
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

  /**
   * Whether each of `items` is valid, in a fraction of the time that as many calls of `verify` take:
   * true for no items, false for anything malformed. `explain` says which one is not valid, and why.
   *
   * Equations are weighted by 128 random bits each from the operating system, so that a batch with a
   * wrong proof passes with a probability of at most 2^-128, whoever chose the proofs.
   *
   * @throws ERR_INVALID_ARG for what is no array; the signal's reason, when it fires before the
   * answer
   * @example
   * import { readFileSync } from 'node:fs'
   * import { VerifyingKey } from 'nalloc'
   *
   * const key = VerifyingKey.from('verification_key.json')
   * const proof = JSON.parse(readFileSync('proof.json', 'utf8'))
   * const publicSignals = JSON.parse(readFileSync('public.json', 'utf8'))
   * const items = Array.from({ length: 64 }, () => ({ proof, publicSignals }))
   * console.log(await key.verifyBatch(items)) // true
   */
  async verifyBatch(items: readonly ProofItem[], options?: AbortOptions): Promise<boolean> {
    if (!Array.isArray(items)) {
      throw wrongType('items', 'an array of { proof, publicSignals }', showType(items))
    }
    const { length } = items
    const { signal } = checkOptions(options)
    const call = new Call({ signal })
    const verify = (texts: NativeProofTexts[]): Promise<boolean> =>
      call.run((task) => binding().verifyBatch(this.#native, texts, task))
    let texts: NativeProofTexts[] = []
    let startMs = performance.now()
    for (let i = 0; i < length; i += 1) {
      const text = this.#textOf(items[i])
      if (text === undefined) return false
      texts.push(text)
      if (texts.length === TOGETHER_MAX) {
        if (!(await verify(texts))) return false
        texts = []
      } else if (performance.now() - startMs >= TURN_MS) {
        await turn()
        call.throwIfAborted()
      } else continue
      startMs = performance.now()
    }
    return texts.length === 0 || verify(texts)
  }

  /** What cannot be told from a valid proof by its shape, as texts. */
  #textOf(item: unknown): NativeProofTexts | undefined {
    if (typeof item !== 'object' || item === null) return undefined
    const { proof, publicSignals } = item as Partial<ProofItem>
    const publicText = textOfPublicSignals(publicSignals, this.nPublic)
    if (publicText === undefined) return undefined
    return { proof: textOfProof(proof), publicSignals: publicText }
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
