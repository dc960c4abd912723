// A witness that JavaScript holds and cannot read.

import { inspect } from 'node:util'
import { callNative } from './_call.ts'
import type { NativeWitness } from './native.ts'

/** The native witness of a `Witness`. @internal */
export let nativeWitnessOf: (witness: Witness) => NativeWitness
/** Wraps a native witness. @internal */
export let makeWitness: (native: NativeWitness) => Witness

/**
 * The values of every signal of a circuit, in secret native memory: they never enter JavaScript's
 * heap, and are wiped by `dispose()`, by `using`, or late by the garbage collector. Made by
 * `Circuit.witness`, used by `ProvingKey.prove`, for one proof or for several.
 *
 * @example
 * import { readFileSync } from 'node:fs'
 * import { Circuit } from 'nalloc'
 *
 * const circuit = await Circuit.open('circuit.wasm')
 * const witness = await circuit.witness(JSON.parse(readFileSync('input.json', 'utf8')))
 * console.log(`${witness}`) // Witness(1761 signals)
 * witness.dispose()
 */
export class Witness {
  readonly #native: NativeWitness
  /** How many signals it has, the constant one included. */
  readonly length: number

  static {
    nativeWitnessOf = (witness) => witness.#native
    makeWitness = (native) => new Witness(native)
  }

  private constructor(native: NativeWitness) {
    this.#native = native
    this.length = callNative(() => native.length)
  }

  /** True after `dispose()`. */
  get isDisposed(): boolean {
    return this.#native.isDisposed
  }

  /** Wipes the values and frees their memory, once no proof reads them. May be called again. */
  dispose(): void {
    this.#native.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Says what it is and shows no value. */
  toString(): string {
    return `Witness(${this.isDisposed ? 'disposed' : `${this.length} signals`})`
  }

  /** As `toString`: a witness is never written to JSON. */
  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }
}
