// Warm Groth16 proofs, ours beside snarkjs and gnark, and what a key costs: `npm run bench`.
//
// All are taken at their best: keys and curve are loaded before, snarkjs has its default threads
// and the zkey in memory, both start from the same .wtns bytes. Each has a process of its own; they
// take turns, so that what the machine does meanwhile hits both. Every prover's proof is verified by
// both before anything is timed; gnark, which has its own keys, verifies its own. Then processes are
// begun anew for what opening, the first proof and memory are. Ends with 1 when a target is missed.
//
// `-- NAME..` takes some of the circuits, `-- --quick` two and few rounds, `-- --record` adds the
// figures to benches/record/. rapidsnark takes part where NALLOC_BENCH_RAPIDSNARK names its prover.

import { fork } from 'node:child_process'
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
import { limitsOf, medianOf } from './_groth16Costs.ts'
import type { Fresh } from './_groth16Fresh.ts'
import { type Files, filesOf, INPUTS, type Input } from './_groth16Inputs.ts'
import {
  buildGnark,
  type Details,
  type FirstProof,
  RAPIDSNARK_VARIABLE,
  TABLES,
} from './_groth16Prover.ts'
import { SETUP_INPUT, setupLimit } from './_groth16Setup.ts'
import { isWithin, type Limit, reportLimits } from './_limits.ts'

const OPTIONS: readonly string[] = ['--record', '--quick']
const QUICK: Plan = { warmUps: 1, rounds: 3 }
/** Processes whose median stands for what a process does once. */
const FRESH_PROCESSES = 5

interface Case {
  readonly name: string
  readonly input: Input
  readonly nConstraints: number
  readonly results: readonly Result[]
}

async function main(): Promise<void> {
  const { names, options, unknown } = parse(process.argv.slice(2))
  if (unknown.length > 0) {
    const known = INPUTS.map(({ name }) => name).join(', ')
    console.error(`arguments: expected --record, --quick, ${known}, got ${unknown.join(' ')}`)
    process.exitCode = 2
    return
  }
  const isQuick = options.has('--quick')
  const machine = currentMachine()
  console.log(`${machine.description}, ${machine.toolchain}, commit ${machine.commit}`)
  const warning = disturbance(machine)
  if (warning !== undefined) console.log(`warning: ${warning}`)
  console.log('warm proofs from the same .wtns bytes; provers take turns, a process for each\n')

  const inputs = INPUTS.filter((input) =>
    names.size > 0 ? names.has(input.name) : input.isQuick || !isQuick,
  )
  const cases: Case[] = []
  const limits: Limit[] = []
  for (const input of inputs) {
    const files = await filesOf(input.name)
    const measured = await measure(input, files, isQuick ? QUICK : input.plan)
    cases.push(measured)
    print(measured)
    limits.push(...limitsOf(input.name, await freshOf(files, isQuick ? 1 : FRESH_PROCESSES)))
    if (input.name === SETUP_INPUT) limits.push(await setupLimit())
  }
  await terminateSnarkjs()

  if (options.has('--record')) {
    const file = record('groth16', machine, cases)
    console.log(`recorded in ${path.relative(root, file)}\n`)
  }
  const targets = cases.flatMap(targetsOf)
  console.log(`${report(targets)}\n${reportLimits(limits)}`)
  process.exitCode = targets.every(isMet) && limits.every(isWithin) ? 0 : 1
}

function parse(args: readonly string[]): Record<'names' | 'options', Set<string>> & {
  unknown: string[]
} {
  const names = new Set(args.filter((arg) => INPUTS.some(({ name }) => name === arg)))
  const options = new Set(args.filter((arg) => OPTIONS.includes(arg)))
  return { names, options, unknown: args.filter((arg) => !names.has(arg) && !options.has(arg)) }
}

/** Whom a circuit is proven by; peers that cannot be had are named with the reason. */
function contestantsOf({ name, peer }: Input): Contestant[] {
  const provers = ['nalloc', TABLES, 'snarkjs']
  if (process.env[RAPIDSNARK_VARIABLE] !== undefined) provers.push('rapidsnark')
  if (peer === 'gnark') {
    const reason = buildGnark()
    if (reason === undefined) provers.push('gnark')
    else console.log(`${name}: without gnark: ${reason}`)
  }
  const file = path.join(__dirname, '_groth16Prover.js')
  return provers.map((prover) => ({ name: prover, file, args: [prover] }))
}

async function measure(input: Input, files: Files, plan: Plan): Promise<Case> {
  const { zkey, wtns, vk } = files
  const details: Details = { zkey, wtns }
  const check = async (name: string, result: unknown): Promise<void> => {
    const { proof, publicSignals } = result as FirstProof
    if (proof === undefined) return
    const signals = [...publicSignals]
    const byUs = await groth16.verify(vk, signals, proof as Groth16Proof)
    const byThem = await snarkjs.groth16.verify(vk, signals, proof as snarkjs.Groth16Proof)
    if (!byUs || !byThem) throw new Error(`${name}: expected a valid proof, got an invalid one`)
  }
  const results = await runCase({ contestants: contestantsOf(input), details, check, plan })
  using key = await ProvingKey.open(zkey)
  return { name: input.name, input, nConstraints: key.info.nConstraints, results }
}

/** What processes tell that have just begun. */
async function freshOf({ zkey, wtns }: Files, processes: number): Promise<Fresh> {
  const all: Fresh[] = []
  for (let k = 0; k < processes; k += 1) {
    const child = fork(path.join(__dirname, '_groth16Fresh.js'), [zkey, wtns])
    all.push(
      await new Promise<Fresh>((resolve, reject) => {
        child.once('message', (fresh: Fresh) => resolve(fresh))
        child.once('exit', (status) => reject(new Error(`a fresh process ended with ${status}`)))
      }),
    )
  }
  return medianOf(all)
}

function print({ name, nConstraints, results, input }: Case): void {
  const rounds = results[0]?.summary.rounds
  console.log(`${name}: ${nConstraints} constraints; ${rounds} rounds; aim ${input.ratioAim}x`)
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
  for (const { ours, peer, median, min } of ratiosOf(results)) {
    console.log(`${ours} of ${peer}: median ${median.toFixed(2)}x, min ${min.toFixed(2)}x`)
  }
  console.log('')
}

/** The peer's median; a peer that did not take part leaves its target unmet. */
function targetsOf({ name, results, input }: Case): Target[] {
  const { peer, ratioMin } = input
  const ratios = ratiosOf(results)
  const found = ratios.find((ratio) => ratio.ours === 'nalloc' && ratio.peer === peer)
  const ratio = found?.median ?? Number.NaN
  return [{ name: `${name}: times faster than ${peer}, median`, ratioMin, ratio }]
}

interface Ratio {
  readonly ours: string
  readonly peer: string
  readonly median: number
  readonly min: number
}

/** How many times faster than each of the others ours are. */
function ratiosOf(results: readonly Result[]): Ratio[] {
  const isOurs = ({ name }: Result): boolean => name === 'nalloc' || name === TABLES
  const peers = results.filter((result) => !isOurs(result))
  return results.filter(isOurs).flatMap(({ name: ours, summary }) =>
    peers.map(({ name: peer, summary: theirs }) => ({
      ours,
      peer,
      median: theirs.medianMs / summary.medianMs,
      min: theirs.minMs / summary.minMs,
    })),
  )
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

/** snarkjs keeps its threads for the next proof; without this the process would not end. */
async function terminateSnarkjs(): Promise<void> {
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } }
  await curve?.terminate()
}

main()
