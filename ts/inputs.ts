// What a circuit is given, as input.json holds it.

/**
 * A value for a signal: an integer, or arrays of them in row-major order. Text is decimal or starts
 * with 0x. Values are taken modulo r; negative ones count down from r.
 */
export type SignalValue = bigint | number | string | readonly SignalValue[]

/** The inputs of a circuit by name, as in input.json. */
export interface CircuitInputs {
  readonly [signal: string]: SignalValue
}
