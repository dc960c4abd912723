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
const PARTS: readonly (readonly [key: string, rows: number, columns: number])[] = [
  ['pi_a', 1, 3],
  ['pi_b', 3, 2],
  ['pi_c', 1, 3],
]

/**
 * The text of proof.json for a value of the right shape, else undefined. Reads each property once
 * and leaves out what does not belong: what is verified is exactly what was looked at. @internal
 */
export function textOfProof(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined
  const text: Record<string, unknown> = {}
  for (const [key, rows, columns] of PARTS) {
    const part = rows === 1 ? row(value[key], columns) : matrix(value[key], rows, columns)
    if (part === undefined) return undefined
    text[key] = part
  }
  for (const key of ['protocol', 'curve']) {
    const name = value[key]
    // A proof without a curve is accepted; one with another curve is not, and Rust says so.
    if (name === undefined && key === 'curve') continue
    if (typeof name !== 'string' || name.length > NUMBER_CHARS_MAX) return undefined
    text[key] = name
  }
  return JSON.stringify(text)
}

/** The text of public.json for exactly `count` short strings, else undefined. @internal */
export function textOfPublicSignals(value: unknown, count: number): string | undefined {
  const signals = row(value, count)
  return signals && JSON.stringify(signals)
}

function matrix(value: unknown, rows: number, columns: number): string[][] | undefined {
  if (!Array.isArray(value) || value.length !== rows) return undefined
  const copy: string[][] = []
  for (let i = 0; i < rows; i += 1) {
    const part = row(value[i], columns)
    if (part === undefined) return undefined
    copy.push(part)
  }
  return copy
}

function row(value: unknown, columns: number): string[] | undefined {
  if (!Array.isArray(value) || value.length !== columns) return undefined
  const copy: string[] = []
  for (let i = 0; i < columns; i += 1) {
    const item: unknown = value[i]
    if (typeof item !== 'string' || item.length > NUMBER_CHARS_MAX) return undefined
    copy.push(item)
  }
  return copy
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
