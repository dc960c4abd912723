// What the header of a .zkey says, for Groth16, PLONK and FFLONK.
//
// A Groth16 key is checked as the addon's reader does (crates/nalloc-groth16/src/zkey.rs) up to the
// lengths of all its sections, in the same order and with the same codes, but for any curve. What
// is not looked at are coefficient values and points, save that gamma and delta are compared.

import { type Container, type Fields, type Section, UNSAFE_DEV } from './container.ts'
import { type CurveName, curveOf, readField } from './curve.ts'
import { DOMAIN_SIZE_MAX, type Predicted, predict } from './predicted.ts'

/** What a Groth16 key says. */
export interface Groth16Facts {
  readonly protocol: 'groth16'
  readonly curve: CurveName
  /** The scalar field's prime r, in decimal digits. */
  readonly prime: string
  readonly nVars: number
  readonly nPublic: number
  readonly domainSize: number
  /** Entries of the matrices A and B. */
  readonly nCoefficients: number
  /** Contributions to phase 2 that section 10 lists; null without such a section. */
  readonly contributions: number | null
  /** gamma equals delta: nobody contributed to phase 2, so everybody can forge proofs. */
  readonly isInsecure: boolean
  /** The key was made by `nalloc setup --unsafe-dev`: everybody can forge proofs too. */
  readonly unsafeDev: boolean
  /** Null for a curve that nalloc does not prove over, and where the addon does not load. */
  readonly predicted: Predicted | null
}

/** What a PLONK or FFLONK key says. */
export interface PlonkFacts {
  readonly protocol: 'plonk' | 'fflonk'
  readonly curve: CurveName
  /** The scalar field's prime r, in decimal digits. */
  readonly prime: string
  readonly nVars: number
  readonly nPublic: number
  readonly domainSize: number
  readonly nAdditions: number
  readonly nConstraints: number
}

/** Where the coefficients of a Groth16 key stand, for one pass over them. */
export interface CoefficientTable {
  readonly section: Section
  /** Of the first record, from the start of the file. */
  readonly offset: number
  readonly count: number
  readonly recordBytes: number
  readonly domainSize: number
  readonly nVars: number
  readonly nPublic: number
}

/** A Groth16 key and where its coefficients are, or another key. */
export type Zkey =
  | { readonly facts: Groth16Facts; readonly coefficients: CoefficientTable }
  | { readonly facts: PlonkFacts; readonly coefficients: undefined }

interface Primes {
  readonly n8q: number
  readonly n8r: number
  readonly curve: CurveName
  readonly prime: string
}

interface Sizes {
  readonly nVars: number
  readonly nPublic: number
  readonly domainSize: number
}

const PROTOCOLS: Readonly<Record<number, Groth16Facts['protocol'] | PlonkFacts['protocol']>> = {
  1: 'groth16',
  2: 'plonk',
  10: 'fflonk',
}
const [IC, COEFFICIENTS, A, B1, B2, L, H] = [3, 4, 5, 6, 7, 8, 9] as const
const CONTRIBUTIONS = 10
const COUNT_BYTES = 4
/** Matrix, row and signal of a coefficient, before its value. */
const INDEX_BYTES = 12
/** Bytes of the circuit's digest, before the number of contributions. */
const CIRCUIT_HASH_BYTES = 64

/** Reads and checks the header of a .zkey. */
export async function readZkey(container: Container): Promise<Zkey> {
  const section = container.section(1)
  container.checkBytes(section, 4)
  const number = (await container.readFirst(section)).u32()
  const protocol = PROTOCOLS[number]
  if (protocol === undefined) {
    const expected = 'protocol 1 (Groth16), 2 (PLONK) or 10 (FFLONK)'
    throw container.refusal('ERR_UNSUPPORTED_PROTOCOL', section, 0, expected, number)
  }
  return protocol === 'groth16' ? readGroth16(container) : readPlonk(container, protocol)
}

