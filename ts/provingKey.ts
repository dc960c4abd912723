// A proving key: read and checked once, used for many proofs.

import { Call, callNative } from './_call.ts'
import {
  checkBoolean,
  checkOptions,
  checkScalar,
  checkSha256,
  checkSize,
  checkText,
  show,
} from './_check.ts'
import { runWithFile, type StartWithFile } from './_nativeFile.ts'
import { observed } from './_proofEvents.ts'
import { type FileArgument, withKindsNamed } from './_sniff.ts'
import { checkSource, type Opened, type Source } from './_source.ts'
import { type Circuit, checkCircuit, circuitOf, computeWitness } from './circuit.ts'
import { NallocError, wrongType } from './errors.ts'
import type { CircuitInputs } from './inputs.ts'
import { binding, type NativeProofOutput, type NativeProvingKey } from './native.ts'
import type { LabelOptions, OpenOptions, ProgressPhase, ProveOptions } from './options.ts'
import type { Groth16Proof, PublicSignals } from './proof.ts'
import { nativeSecretOf, SecretBuf } from './secretBuf.ts'
import { makeVerifyingKey, type VerifyingKey } from './verifyingKey.ts'
import { nativeWitnessOf, Witness } from './witness.ts'

/** Digits of a key's SHA-256 that tell it from others. */
const LABEL_DIGITS = 12
const LABEL_CHARS_MAX = 64
/** What a key says about its circuit. */
export interface KeyInfo {
  /** The curve's name as snarkjs has it; also called BN254 and alt_bn128. */
  readonly curve: 'bn128'
  /** Outputs and public inputs. */
  readonly nPublic: number
  /** Signals, the constant one included. */
  readonly nVars: number
  readonly nConstraints: number
  /** Size of the evaluation domain, a power of two. */
  readonly domainSize: number
  /** SHA-256 of the whole file, 64 hexadecimal digits. */
  readonly sha256: string
  /** Length of the file. */
  readonly bytes: number
  /**
   * True for a key of `nalloc setup --unsafe-dev`, made from secrets that everybody knows: anybody
   * can forge proofs for it.
   */
  readonly unsafeDev: boolean
}

/** What a proof with a key will need. */
export interface ProofEstimate {
  /** Bytes of the open key and its tables, which every proof shares. */
  readonly keyBytes: number
  /** Most bytes that a proof uses at one time, beside the key. */
  readonly peakBytes: number
  /** Bytes that the process takes once, beside keys and proofs: code, stacks of threads. */
  readonly processBytes: number
}

/** A proof and what it took. */
export interface ProofResult {
  readonly proof: Groth16Proof
  readonly publicSignals: PublicSignals
  /** Milliseconds of each phase that the call went through. */
  readonly timings: Readonly<Partial<Record<ProgressPhase, number>>>
  /** Bytes that the proof used at its peak, beside the key. */
  readonly peakBytes: number
}

/** Checked options of one proof, as the native side takes them. @internal */
export interface ProofSettings {
  readonly selfVerify: boolean
  readonly memoryLimitBytes?: number
  readonly blindingR?: string
  readonly blindingS?: string
}

/** What a proof is made of. @internal */
export type CheckedWitness = Witness | SecretBuf | Opened

/** Checked options of opening a key. @internal */
export interface KeySettings {
  readonly allowInsecure: boolean
  readonly memoryLimitBytes?: number
  readonly tableBytesMax?: number
  readonly sha256: string | undefined
  readonly label: string | undefined
}

/** Opens a key within a call. @internal */
export let openKey: (source: Opened, settings: KeySettings, call: Call) => Promise<ProvingKey>
/** Proves within a call, which is a part of another one. */
let provePart: (
  key: ProvingKey,
  witness: CheckedWitness,
  settings: ProofSettings,
  call: Call,
) => Promise<ProofResult>
/** What metrics call the circuit of a key. */
let labelOf: (key: ProvingKey) => string

/**
 * A parsed `.zkey` in native memory, freed by `dispose()`, by `using`, or late by the garbage
 * collector. Proofs that run keep it alive beyond `dispose()`; new ones reject with ERR_DISPOSED.
 *
 * @example
 * import { readFileSync } from 'node:fs'
 * import { Circuit, ProvingKey } from 'nalloc'
 *
 * using key = await ProvingKey.open('circuit.zkey')
 * const circuit = await Circuit.open('circuit.wasm')
 * const input = JSON.parse(readFileSync('input.json', 'utf8'))
 * const { proof, publicSignals } = await key.fullProve(input, circuit)
 * console.log(await key.verifyingKey.verify(proof, publicSignals)) // true
 */
