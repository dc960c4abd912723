// Proofs, public signals and verification keys in the forms that users of snarkjs hold.
//
// Numbers may be decimal text, bigints or safe integers; each number has one form of each kind.
// Points may come without their third coordinate, as tools that unpack Solidity calls leave them.
// Everything is read once and copied, so that what is checked is what is used.

import { showType } from './_check.ts'
import { PRIME } from './_field.ts'
import { wrongType, wrongValue } from './errors.ts'
import type { FieldLike } from './options.ts'
import type { Groth16Proof } from './proof.ts'

/** The prime of the coordinates, q. */
const COORDINATE_PRIME =
  21888242871839275222246405745257275088696311157297823662689037894645226208583n
const HEX_DIGITS = 64
/** More than any contract could be given. */
const SIGNALS_MAX = 2 ** 20
/** snarkjs knows the curve by each of these names, in any case. */
const CURVE_NAMES = ['bn128', 'bn254', 'altbn128']

/** A proof as users hold it. */
export interface ProofLike {
  readonly pi_a: readonly FieldLike[]
  readonly pi_b: readonly (readonly FieldLike[])[]
  readonly pi_c: readonly FieldLike[]
  readonly protocol?: string | undefined
  readonly curve?: string | undefined
}

/** A proof as the verifier takes it. Throws ERR_INVALID_ARG, naming what is wrong. @internal */
export function proofOf(value: unknown): Groth16Proof {
  if (typeof value !== 'object' || value === null) {
    throw wrongType('proof', 'an object with pi_a, pi_b and pi_c', showType(value))
  }
  const { pi_a, pi_b, pi_c, protocol, curve } = value as Readonly<Record<string, unknown>>
  if (protocol !== undefined && protocol !== 'groth16') {
    throw wrongValue('proof.protocol', '"groth16"', 'another one')
  }
  if (curve !== undefined && !isCurveName(curve)) {
    throw wrongValue('proof.curve', '"bn128"', 'another one')
  }
  const rows = list('proof.pi_b', pi_b, 2, 3)
  return {
    pi_a: point('proof.pi_a', pi_a),
    pi_b: [...rows, ['1', '0']].slice(0, 3).map((row, i) => pair(`proof.pi_b[${i}]`, row)),
    pi_c: point('proof.pi_c', pi_c),
    protocol: 'groth16',
    curve: 'bn128',
  }
}

/** Public signals, `count` of them if it is given. Throws ERR_INVALID_ARG. @internal */
export function publicSignalsOf(value: unknown, count?: number): string[] {
  const signals = list('publicSignals', value, count ?? 0, count ?? SIGNALS_MAX)
  return signals.map((signal, i) => number(`publicSignals[${i}]`, signal, PRIME, 'r'))
}

/** A verification key as JSON text, its numbers and its curve's name as nalloc has them. @internal */
export function textOfKey(key: object): string {
  return JSON.stringify(key, function replace(this: unknown, name: string, value: unknown) {
    if (name === 'curve' && isCurveName(value)) return 'bn128'
    const isNumber =
      typeof value === 'bigint' || (Array.isArray(this) && Number.isSafeInteger(value))
    return isNumber ? String(value) : value
  })
}

/** The arguments of a Solidity verifier's `verifyProof`, as text. Throws ERR_INVALID_ARG. @internal */
export function solidityCallData(proof: unknown, publicSignals: unknown): string {
  const { pi_a, pi_b, pi_c } = proofOf(proof)
  for (const [name, end] of Object.entries({ pi_a: pi_a[2], pi_b: pi_b[2]?.[0], pi_c: pi_c[2] })) {
    if (end === '1') continue
    throw wrongValue(`proof.${name}`, 'a point as [x, y, "1"]', 'one that Solidity cannot be given')
  }
  // The EVM's precompiles take the coefficients of Fq2 the other way round.
  const [x = [], y = []] = pi_b.map((row) => words([...row].reverse()).join(', '))
  const g1 = (coordinates: readonly string[]) => `[${words(coordinates.slice(0, 2)).join(', ')}]`
  const signals = words(publicSignalsOf(publicSignals)).join(',')
  return `${g1(pi_a)},[[${x}],[${y}]],${g1(pi_c)},[${signals}]`
}

function words(numbers: readonly string[]): string[] {
  return numbers.map((digits) => `"0x${BigInt(digits).toString(16).padStart(HEX_DIGITS, '0')}"`)
}

function isCurveName(value: unknown): boolean {
  return typeof value === 'string' && CURVE_NAMES.includes(value.toLowerCase())
}

function point(name: string, value: unknown): string[] {
  const [x, y, z = '1'] = list(name, value, 2, 3)
  return [x, y, z].map((item, i) => number(`${name}[${i}]`, item, COORDINATE_PRIME, 'q'))
}

function pair(name: string, value: unknown): string[] {
  const items = list(name, value, 2, 2)
  return items.map((item, i) => number(`${name}[${i}]`, item, COORDINATE_PRIME, 'q'))
}

function list(name: string, value: unknown, lengthMin: number, lengthMax: number): unknown[] {
  const lengths = lengthMin === lengthMax ? `${lengthMin}` : `${lengthMin} to ${lengthMax}`
  const expected = `an array of ${lengths} items`
  if (!Array.isArray(value)) throw wrongType(name, expected, showType(value))
  const { length } = value
  if (length < lengthMin || length > lengthMax) {
    throw wrongValue(name, expected, `one of ${length}`)
  }
  return Array.from({ length }, (_, i): unknown => value[i])
}

function number(name: string, value: unknown, prime: bigint, primeName: string): string {
  const expected = `a number in [0, ${primeName}): decimal text, a bigint or a safe integer`
  if (typeof value !== 'string' && typeof value !== 'bigint' && typeof value !== 'number') {
    throw wrongType(name, expected, showType(value))
  }
  const text = String(value)
  const isExact = typeof value !== 'number' || Number.isSafeInteger(value)
  if (!isExact || !/^(0|[1-9][0-9]{0,77})$/.test(text)) {
    throw wrongValue(name, expected, `${showType(value)} of another form`)
  }
  if (BigInt(text) >= prime) throw wrongValue(name, expected, 'a larger one')
  return text
}
