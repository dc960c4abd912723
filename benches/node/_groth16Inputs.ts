// What `npm run bench` proves: each circuit's key, witness and targets.
//
// Semaphore's keys are those of its ceremony; the others are made by scripts/circuits.mjs. What must
// be reached, and what is aimed at, is how many times faster than a peer a warm proof is.

import fs from 'node:fs'
import path from 'node:path'
import type { VerifyingKeyJson } from 'nalloc'
import * as snarkjs from 'snarkjs'
import { type Plan, root } from './_bench.ts'

/** A circuit of the benchmark. */
export interface Input {
  readonly name: string
  /** The prover that a ratio is of. */
  readonly peer: 'snarkjs' | 'gnark'
  /** Times faster than the peer. */
  readonly ratioMin: number
  readonly ratioAim: number
  readonly plan: Plan
  /** Part of `--quick`. */
  readonly isQuick: boolean
}

/** An input on disk, with what checks its proofs. */
export interface Files {
  readonly zkey: string
  readonly wtns: string
  readonly vk: VerifyingKeyJson
}

const LONG: Plan = { warmUps: 2, rounds: 15 }
const SHORT: Plan = { warmUps: 2, rounds: 11 }

export const INPUTS: readonly Input[] = [
  { name: 'eddsa', ...bySnarkjs(15, 30), plan: LONG, isQuick: true },
  { name: 'semaphore-20', ...bySnarkjs(16, 32), plan: LONG, isQuick: true },
  { name: 'semaphore-32', ...bySnarkjs(18, 36), plan: SHORT, isQuick: false },
  { name: 'poseidon', ...bySnarkjs(20, 40), plan: SHORT, isQuick: false },
  { name: 'sha256', ...bySnarkjs(24, 48), plan: SHORT, isQuick: false },
  { name: 'chain', peer: 'gnark', ratioMin: 5.5, ratioAim: 9, plan: SHORT, isQuick: false },
]
/** Where scripts/circuits.mjs leaves what it makes. */
const circuits = path.join(root, 'target/circuits')
const artifacts = path.join(root, 'node_modules/@zk-kit/semaphore-artifacts')

function bySnarkjs(
  ratioMin: number,
  ratioAim: number,
): Pick<Input, 'peer' | 'ratioMin' | 'ratioAim'> {
  return { peer: 'snarkjs', ratioMin, ratioAim }
}

/** The files of an input; a witness of Semaphore is calculated once. */
export async function filesOf(name: string): Promise<Files> {
  const folder = path.join(circuits, name)
  const wtns = path.join(folder, 'circuit.wtns')
  if (!name.startsWith('semaphore-')) {
    const vk = readJson<VerifyingKeyJson>(path.join(folder, 'verification_key.json'))
    return { zkey: path.join(folder, 'circuit.zkey'), wtns, vk }
  }
  const stem = path.join(artifacts, name)
  if (!fs.existsSync(wtns)) {
    const input = readJson<snarkjs.CircuitSignals>(
      path.join(root, `crates/testkit/golden/${name}.input.json`),
    )
    fs.mkdirSync(folder, { recursive: true })
    await snarkjs.wtns.calculate(input, `${stem}.wasm`, wtns)
  }
  return { zkey: `${stem}.zkey`, wtns, vk: readJson<VerifyingKeyJson>(`${stem}.json`) }
}

function readJson<T>(file: string): T {
  return JSON.parse(fs.readFileSync(file, 'utf8'))
}
