// The entry point `nalloc/snarkjs`: what `import ... from 'snarkjs'` gives, with Groth16 from here.
//
// `groth16` has snarkjs' arguments in snarkjs' places and returns what snarkjs returns. Keys and
// circuits that are named by their paths stay open between calls. The other parts lead to the
// application's own snarkjs, which is loaded when one of them is used.

import { orTheirs } from './_fallback.ts'
import { openFiles, useCircuit, useKey } from './_keyCache.ts'
import { Log, type LoggerLike } from './_logger.ts'
import { passThrough } from './_passThrough.ts'
import {
  beginCall,
  type CalculatorOptions,
  type CompatOptions,
  checkCalculatorOptions,
} from './_snarkjsOptions.ts'
import {
  type ProofLike,
  proofOf,
  publicSignalsOf,
  solidityCallData,
  textOfKey,
} from './_snarkjsProof.ts'
import { type FileArgument, type FileKind, withKindsNamed } from './_sniff.ts'
import { checkSource, isSource, type Opened, type Source } from './_source.ts'
import { type Circuit, checkCircuit } from './circuit.ts'
import { codeOf } from './errors.ts'
import type { CircuitInputs } from './inputs.ts'
import type { FieldLike } from './options.ts'
import {
  checkWitness,
  fileOf,
  fullProveWith,
  type ProofResult,
  ProvingKey,
  proveWith,
} from './provingKey.ts'
import { VerifyingKey, type VerifyingKeyJson } from './verifyingKey.ts'
import type { Witness } from './witness.ts'

export type { LoggerLike } from './_logger.ts'
export type { CalculatorOptions, CompatOptions } from './_snarkjsOptions.ts'
export type { ProofLike } from './_snarkjsProof.ts'

// @types/snarkjs is the application's choice: without it the parts that lead to snarkjs are
// untyped, and nothing else changes.
// biome-ignore lint/suspicious/noTsIgnore: no error is expected where @types/snarkjs is installed.
/** @ts-ignore */
type Snarkjs = typeof import('snarkjs')

// biome-ignore lint/suspicious/noTsIgnore: as above.
/** @ts-ignore */
export type { FflonkProof, PlonkProof, R1CSInfoType } from 'snarkjs'

/** A number as decimal text, as in @types/snarkjs. */
export type NumericString = `${number}` | string
/** A file: its path or its bytes, as in @types/snarkjs. */
export type ZKArtifact = string | Uint8Array
/** A value for a signal, as in @types/snarkjs. */
export type SignalValueType = NumericString | number | bigint | SignalValueType[]
/** The inputs of a circuit by name, as in @types/snarkjs. */
export interface CircuitSignals {
  [signal: string]: SignalValueType
}
/** The outputs and public inputs, as in @types/snarkjs. */
export type PublicSignals = NumericString[]
/** A proof as snarkjs returns it: a plain object that is the caller's to change. */
export interface Groth16Proof {
  pi_a: NumericString[]
  pi_b: NumericString[][]
  pi_c: NumericString[]
  protocol: string
  curve: string
}
/** What proving gives, as in snarkjs. */
export interface ProofWithSignals {
  proof: Groth16Proof
  publicSignals: PublicSignals
}

/** Groth16 with snarkjs' signatures. */
export interface Groth16 {
  /**
   * Proves a witness. A key that is given by its path stays open for the next call.
   *
   * @throws what `ProvingKey.open` and `ProvingKey.prove` throw
   * @example
   * import { groth16 } from 'nalloc/snarkjs'
   *
   * const { proof, publicSignals } = await groth16.prove('circuit.zkey', 'witness.wtns')
   * console.log(proof.protocol, publicSignals.length) // groth16 4
   */
  prove(
    zkey: ProvingKey | Source,
    wtns: Witness | Source,
    logger?: LoggerLike | null,
    options?: CompatOptions | null,
  ): Promise<ProofWithSignals>

