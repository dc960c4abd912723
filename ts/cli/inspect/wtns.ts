// What the header of a .wtns says. No value is looked at.

import type { Container } from './container.ts'
import { type CurveName, curveOf, readField } from './curve.ts'

/** What a witness says of itself. */
export interface WtnsFacts {
  readonly curve: CurveName
  /** The scalar field's prime r, in decimal digits. */
  readonly prime: string
  /** How many values there are, the constant one included. */
  readonly nVars: number
  /** What the values take in secret memory. */
  readonly secretBytes: number
}

const COUNT_BYTES = 4

/** Reads and checks the header of a .wtns. */
export async function readWtns(container: Container): Promise<WtnsFacts> {
  container.checkUnique([1, 2])
  const [head, values] = [container.section(1), container.section(2)]
  const fields = await container.readFirst(head)
  const field = readField(fields, 'ERR_PRIME_MISMATCH')
  container.checkBytes(head, fields.at + COUNT_BYTES)
  const nVars = fields.u32()
  const secretBytes = field.bytes * nVars
  container.checkBytes(values, secretBytes)
  const curve = curveOf({ r: field.prime })
  return { curve, prime: field.prime.toString(), nVars, secretBytes }
}