async function readGroth16(container: Container): Promise<Zkey> {
  container.checkUnique([1, 2, IC, COEFFICIENTS, A, B1, B2, L, H])
  const head = container.section(2)
  for (const id of [IC, COEFFICIENTS, A, B1, B2, L, H]) container.section(id)
  const fields = await container.readFirst(head)
  const primes = readPrimes(fields)
  const g1Bytes = 2 * primes.n8q
  const g2Bytes = 2 * g1Bytes
  container.checkBytes(head, fields.at + 3 * 4 + 3 * g1Bytes + 3 * g2Bytes)
  const sizes = readSizes(fields, primes)
  fields.bytes(2 * g1Bytes + g2Bytes) // alpha1, beta1, beta2
  const gamma2 = fields.bytes(g2Bytes)
  fields.bytes(g1Bytes) // delta1
  const delta2 = fields.bytes(g2Bytes)
  const { nVars, nPublic, domainSize } = sizes
  const expected: readonly (readonly [id: number, bytes: number])[] = [
    [IC, g1Bytes * (nPublic + 1)],
    [A, g1Bytes * nVars],
    [B1, g1Bytes * nVars],
    [B2, g2Bytes * nVars],
    [L, g1Bytes * (nVars - nPublic - 1)],
    [H, g1Bytes * domainSize],
  ]
  for (const [id, bytes] of expected) container.checkBytes(container.section(id), bytes)
  const coefficients = await readTable(container, sizes, INDEX_BYTES + primes.n8r)
  const facts: Groth16Facts = {
    protocol: 'groth16',
    curve: primes.curve,
    prime: primes.prime,
    ...sizes,
    nCoefficients: coefficients.count,
    contributions: await readContributions(container),
    isInsecure: gamma2.equals(delta2),
    unsafeDev: container.hasSection(UNSAFE_DEV),
    predicted: predict(primes.curve, { ...sizes, nCoefficients: coefficients.count }),
  }
  return { facts, coefficients }
}

async function readPlonk(container: Container, protocol: PlonkFacts['protocol']): Promise<Zkey> {
  const head = container.section(2)
  const fields = await container.readFirst(head)
  const { n8q, n8r, curve, prime } = readPrimes(fields)
  // After the five counts: k1 and k2, for FFLONK w3, w4, w8 and wr; then eight selectors' points
  // for PLONK and one for FFLONK; X2.
  const [scalars, points] = protocol === 'plonk' ? [2, 8] : [6, 1]
  container.checkBytes(head, fields.at + 5 * 4 + scalars * n8r + points * 2 * n8q + 4 * n8q)
  const [nVars, nPublic] = [fields.u32(), fields.u32()]
  const domainSize = readDomainSize(fields, curve)
  const [nAdditions, nConstraints] = [fields.u32(), fields.u32()]
  const sizes = { nVars, nPublic, domainSize, nAdditions, nConstraints }
  return { facts: { protocol, curve, prime, ...sizes }, coefficients: undefined }
}

function readPrimes(fields: Fields): Primes {
  const q = readField(fields, 'ERR_UNSUPPORTED_CURVE')
  const r = readField(fields, 'ERR_UNSUPPORTED_CURVE')
  const curve = curveOf({ q: q.prime, r: r.prime })
  return { n8q: q.bytes, n8r: r.bytes, curve, prime: r.prime.toString() }
}

function readSizes(fields: Fields, { curve }: Primes): Sizes {
  const at = fields.at
  const [nVars, nPublic] = [fields.u32(), fields.u32()]
  if (nVars <= nPublic) {
    const expected = `more wires than the ${nPublic} public ones`
    throw fields.refusal('ERR_BAD_HEADER', at, expected, nVars)
  }
  const domainAt = fields.at
  const domainSize = readDomainSize(fields, curve)
  if (domainSize <= nPublic) {
    const expected = `a domain larger than the ${nPublic} public wires`
    throw fields.refusal('ERR_BAD_HEADER', domainAt, expected, domainSize)
  }
  return { nVars, nPublic, domainSize }
}

function readDomainSize(fields: Fields, curve: CurveName): number {
  const at = fields.at
  const domainSize = fields.u32()
  const max = curve === 'bn128' ? DOMAIN_SIZE_MAX : 2 ** 31
  if (domainSize < 2 || domainSize > max || !isPowerOfTwo(domainSize)) {
    const expected = `a domain size that is a power of two from 2 to 2^${Math.log2(max)}`
    throw fields.refusal('ERR_BAD_HEADER', at, expected, domainSize)
  }
  return domainSize
}

async function readTable(
  container: Container,
  sizes: Sizes,
  recordBytes: number,
): Promise<CoefficientTable> {
  const section = container.section(COEFFICIENTS)
  const count = (await container.readFirst(section)).u32()
  container.checkBytes(section, COUNT_BYTES + recordBytes * count)
  return { section, offset: section.offset + COUNT_BYTES, count, recordBytes, ...sizes }
}

async function readContributions(container: Container): Promise<number | null> {
  const section = container.sectionIfAny(CONTRIBUTIONS)
  // A prover ignores the section, so it may also be empty.
  if (!section || section.bytes < CIRCUIT_HASH_BYTES + COUNT_BYTES) return null
  const fields = await container.readFirst(section)
  fields.bytes(CIRCUIT_HASH_BYTES)
  return fields.u32()
}

function isPowerOfTwo(number: number): boolean {
  return Number.isInteger(Math.log2(number))
}