  /**
   * Computes the witness for `input` and proves it. A key and a circuit that are given by their
   * paths stay open for the next call.
   *
   * @throws what `Circuit.open`, `Circuit.witness`, `ProvingKey.open` and `ProvingKey.prove` throw
   * @example
   * import { readFileSync } from 'node:fs'
   * import { groth16 } from 'nalloc/snarkjs'
   *
   * const input = JSON.parse(readFileSync('input.json', 'utf8'))
   * const signal = AbortSignal.timeout(60_000)
   * const { proof, publicSignals } = await groth16.fullProve(
   *   input,
   *   'circuit.wasm',
   *   'circuit.zkey',
   *   console,
   *   undefined,
   *   { signal },
   * )
   * console.log(proof.pi_a.length, publicSignals.length) // 3 4
   */
  fullProve(
    input: CircuitInputs,
    wasm: Circuit | Source,
    zkey: ProvingKey | Source,
    logger?: LoggerLike | null,
    wtnsCalcOptions?: CalculatorOptions | null,
    options?: CompatOptions | null,
  ): Promise<ProofWithSignals>

  /**
   * Whether `proof` proves `publicSignals`. Stricter than snarkjs: another number of public signals
   * than the key has, or a point outside its subgroup, is false. The logger is told why.
   *
   * @throws what `VerifyingKey.from` throws
   * @example
   * import { readFileSync } from 'node:fs'
   * import { groth16 } from 'nalloc/snarkjs'
   *
   * const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
   * const vk = read('verification_key.json')
   * const signals = read('public.json')
   * console.log(await groth16.verify(vk, signals, read('proof.json'))) // true
   * console.log(await groth16.verify(vk, signals.slice(1), read('proof.json'))) // false
   */
  verify(
    vk: VerifyingKey | Source | object,
    publicSignals: readonly FieldLike[],
    proof: ProofLike,
    logger?: LoggerLike | null,
  ): Promise<boolean>

  /**
   * The arguments for the Solidity verifier that snarkjs exports, as text.
   *
   * @throws ERR_INVALID_ARG for what is no proof, or no public signals
   * @example
   * import { readFileSync } from 'node:fs'
   * import { groth16 } from 'nalloc/snarkjs'
   *
   * const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
   * const text = await groth16.exportSolidityCallData(read('proof.json'), read('public.json'))
   * const [a, b, c, publicSignals] = JSON.parse(`[${text}]`)
   * console.log(a.length, b.length, c.length, publicSignals.length) // 2 2 2 4
   */
  exportSolidityCallData(proof: ProofLike, publicSignals: readonly FieldLike[]): Promise<string>
}

/**
 * Groth16 over BN254 in the place of snarkjs' own. On a platform that nalloc has no binary for,
 * snarkjs' own if NALLOC_FALLBACK=1 is set.
 *
 * @example
 * import { readFileSync } from 'node:fs'
 * import { groth16 } from 'nalloc/snarkjs' // was: from 'snarkjs'
 *
 * const input = JSON.parse(readFileSync('input.json', 'utf8'))
 * const vk = JSON.parse(readFileSync('verification_key.json', 'utf8'))
 * const { proof, publicSignals } = await groth16.fullProve(input, 'circuit.wasm', 'circuit.zkey')
 * console.log(await groth16.verify(vk, publicSignals, proof)) // true
 */
