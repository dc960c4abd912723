// Proofs and public signals as snarkjs writes them, and what may pass for one.

/** A proof in the form of proof.json: numbers are decimal text. */
export interface Groth16Proof {
  /** x, y and "1"; infinity is "0", "1", "0". */
  readonly pi_a: readonly string[]
  /** x and y as [c0, c1], and ["1", "0"]. */
  readonly pi_b: readonly (readonly string[])[]
  readonly pi_c: readonly string[]
  readonly protocol: string
  readonly curve: string
}

/** The outputs and public inputs, in the order of public.json, as decimal text. */
export type PublicSignals = readonly string[]

const NUMBER_CHARS_MAX = 78
const DIGITS = new RegExp(`^[0-9]{1,${NUMBER_CHARS_MAX}}$`)
const PARTS: readonly (readonly [key: string, rows: number, columns: number])[] = [
  ['pi_a', 1, 3],
  ['pi_b', 3, 2],
  ['pi_c', 1, 3],
]

/**
 * The text of proof.json for any value: what does not belong is left out, and what has another
 * shape is null, which Rust refuses by its name. Reads each property once: what is verified is
 * exactly what was looked at. @internal
 */
export function textOfProof(value: unknown): string {
  if (!isRecord(value)) return 'null'
  const text: Record<string, unknown> = {}
  for (const [key, rows, columns] of PARTS) {
    text[key] = rows === 1 ? row(value[key], columns) : matrix(value[key], rows, columns)
  }
  for (const key of ['protocol', 'curve']) {
    const name = value[key]
    // A proof without a curve is accepted; one with another curve is not, and Rust says so.
    if (name === undefined && key === 'curve') continue
    text[key] = typeof name === 'string' && name.length <= NUMBER_CHARS_MAX ? name : null
  }
  return JSON.stringify(text)
}

/**
 * The text of public.json for an array of exactly `count`, else undefined. What is no short text of
 * digits is null in it, which Rust refuses by its position. @internal
 */
export function textOfPublicSignals(value: unknown, count: number): string | undefined {
  if (!Array.isArray(value) || value.length !== count) return undefined
  return JSON.stringify(Array.from({ length: count }, (_, i) => digits(value[i])))
}

function matrix(value: unknown, rows: number, columns: number): unknown {
  if (!Array.isArray(value) || value.length !== rows) return null
  return Array.from({ length: rows }, (_, i) => row(value[i], columns))
}

function row(value: unknown, columns: number): unknown {
  if (!Array.isArray(value) || value.length !== columns) return null
  return Array.from({ length: columns }, (_, i) => digits(value[i]))
}

function digits(value: unknown): string | null {
  return typeof value === 'string' && DIGITS.test(value) ? value : null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
