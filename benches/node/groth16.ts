// Warm Groth16 proofs, ours beside snarkjs: `npm run bench`.
//
// Both are taken at their best: keys and curve are loaded before, snarkjs has its default threads
// and the zkey in memory, both start from the same .wtns bytes. Each has a process of its own; they
// take turns, so that what the machine does meanwhile hits both. Every prover's proof is verified by
// both before anything is timed. Ends with 1 when a target is missed. `-- --record` adds the
// figures to benches/record/.

import fs from 'node:fs'
import path from 'node:path'
import { type Groth16Proof, groth16, ProvingKey } from 'nalloc'
import * as snarkjs from 'snarkjs'
import {
  type Contestant,
  currentMachine,
  disturbance,
  isMet,
  type Plan,
  type Result,
  record,
  report,
  root,
  runCase,
  type Target,
  table,
} from './_bench.ts'
import type { Details, FirstProof } from './_groth16Prover.ts'

/** How many times faster than snarkjs a warm proof must be. */
const RATIO_MIN = 3
const CASES = [
  { depth: 5, plan: { warmUps: 3, rounds: 9 }, hasTarget: false },
  { depth: 20, plan: { warmUps: 3, rounds: 15 }, hasTarget: true },
  { depth: 32, plan: { warmUps: 3, rounds: 9 }, hasTarget: false },
] as const
const CONTESTANTS: readonly Contestant[] = ['nalloc', 'snarkjs'].map((name) => ({
  name,
  file: path.join(__dirname, '_groth16Prover.js'),
  args: [name],
}))
const artifacts = path.join(root, 'node_modules/@zk-kit/semaphore-artifacts')

interface Case {
  readonly name: string
  readonly nConstraints: number
  readonly results: readonly Result[]
  readonly peaks: FirstProof['peaks']
}

async function main(): Promise<void> {
  const unknown = process.argv.slice(2).filter((argument) => argument !== '--record')
  if (unknown.length > 0) {
    console.error(`arguments: expected --record or none, got ${unknown.join(' ')}`)
    process.exitCode = 2
    return
  }
  const machine = currentMachine()
  console.log(`${machine.description}, ${machine.toolchain}, commit ${machine.commit}`)
  const warning = disturbance(machine)
  if (warning !== undefined) console.log(`warning: ${warning}`)
  console.log('warm proofs from the same .wtns bytes; provers take turns, a process for each\n')

  const cases: Case[] = []
  const targets: Target[] = []
  for (const { depth, plan, hasTarget } of CASES) {
    const measured = await measure(depth, plan)
    cases.push(measured)
    print(measured)
    if (hasTarget) targets.push(...targetsOf(measured))
  }
  await terminateSnarkjs()

  if (process.argv.includes('--record')) {
    const file = record('groth16', machine, cases)
    console.log(`recorded in ${path.relative(root, file)}\n`)
  }
  console.log(report(targets))
  process.exitCode = targets.every(isMet) ? 0 : 1
}

async function measure(depth: number, plan: Plan): Promise<Case> {
  const stem = path.join(artifacts, `semaphore-${depth}`)
  const vk = JSON.parse(fs.readFileSync(`${stem}.json`, 'utf8'))
  const input = path.join(root, `crates/testkit/golden/semaphore-${depth}.input.json`)
  const zkey = new Uint8Array(fs.readFileSync(`${stem}.zkey`))
  const wtns = await witnessBytes(JSON.parse(fs.readFileSync(input, 'utf8')), `${stem}.wasm`)
  const details: Details = { zkey, wtns }
  let peaks: FirstProof['peaks']
  const check = async (name: string, result: unknown): Promise<void> => {
    const { proof, publicSignals, ...others } = result as FirstProof
    const signals = [...publicSignals]
    const byUs = await groth16.verify(vk, signals, proof as Groth16Proof)
    const byThem = await snarkjs.groth16.verify(vk, signals, proof as snarkjs.Groth16Proof)
    if (!byUs || !byThem) throw new Error(`${name}: expected a valid proof, got an invalid one`)
    peaks ??= others.peaks
  }
  const results = await runCase({ contestants: CONTESTANTS, details, check, plan })
  using key = await ProvingKey.open(zkey)
  return { name: `semaphore-${depth}`, nConstraints: key.info.nConstraints, results, peaks }
}

function print({ name, nConstraints, results, peaks }: Case): void {
  const rounds = results[0]?.summary.rounds
  console.log(`${name}: ${nConstraints} constraints; ${rounds} rounds`)
  const rows = results.map(({ name: prover, summary }) => [
    prover,
    summary.minMs.toFixed(1),
    summary.medianMs.toFixed(1),
    mib(summary.residentBytes),
    mib(summary.peakBytes),
    String(summary.pageFaults),
  ])
  const header = ['prover', 'min ms', 'median ms', 'resident MiB', 'peak MiB', 'page faults']
  process.stdout.write(table([header, ...rows]))
  for (const { name: prover, settings } of results) console.log(`${prover}, proven: ${settings}`)
  for (const { name: kind, ratio } of ratiosOf(results)) {
    console.log(`times faster, ${kind}: ${ratio.toFixed(2)}x`)
  }
  if (peaks !== undefined) {
    const { predictedBytes, measuredBytes } = peaks
    console.log(
      `memory of our proof: ${mib(predictedBytes)} MiB predicted, ${mib(measuredBytes)} measured`,
    )
  }
  console.log('')
}

function targetsOf({ name, results }: Case): Target[] {
  return ratiosOf(results).map(({ name: kind, ratio }) => ({
    name: `${name}: times faster, ${kind}`,
    ratioMin: RATIO_MIN,
    ratio,
  }))
}

/** How many times faster than snarkjs ours is. */
function ratiosOf(results: readonly Result[]): { name: 'median' | 'min'; ratio: number }[] {
  const [ours, theirs] = results.map(({ summary }) => summary)
  if (ours === undefined || theirs === undefined) return []
  return [
    { name: 'median', ratio: theirs.medianMs / ours.medianMs },
    { name: 'min', ratio: theirs.minMs / ours.minMs },
  ]
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

/** snarkjs makes the .wtns: both provers start from the same bytes. */
async function witnessBytes(input: snarkjs.CircuitSignals, wasm: string): Promise<Uint8Array> {
  const memory: { type: 'mem'; data?: Uint8Array } = { type: 'mem' }
  await snarkjs.wtns.calculate(input, wasm, memory as never)
  if (!memory.data) throw new Error('snarkjs: expected the bytes of a witness, got none')
  return memory.data
}

/** snarkjs keeps its threads for the next proof; without this the process would not end. */
async function terminateSnarkjs(): Promise<void> {
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } }
  await curve?.terminate()
}

main()
