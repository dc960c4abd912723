// Ceremonies that snarkjs holds: powers of tau, new and with contributions.

import path from 'node:path'
import * as snarkjs from 'snarkjs'
import { fixtures } from './_repository.ts'

interface Curve {
  terminate(): Promise<void>
}

/** The files of a ceremony, the later ones made from the earlier. */
export interface Ceremony {
  /** Before anybody contributed. */
  readonly fresh: string
  readonly first: string
  readonly second: string
}

/** Holds a ceremony of so many powers, with two contributions; `endSnarkjs` must follow. */
export async function holdCeremony(power: number, folder: string): Promise<Ceremony> {
  const file = (name: string): string => path.join(folder, `${name}.ptau`)
  const [fresh, first, second] = [file('new'), file('one'), file('two')]
  // Makes snarkjs build its curve, which it wants to be handed back.
  await snarkjs.r1cs.info(path.join(fixtures, 'full_domain.r1cs'))
  await snarkjs.powersOfTau.newAccumulator(curve(), power, fresh)
  await snarkjs.powersOfTau.contribute(fresh, first, 'one', 'entropy')
  await snarkjs.powersOfTau.contribute(first, second, 'two', 'entropy')
  return { fresh, first, second }
}

/** Ends the worker threads that snarkjs keeps until they are told to go. */
export async function endSnarkjs(): Promise<void> {
  await curve().terminate()
}

function curve(): Curve {
  const { curve_bn128 } = globalThis as { curve_bn128?: Curve }
  if (!curve_bn128) throw new Error('snarkjs: expected its curve in globalThis.curve_bn128')
  return curve_bn128
}