export class ProvingKey {
  readonly #native: NativeProvingKey
  readonly #label: string | undefined
  #verifyingKey: VerifyingKey | undefined

  static {
    openKey = async (source, { sha256, label, ...settings }, call) => {
      const options = { ...settings, name: source.name }
      const { openProvingKey } = binding()
      const native = await runWithFile(source, call, (file, task) =>
        openProvingKey(file, options, task),
      )
      const key = new ProvingKey(native, label)
      if (sha256 === undefined || key.info.sha256 === sha256) return key
      const message = `${source.name}: expected sha256 ${sha256}, got ${key.info.sha256}.`
      const details = { expected: sha256, got: key.info.sha256 }
      key.dispose()
      throw new NallocError('ERR_FILE_CHANGED', message, { hint: 'Download it again.', details })
    }
    provePart = (key, witness, settings, call) => key.#prove(witness, settings, call)
    labelOf = (key) => key.#label ?? key.info.sha256.slice(0, LABEL_DIGITS)
  }

  private constructor(native: NativeProvingKey, label: string | undefined) {
    this.#native = native
    this.#label = label
  }

  /**
   * Reads a Groth16 `.zkey` and checks all of it: every length, index, number and point. Bytes must
   * not change before the promise has settled.
   *
   * @throws ERR_IO; ERR_BAD_MAGIC, ERR_TRUNCATED, ERR_UNSUPPORTED_PROTOCOL, ERR_INSECURE_KEY and
   * others that name what is wrong with the file; ERR_LIMIT above `memoryLimit`; ERR_FILE_CHANGED
   * when `sha256` differs
   * @example
   * import { ProvingKey } from 'nalloc'
   *
   * const key = await ProvingKey.open('circuit.zkey', { memoryLimit: '2G' })
   * console.log(key.info.nConstraints)
   * key.dispose()
   */
  static async open(zkey: Source, options?: OpenOptions): Promise<ProvingKey> {
    const source = checkSource('zkey', zkey)
    const checked = checkOptions(options)
    const settings = keySettings(checked)
    const call = new Call(checked)
    const args: FileArgument[] = [{ name: 'zkey', position: 1, expected: 'a .zkey file', source }]
    return withKindsNamed(args, () => openKey(source, settings, call))
  }

  /**
   * Another handle of a key that is open, by the ticket of `share()`: how worker threads use one key
   * without reading it again. Each handle is disposed for itself, the key goes with the last one.
   *
   * @throws ERR_DISPOSED when no handle of the key is left; ERR_INVALID_ARG for what is no ticket of
   * this process
   * @example
   * import { Worker } from 'node:worker_threads'
   * import { ProvingKey } from 'nalloc'
   *
   * const key = await ProvingKey.open('circuit.zkey')
   * const program = `
   *   const { workerData } = require('node:worker_threads')
   *   const { ProvingKey } = require('nalloc')
   *   const key = ProvingKey.fromShared(workerData)
   *   key.prove('witness.wtns').then(({ proof }) => console.log(proof.protocol)) // groth16
   * `
   * new Worker(program, { eval: true, workerData: key.share() })
   */
  static fromShared(ticket: string, options?: LabelOptions): ProvingKey {
    const expected = 'text that share() gave'
    if (typeof ticket !== 'string') throw wrongType('ticket', expected, show(ticket))
    const label = checkLabel(checkOptions(options).label)
    return new ProvingKey(
      callNative(() => binding().sharedProvingKey(ticket)),
      label,
    )
  }

