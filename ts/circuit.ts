// A circuit's witness calculator.

import { type CalculatorCode, type CalculatorShape, compileCalculator } from './_calculator.ts'
import { calculators } from './_calculatorPool.ts'
import { Call, callNative } from './_call.ts'
import { checkOptions } from './_check.ts'
import { readWhole } from './_file.ts'
import { readSignalsInTurns } from './_signals.ts'
import { type FileArgument, withKindsNamed } from './_sniff.ts'
import { checkSource, type Opened, type Source, unshared } from './_source.ts'
import type { CircuitInputs } from './inputs.ts'
import { binding, type NativeWitness } from './native.ts'
import type { AbortOptions, TaskOptions } from './options.ts'
import { makeWitness, type Witness } from './witness.ts'

const WASM_BYTES_MAX = 2 ** 30

/** Opens a circuit within a call. @internal */
export let openCircuit: (source: Opened, call: Call) => Promise<Circuit>
/** Computes a witness within a call. @internal */
export let computeWitness: (circuit: Circuit, input: CircuitInputs, call: Call) => Promise<Witness>

/**
 * The program that circom 2 compiled to compute a circuit's witness: its `.wasm`.
 *
 * @example
 * import { readFileSync } from 'node:fs'
 * import { Circuit } from 'nalloc'
 *
 * const circuit = await Circuit.open('circuit.wasm')
 * using witness = await circuit.witness(JSON.parse(readFileSync('input.json', 'utf8')))
 * console.log(witness.length)
 */
export class Circuit {
  readonly #code: CalculatorCode
  readonly #shape: CalculatorShape

  static {
    openCircuit = async (source, call) => {
      const { name } = source
      const bytes =
        source.kind === 'path'
          ? await readWhole(source.path, WASM_BYTES_MAX)
          : unshared(source.bytes)
      call.throwIfAborted()
      const calculator = await compileCalculator(name, bytes)
      return new Circuit(calculator, calculator.shape())
    }
    computeWitness = async (circuit, input, call) => {
      call.throwIfAborted()
      call.report('witness', 0)
      const witness = await circuit.#compute(input, call)
      try {
        call.report('witness', 1)
      } catch (error) {
        witness.dispose()
        throw error
      }
      return witness
    }
  }

  private constructor(code: CalculatorCode, shape: CalculatorShape) {
    this.#code = code
    this.#shape = shape
  }

  /**
   * Compiles a circuit's `.wasm`, once for many witnesses.
   *
   * @throws ERR_IO, ERR_BAD_MAGIC; ERR_UNSUPPORTED_VERSION for what circom 1 made;
   * ERR_PRIME_MISMATCH for a circuit over another curve than BN254
   * @example
   * import { Circuit } from 'nalloc'
   *
   * const circuit = await Circuit.open(new URL('circuit.wasm', `file://${process.cwd()}/`))
   */
  static async open(wasm: Source, options?: AbortOptions): Promise<Circuit> {
    const source = checkSource('wasm', wasm)
    const { signal } = checkOptions(options)
    const call = new Call({ signal })
    const args: FileArgument[] = [
      { name: 'wasm', position: 1, expected: 'a WebAssembly module', source },
    ]
    return withKindsNamed(args, () => openCircuit(source, call))
  }

  /**
   * Computes the witness for `input` and keeps it in secret native memory.
   *
   * Runs in a thread of its own; as many witnesses that are asked for at one time are computed at one
   * time as `configure({ threads })` says. The event loop stays free, and an abort is answered at once. The calculator's memory is overwritten afterwards, what the circuit
   * logs is dropped; `input` is the caller's, and must not change before the promise has settled.
   *
   * @throws ERR_INPUT for a signal that is unknown, missing or of the wrong size; ERR_WITNESS when
   * the input violates the circuit, with the template and line; ERR_NO_MEMORY, ERR_QUEUE_FULL
   * @example
   * import { Circuit, NallocError } from 'nalloc'
   *
   * const circuit = await Circuit.open('circuit.wasm')
   * try {
   *   await circuit.witness({ nosuch: 1 })
   * } catch (error) {
   *   console.log(error instanceof NallocError && error.code) // ERR_INPUT
   * }
   */
  async witness(input: CircuitInputs, options?: TaskOptions): Promise<Witness> {
    return computeWitness(this, input, new Call(checkOptions(options)))
  }

  async #compute(input: CircuitInputs, call: Call): Promise<Witness> {
    const signals = await readSignalsInTurns(input, this.#shape, () => call.throwIfAborted())
    const { WitnessHandle } = binding()
    const { witnessLength } = this.#shape
    const make = (): NativeWitness => callNative(() => new WitnessHandle(witnessLength))
    try {
      call.throwIfAborted()
      const { done, abandon } = calculators.fill(this.#code, signals, make)
      return makeWitness(await call.orAbort(done, abandon))
    } finally {
      // Also under a computation that was abandoned, whose result nobody gets.
      signals.words.fill(0)
    }
  }
}

/** An argument that may be a circuit already. @internal */
export function checkCircuit(name: string, value: Circuit | Source): Circuit | Opened {
  return value instanceof Circuit ? value : checkSource(name, value)
}

/** Opens what `checkCircuit` found, unless it is open. @internal */
export async function circuitOf(checked: Circuit | Opened, call: Call): Promise<Circuit> {
  return checked instanceof Circuit ? checked : openCircuit(checked, call)
}