export const groth16: Groth16 = orTheirs<Groth16>(
  {
    async prove(
      zkey: ProvingKey | Source,
      wtns: Witness | Source,
      logger?: LoggerLike | null,
      options?: CompatOptions | null,
    ): Promise<ProofWithSignals> {
      const checkedKey = checkKey(zkey)
      const checkedWitness = checkWitness('wtns', wtns)
      const log = new Log(logger, 3)
      const { opening, proving, waiter } = beginCall(options, log)
      const args = [
        fileArgument('zkey', 1, 'a .zkey file', fileOf(checkedKey)),
        fileArgument('wtns', 2, 'a .wtns file', fileOf(checkedWitness)),
      ]
      return withKindsNamed(args, () =>
        useKey(checkedKey, opening, waiter, async (key) =>
          finish(await proveWith(key, checkedWitness, proving, waiter.call), log),
        ),
      )
    },

    async fullProve(
      input: CircuitInputs,
      wasm: Circuit | Source,
      zkey: ProvingKey | Source,
      logger?: LoggerLike | null,
      wtnsCalcOptions?: CalculatorOptions | null,
      options?: CompatOptions | null,
    ): Promise<ProofWithSignals> {
      const checkedCircuit = checkCircuit('wasm', wasm)
      const checkedKey = checkKey(zkey)
      const log = new Log(logger, 4)
      checkCalculatorOptions(wtnsCalcOptions)
      const { opening, proving, waiter } = beginCall(options, log)
      const args = [
        fileArgument('wasm', 2, 'a WebAssembly module', fileOf(checkedCircuit)),
        fileArgument('zkey', 3, 'a .zkey file', fileOf(checkedKey)),
      ]
      return withKindsNamed(args, () =>
        useCircuit(checkedCircuit, waiter, (circuit) =>
          useKey(checkedKey, opening, waiter, async (key) =>
            finish(await fullProveWith(key, input, circuit, proving, waiter.call), log),
          ),
        ),
      )
    },

    async verify(
      vk: VerifyingKey | Source | object,
      publicSignals: readonly FieldLike[],
      proof: ProofLike,
      logger?: LoggerLike | null,
    ): Promise<boolean> {
      const log = new Log(logger, 4)
      const key = verifyingKeyOf(vk)
      try {
        const signals = publicSignalsOf(publicSignals, key.nPublic)
        const outcome = await key.explain(proofOf(proof), signals)
        if (outcome.valid) log.info('the proof is valid')
        else log.error(`the proof is not valid: ${outcome.detail}`)
        return outcome.valid
      } catch (error) {
        if (codeOf(error) !== 'ERR_INVALID_ARG' || !(error instanceof Error)) throw error
        log.error(`the proof is not valid: ${error.message}`)
        return false
      }
    },

    async exportSolidityCallData(
      proof: ProofLike,
      publicSignals: readonly FieldLike[],
    ): Promise<string> {
      return solidityCallData(proof, publicSignals)
    },
  },
  () => passThrough('groth16'),
)

/** The files that this entry point keeps open. */
export interface KeyCache {
  /** How many keys are open. */
  readonly keys: number
  /** The lengths of their files together. */
  readonly keyBytes: number
  /** How many circuits are compiled. */
  readonly circuits: number
  /** Drops them all; what a call uses now is freed after it. */
  clear(): void
}

/**
 * Keys and circuits that were given by their paths stay open: at most 16 of each, keys in at most a
 * quarter of the memory that the process may use; the least recently used goes first. A file that
 * was replaced or rewritten is opened again. They never keep the process alive. Each worker thread
 * has its own.
 *
 * @example
 * import { groth16, keyCache } from 'nalloc/snarkjs'
 *
 * await groth16.prove('circuit.zkey', 'witness.wtns')
 * keyCache.clear()
 * console.log(keyCache.keys, keyCache.keyBytes) // 0 0
 */
export const keyCache: KeyCache = Object.freeze(openFiles)

/** snarkjs' curves, which @types/snarkjs leaves out. */
export interface Curves {
  getCurveFromName(name: string, options?: object): Promise<unknown>
  getCurveFromQ(q: unknown, options?: object): Promise<unknown>
  getCurveFromR(r: unknown, options?: object): Promise<unknown>
}

/**
 * The application's own snarkjs.
 *
 * @throws ERR_SNARKJS_MISSING on use, when snarkjs is not installed
 * @example
 * import { curves } from 'nalloc/snarkjs'
 *
 * const curve = await curves.getCurveFromName('bn128', { singleThread: true })
 * console.log(typeof curve) // object
 */