  /** Sizes and identity of the key. */
  get info(): KeyInfo {
    return { curve: 'bn128', ...callNative(() => this.#native.info) }
  }

  /** The key that verifies this key's proofs. */
  get verifyingKey(): VerifyingKey {
    // A disposed key answers with its error, whether or not it was asked before.
    if (this.#verifyingKey === undefined || this.isDisposed) {
      const json = callNative(() => this.#native.verifyingKeyJson)
      this.#verifyingKey = makeVerifyingKey(json, 'verifying key')
    }
    return this.#verifyingKey
  }

  /** True after `dispose()`. */
  get isDisposed(): boolean {
    return this.#native.isDisposed
  }

  /**
   * A ticket that `ProvingKey.fromShared` turns into another handle, in any worker thread of this
   * process. It is text and keeps nothing open.
   *
   * @throws ERR_DISPOSED
   * @example
   * import { ProvingKey } from 'nalloc'
   *
   * using key = await ProvingKey.open('circuit.zkey')
   * using other = ProvingKey.fromShared(key.share())
   * console.log(other.info.sha256 === key.info.sha256) // true
   */
  share(): string {
    return callNative(() => this.#native.share())
  }

  /**
   * What a proof will need, before it is started: for admission control.
   *
   * @throws ERR_DISPOSED
   * @example
   * import { ProvingKey } from 'nalloc'
   *
   * using key = await ProvingKey.open('circuit.zkey')
   * console.log(`${(key.estimate().peakBytes / 2 ** 20).toFixed(0)} MiB`)
   */
  estimate(): ProofEstimate {
    const { proofBytes, ...others } = callNative(() => this.#native.estimate())
    return { ...others, peakBytes: proofBytes }
  }

  /**
   * Proves a witness: what `Circuit.witness` made, or a `.wtns` file, whose bytes may be a
   * `SecretBuf`. Runs on native threads; the event loop stays free. Proofs that are started
   * together wait for each other in the order of the calls.
   *
   * @throws ERR_WITNESS_LENGTH, ERR_PRIME_MISMATCH, ERR_NON_CANONICAL and others that name what is
   * wrong with the witness; ERR_SELF_VERIFY when it does not satisfy the circuit; ERR_LIMIT, whose
   * `details.neededBytes` says how much it needs; ERR_NO_MEMORY, ERR_QUEUE_FULL; ERR_DISPOSED
   * @example
   * import { ProvingKey } from 'nalloc'
   *
   * using key = await ProvingKey.open('circuit.zkey')
   * const signal = AbortSignal.timeout(60_000)
   * const { publicSignals } = await key.prove('witness.wtns', { signal })
   * console.log(publicSignals)
   */
  async prove(witness: Witness | SecretBuf | Source, options?: ProveOptions): Promise<ProofResult> {
    const checkedWitness = checkWitness('witness', witness)
    const checked = checkOptions(options)
    const settings = proofSettings(checked)
    const call = new Call(checked)
    const args: FileArgument[] = [
      { name: 'witness', position: 1, expected: 'a .wtns file', source: fileOf(checkedWitness) },
    ]
    return withKindsNamed(args, () => proveWith(this, checkedWitness, settings, call))
  }

  /**
   * Computes the witness for `input` and proves it. The witness is wiped afterwards.
   *
   * @throws what `Circuit.open`, `Circuit.witness` and `prove` throw
   * @example
   * import { readFileSync } from 'node:fs'
   * import { ProvingKey } from 'nalloc'
   *
   * using key = await ProvingKey.open('circuit.zkey')
   * const input = JSON.parse(readFileSync('input.json', 'utf8'))
   * const { timings } = await key.fullProve(input, 'circuit.wasm')
   * console.log(timings.witness, timings.msm)
   */
  async fullProve(
    input: CircuitInputs,
    circuit: Circuit | Source,
    options?: ProveOptions,
  ): Promise<ProofResult> {
    const checkedCircuit = checkCircuit('circuit', circuit)
    const checked = checkOptions(options)
    const settings = proofSettings(checked)
    const call = new Call(checked)
    const source = fileOf(checkedCircuit)
    const args: FileArgument[] = [
      { name: 'circuit', position: 2, expected: 'a WebAssembly module', source },
    ]
    const opened = await withKindsNamed(args, () => circuitOf(checkedCircuit, call))
    return fullProveWith(this, input, opened, settings, call)
  }

  /** Frees the key, once no proof uses it. May be called again. */
  dispose(): void {
    this.#native.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  async #prove(witness: CheckedWitness, settings: ProofSettings, call: Call): Promise<ProofResult> {
    const { prove } = binding()
    // Known now; the key may be disposed before its proof is refused.
    const { peakBytes: neededBytes } = this.estimate()
    const proving = (): Promise<NativeProofOutput> => {
      if (isOpened(witness)) {
        const options = { ...settings, name: witness.name }
        const start: StartWithFile<NativeProofOutput> = (file, task) =>
          prove(this.#native, file, options, task)
        return runWithFile(witness, call, start, { isSecret: true })
      }
      const options = { ...settings, name: 'witness' }
      return call.run((task) => {
        const native =
          witness instanceof Witness ? nativeWitnessOf(witness) : nativeSecretOf(witness)
        return prove(this.#native, native, options, task)
      })
    }
    const output = await proving().catch((error: unknown) => {
      if (!(error instanceof NallocError) || error.code !== 'ERR_LIMIT') throw error
      throw new NallocError(error.code, error.message, { details: { neededBytes } })
    })
    const timings: Record<string, number> = {}
    for (const { phase, ms } of output.timings) timings[phase] = (timings[phase] ?? 0) + ms
    return {
      proof: JSON.parse(output.proof) as Groth16Proof,
      publicSignals: JSON.parse(output.publicSignals) as string[],
      timings,
      peakBytes: output.peakBytes,
    }
  }
}

/** Proves within a call. @internal */
export async function proveWith(
  key: ProvingKey,
  witness: CheckedWitness,
  settings: ProofSettings,
  call: Call,
): Promise<ProofResult> {
  return observed(
    () => labelOf(key),
    call,
    () => provePart(key, witness, settings, call),
  )
}

/** Computes a witness, proves it and wipes it, within a call. @internal */
export async function fullProveWith(
  key: ProvingKey,
  input: CircuitInputs,
  circuit: Circuit,
  settings: ProofSettings,
  call: Call,
): Promise<ProofResult> {
  return observed(
    () => labelOf(key),
    call,
    () => computeAndProve(key, input, circuit, settings, call),
  )
}

async function computeAndProve(
  key: ProvingKey,
  input: CircuitInputs,
  circuit: Circuit,
  settings: ProofSettings,
  call: Call,
): Promise<ProofResult> {
  const startMs = performance.now()
  const witness = await computeWitness(circuit, input, call)
  const witnessMs = performance.now() - startMs
  try {
    const result = await provePart(key, witness, settings, call)
    const timings = { ...result.timings, witness: witnessMs + (result.timings.witness ?? 0) }
    return { ...result, timings }
  } finally {
    witness.dispose()
  }
}

/** An argument that may be a witness already, or hold one. @internal */
export function checkWitness(name: string, value: Witness | SecretBuf | Source): CheckedWitness {
  return value instanceof Witness || value instanceof SecretBuf ? value : checkSource(name, value)
}

/** The file behind an argument, if it is one. @internal */
export function fileOf(checked: CheckedWitness | Circuit | ProvingKey): Opened | undefined {
  return isOpened(checked) ? checked : undefined
}

function isOpened(checked: CheckedWitness | Circuit | ProvingKey): checked is Opened {
  return 'kind' in checked
}

/** @internal */
export function keySettings(options: Partial<OpenOptions>): KeySettings {
  const memoryLimitBytes = checkSize('memoryLimit', options.memoryLimit)
  const tableBytesMax = checkSize('tableLimit', options.tableLimit, 0)
  return {
    allowInsecure: checkBoolean('allowInsecure', options.allowInsecure, false),
    sha256: checkSha256('sha256', options.sha256),
    label: checkLabel(options.label),
    ...(tableBytesMax === undefined ? {} : { tableBytesMax }),
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
  }
}

function checkLabel(label: unknown): string | undefined {
  return label === undefined ? undefined : checkText('label', label, LABEL_CHARS_MAX)
}

/** @internal */
export function proofSettings(options: Partial<ProveOptions>): ProofSettings {
  const memoryLimitBytes = checkSize('memoryLimit', options.memoryLimit)
  return {
    selfVerify: checkBoolean('selfVerify', options.selfVerify, true),
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    ...blindingSettings(options.unsafeBlinding),
  }
}

function blindingSettings(
  blinding: ProveOptions['unsafeBlinding'],
): Pick<ProofSettings, 'blindingR' | 'blindingS'> {
  if (blinding === undefined) return {}
  if (typeof blinding !== 'object' || blinding === null) {
    throw wrongType('unsafeBlinding', 'an object with r and s', show(blinding))
  }
  return {
    blindingR: checkScalar('unsafeBlinding.r', blinding.r),
    blindingS: checkScalar('unsafeBlinding.s', blinding.s),
  }
}
