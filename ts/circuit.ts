// A circuit's witness calculator.

import { calculate, compileCalculator, type WitnessSink } from './_calculator.ts'
import { Call, callNative } from './_call.ts'
import { checkOptions } from './_check.ts'
import { readWhole } from './_file.ts'
import { type FileArgument, withKindsNamed } from './_sniff.ts'
import { checkSource, type Opened, type Source, unshared } from './_source.ts'
import type { WasmModule } from './_webAssembly.ts'
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
  readonly #module: WasmModule

  static {
    openCircuit = async (source, call) => {
      const { name } = source
      const bytes =
        source.kind === 'path'
          ? await readWhole(source.path, WASM_BYTES_MAX)
          : unshared(source.bytes)
      call.throwIfAborted()
      return new Circuit(await compileCalculator(name, bytes))
    }
    computeWitness = async (circuit, input, call) => {
      call.throwIfAborted()
      call.report('witness', 0)
      const sink = await calculate(circuit.#module, input, (length) => new NativeSink(length))
      call.report('witness', 1)
      return makeWitness(sink.native)
    }
  }

  private constructor(module: WasmModule) {
    this.#module = module
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
   * Runs on the calling thread, which does nothing else meanwhile, and looks at `signal` only
   * before it begins. The calculator's memory is overwritten afterwards, what the circuit logs is
   * dropped; `input` is the caller's.
   *
   * @throws ERR_INPUT for a signal that is unknown, missing or of the wrong size; ERR_WITNESS when
   * the input violates the circuit, with the template and line; ERR_NO_MEMORY
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
}

/** Secret native memory, whose errors are ours. */
class NativeSink implements WitnessSink {
  readonly native: NativeWitness

  constructor(length: number) {
    const { WitnessHandle } = binding()
    this.native = callNative(() => new WitnessHandle(length))
  }

  write(index: number, bytes: Uint8Array): void {
    callNative(() => this.native.write(index, bytes))
  }

  dispose(): void {
    this.native.dispose()
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
