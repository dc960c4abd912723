// Tells the JSON files of a proof apart. Their numbers are not repeated.

import type { RegularFile } from './regularFile.ts'

/** What a JSON file is, as far as its shape says. */
export type JsonKind = 'proof' | 'public' | 'verificationKey'

/** What such a file says of itself. */
export interface JsonFacts {
  readonly kind: JsonKind
  readonly protocol: string | null
  readonly curve: string | null
  /** Public signals; null for a proof, which does not say. */
  readonly nPublic: number | null
}

/** A verification key for 50,000 public signals; public signals by the hundred thousand. */
const JSON_BYTES_MAX = 2 ** 24
/** Names of protocols and curves are short; what is longer is none and is not repeated. */
const NAME = /^[a-z0-9_-]{1,32}$/i

/** What a file of JSON is; undefined when it is none, or of another shape. */
export async function readJsonFacts(file: RegularFile): Promise<JsonFacts | undefined> {
  if (file.bytes > JSON_BYTES_MAX) return undefined
  const bytes = Buffer.allocUnsafeSlow(file.bytes)
  await file.read(0, bytes)
  try {
    return factsOf(JSON.parse(bytes.toString('utf8')))
  } catch {
    return undefined
  } finally {
    bytes.fill(0)
  }
}

function factsOf(value: unknown): JsonFacts | undefined {
  if (Array.isArray(value)) {
    const isPublic = value.every((signal) => typeof signal === 'string' && /^\d+$/.test(signal))
    if (!isPublic) return undefined
    return { kind: 'public', protocol: null, curve: null, nPublic: value.length }
  }
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Readonly<Record<string, unknown>>
  const [protocol, curve] = [nameOf(fields['protocol']), nameOf(fields['curve'])]
  if (Array.isArray(fields['IC']) || 'X_2' in fields) {
    const { nPublic } = fields
    const count = typeof nPublic === 'number' ? nPublic : null
    return { kind: 'verificationKey', protocol, curve, nPublic: count }
  }
  const isProof =
    protocol !== null && ('pi_a' in fields || 'A' in fields || 'polynomials' in fields)
  return isProof ? { kind: 'proof', protocol, curve, nPublic: null } : undefined
}

function nameOf(value: unknown): string | null {
  return typeof value === 'string' && NAME.test(value) ? value : null
}
