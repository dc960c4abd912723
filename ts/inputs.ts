// What a circuit is given, as input.json holds it.

/**
 * A value for a signal: an integer, or arrays of them in row-major order. Text is decimal or starts
 * with 0x; bytes are little-endian, 32 for each value. Values are taken modulo r; negative ones
 * count down from r. Only bytes can be overwritten by the caller: texts and bigints stay in V8's
 * memory until they are collected, and longer.
 */
export type SignalValue = bigint | number | string | Uint8Array | readonly SignalValue[]

/** The inputs of a circuit by name, as in input.json. */
export interface CircuitInputs {
  readonly [signal: string]: SignalValue
}
