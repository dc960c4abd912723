// What the header of an .r1cs says, and what a setup would make of the circuit.

import type { Container } from './container.ts'
import { type CurveName, curveOf, readField } from './curve.ts'
import { type Predicted, predict } from './predicted.ts'

/** What a compiled circuit says of itself. */
export interface R1csFacts {
  readonly curve: CurveName
  /** The scalar field's prime r, in decimal digits. */
  readonly prime: string
  /** Wires, the constant one included. */
  readonly nVars: number
  /** Outputs and public inputs. */
  readonly nPublic: number
  readonly nOutputs: number
  readonly nPublicInputs: number
  readonly nPrivateInputs: number
  readonly nLabels: number
  readonly nConstraints: number
  /** Whether it has custom gates, which Groth16 cannot prove. */
  readonly hasCustomGates: boolean
  /** Of the key that a Groth16 setup would make. */
  readonly predictedDomainSize: number
  /** What that key takes; null for what nalloc does not prove, and where the addon does not load. */
  readonly predicted: Predicted | null
}

const CUSTOM_GATES = [4, 5]
/** The lengths of three empty combinations. */
const CONSTRAINT_BYTES_MIN = 12
/** The length of a list, before its entries. */
const LENGTH_BYTES = 4

/** Reads and checks the header of an .r1cs. */
export async function readR1cs(container: Container): Promise<R1csFacts> {
  container.checkUnique([1, 2, 3, ...CUSTOM_GATES])
  const [head, constraints] = [container.section(1), container.section(2)]
  const fields = await container.readFirst(head)
  const field = readField(fields, 'ERR_UNSUPPORTED_CURVE')
  container.checkBytes(head, fields.at + 4 * 4 + 8 + 4)
  const countsAt = fields.at
  const nVars = fields.u32()
  const [nOutputs, nPublicInputs, nPrivateInputs] = [fields.u32(), fields.u32(), fields.u32()]
  const nLabels = Number(fields.u64())
  const nConstraints = fields.u32()
  const nPublic = nOutputs + nPublicInputs
  if (nVars <= nPublic) {
    const expected = `more wires than the ${nPublic} public ones`
    throw fields.refusal('ERR_BAD_HEADER', countsAt, expected, nVars)
  }
  if (constraints.bytes < CONSTRAINT_BYTES_MIN * nConstraints) {
    const expected = `at least ${CONSTRAINT_BYTES_MIN} bytes for each of ${nConstraints} constraints`
    const got = constraints.bytes
    throw container.refusal('ERR_SECTION_LENGTH', constraints, 0, expected, got)
  }
  const curve = curveOf({ r: field.prime })
  const domainSize = domainSizeOf(nConstraints + nPublic)
  return {
    curve,
    prime: field.prime.toString(),
    nVars,
    nPublic,
    nOutputs,
    nPublicInputs,
    nPrivateInputs,
    nLabels,
    nConstraints,
    hasCustomGates: CUSTOM_GATES.some((id) => isFilled(container, id)),
    predictedDomainSize: domainSize,
    predicted: predict(curve, { nVars, nPublic, domainSize }),
  }
}

/** The smallest power of two, from 2 on, that is larger than `rows`. */
function domainSizeOf(rows: number): number {
  let size = 2
  while (size <= rows) size *= 2
  return size
}

/** Whether the list in a section can have entries. */
function isFilled(container: Container, id: number): boolean {
  return (container.sectionIfAny(id)?.bytes ?? 0) > LENGTH_BYTES
}
