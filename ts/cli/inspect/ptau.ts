// What the header of a .ptau says: the first phase of a setup, for circuits up to some size.

import type { Container } from './container.ts'
import { type CurveName, curveOf, readField } from './curve.ts'

/** What the powers of tau say of themselves. */
export interface PtauFacts {
  readonly curve: CurveName
  /** The prime q of the points' coordinates, in decimal digits. */
  readonly prime: string
  readonly power: number
  /** The power of the ceremony that this file may have been cut out of. */
  readonly ceremonyPower: number
  /** Rows of the largest circuit: its constraints, its public signals, and one more. */
  readonly domainSizeMax: number
  /** Whether it was prepared for phase 2, which a setup needs. */
  readonly isPrepared: boolean
  readonly contributions: number
}

const [TAU_G1, TAU_G2, ALPHA_TAU_G1, BETA_TAU_G1, BETA_G2] = [2, 3, 4, 5, 6] as const
const CONTRIBUTIONS = 7
/** The Lagrange forms of sections 2 to 5. */
const PREPARED = [12, 13, 14, 15]
/** Beyond 2^28, where the roots of unity of BN254 end, and BLS12-381's 2^32 there is no ceremony. */
const POWER_MAX = 32

/** Reads and checks the header of a .ptau. */
export async function readPtau(container: Container): Promise<PtauFacts> {
  const powers = [TAU_G1, TAU_G2, ALPHA_TAU_G1, BETA_TAU_G1, BETA_G2]
  container.checkUnique([1, ...powers, CONTRIBUTIONS, ...PREPARED])
  const head = container.section(1)
  for (const id of [...powers, CONTRIBUTIONS]) container.section(id)
  const fields = await container.readFirst(head)
  const field = readField(fields, 'ERR_UNSUPPORTED_CURVE')
  container.checkBytes(head, fields.at + 4 + 4)
  const powerAt = fields.at
  const [power, ceremonyPower] = [fields.u32(), fields.u32()]
  if (power < 1 || power > POWER_MAX) {
    throw fields.refusal('ERR_BAD_HEADER', powerAt, `a power from 1 to ${POWER_MAX}`, power)
  }
  const size = 2 ** power
  const g1Bytes = 2 * field.bytes
  const g2Bytes = 2 * g1Bytes
  const expected: readonly (readonly [id: number, bytes: number])[] = [
    [TAU_G1, g1Bytes * (2 * size - 1)],
    [TAU_G2, g2Bytes * size],
    [ALPHA_TAU_G1, g1Bytes * size],
    [BETA_TAU_G1, g1Bytes * size],
    [BETA_G2, g2Bytes],
  ]
  for (const [id, bytes] of expected) container.checkBytes(container.section(id), bytes)
  const contributions = await container.readFirst(container.section(CONTRIBUTIONS))
  return {
    curve: curveOf({ q: field.prime }),
    prime: field.prime.toString(),
    power,
    ceremonyPower,
    domainSizeMax: size,
    isPrepared: PREPARED.every((id) => container.sectionIfAny(id) !== undefined),
    contributions: contributions.u32(),
  }
}