export const curves: Curves = passThrough('curves')

/**
 * The application's own snarkjs.
 *
 * @throws ERR_SNARKJS_MISSING on use, when snarkjs is not installed
 * @example
 * import { fflonk } from 'nalloc/snarkjs'
 *
 * console.log(typeof fflonk.prove) // function
 */
export const fflonk: Snarkjs['fflonk'] = passThrough('fflonk')

/**
 * The application's own snarkjs.
 *
 * @throws ERR_SNARKJS_MISSING on use, when snarkjs is not installed
 * @example
 * import { plonk } from 'nalloc/snarkjs'
 *
 * console.log('setup' in plonk) // true
 */
export const plonk: Snarkjs['plonk'] = passThrough('plonk')

/**
 * The application's own snarkjs.
 *
 * @throws ERR_SNARKJS_MISSING on use, when snarkjs is not installed
 * @example
 * import { powersOfTau } from 'nalloc/snarkjs'
 *
 * console.log(Object.keys(powersOfTau).includes('contribute')) // true
 */
export const powersOfTau: Snarkjs['powersOfTau'] = passThrough('powersOfTau')

/**
 * The application's own snarkjs.
 *
 * @throws ERR_SNARKJS_MISSING on use, when snarkjs is not installed
 * @example
 * import { r1cs } from 'nalloc/snarkjs'
 *
 * const { info } = r1cs
 * console.log(typeof info) // function
 */
export const r1cs: Snarkjs['r1cs'] = passThrough('r1cs')

/**
 * The application's own snarkjs.
 *
 * @throws ERR_SNARKJS_MISSING on use, when snarkjs is not installed
 * @example
 * import { readFileSync } from 'node:fs'
 * import { groth16, wtns } from 'nalloc/snarkjs'
 *
 * const witness = { type: 'mem', data: new Uint8Array() } as const
 * await wtns.calculate(JSON.parse(readFileSync('input.json', 'utf8')), 'circuit.wasm', witness)
 * const { publicSignals } = await groth16.prove('circuit.zkey', witness)
 * console.log(publicSignals.length) // 4
 */
export const wtns: Snarkjs['wtns'] = passThrough('wtns')

/**
 * The application's own snarkjs.
 *
 * @throws ERR_SNARKJS_MISSING on use, when snarkjs is not installed
 * @example
 * import { zKey } from 'nalloc/snarkjs'
 *
 * console.log(typeof zKey.exportSolidityVerifier) // function
 */
export const zKey: Snarkjs['zKey'] = passThrough('zKey')

function checkKey(value: ProvingKey | Source): ProvingKey | Opened {
  return value instanceof ProvingKey ? value : checkSource('zkey', value)
}

function fileArgument(
  name: string,
  position: number,
  expected: FileKind,
  source: Opened | undefined,
): FileArgument {
  return { name, position, expected, source }
}

/** The plain, mutable objects of snarkjs, in its order. */
function finish({ proof, publicSignals, timings }: ProofResult, log: Log): ProofWithSignals {
  const ms = Object.values(timings).reduce((sum, phaseMs) => sum + phaseMs, 0)
  log.debug(`proved in ${ms.toFixed(0)} ms`)
  return { proof: proof as Groth16Proof, publicSignals: publicSignals as PublicSignals }
}

function verifyingKeyOf(vk: VerifyingKey | Source | object): VerifyingKey {
  if (vk instanceof VerifyingKey) return vk
  if (isSource(vk) || typeof vk !== 'object' || vk === null) return VerifyingKey.from(vk)
  let text: string
  try {
    text = textOfKey(vk)
  } catch {
    // It says what is wrong with an object that is not JSON.
    return VerifyingKey.from(vk as VerifyingKeyJson)
  }
  return VerifyingKey.from(Buffer.from(text))
}
