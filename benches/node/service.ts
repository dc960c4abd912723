// What a service relies on, as figures: `npm run bench:service`.
//
// Aborts, progress, a crowd under a memory limit, the event loop, and a thousand proofs, each in a
// process of its own (_serviceWork.ts). Every proof is verified. Ends with 1 when a target is missed.
// Words choose measurements: `-- abort loop`.

import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { currentMachine, disturbance, root } from './_bench.ts'
import { isWithin, type Limit, reportLimits } from './_limits.ts'
import type { Figures, Measurement, Pair } from './_serviceWork.ts'

const MIB = 2 ** 20

const folder = path.join(root, 'target/service')
const pairOf = (steps: number): Pair => {
  const stem = path.join(folder, String(steps), `chain${steps}`)
  return { zkey: `${stem}.zkey`, wtns: `${stem}.wtns` }
}
const LARGE = pairOf(65533)
const HALF = pairOf(32765)
const wasm = path.join(root, 'node_modules/@zk-kit/semaphore-artifacts/semaphore-20.wasm')
const input = path.join(root, 'crates/testkit/golden/semaphore-20.input.json')

/** A measurement, what it is given, and the rows of its figures. */
interface Plan {
  readonly title: string
  readonly pairs: readonly Pair[]
  readonly files: readonly string[]
  readonly limitsOf: (figures: Figures) => readonly Limit[]
}

const PLANS: Readonly<Record<Measurement, Plan>> = {
  abort: {
    title: 'aborts spread over a proof on a domain of 2^16',
    pairs: [LARGE],
    files: [],
    limitsOf: ({ stopped, rejectMs, freeMs, cpuAfterMs, nextMs, liveBytes }) => [
      { name: 'proofs stopped', unit: '', most: 30, least: 20, measured: at(stopped) },
      { name: 'until the promise rejects', unit: 'ms', most: 50, measured: at(rejectMs) },
      { name: 'until its memory is back', unit: 'ms', most: 50, measured: at(freeMs) },
      { name: 'until the next proof computes', unit: 'ms', most: 50, measured: at(nextMs) },
      { name: 'CPU in 100 ms from 50 ms on', unit: 'ms', most: 5, measured: at(cpuAfterMs) },
      { name: 'liveBytes beside before', unit: '', most: 0, least: 0, measured: at(liveBytes) },
    ],
  },
  progress: {
    title: 'progress of proofs on domains of 2^16 and 2^15',
    pairs: [LARGE, HALF],
    files: [],
    limitsOf: ({ mostInSecond, timingsShare }) => [
      { name: 'reports of a call in a second', unit: '', most: 20, measured: at(mostInSecond) },
      {
        name: 'share of time in timings',
        unit: 'x',
        most: 1,
        least: 0.8,
        measured: at(timingsShare),
      },
    ],
  },
  crowd: {
    title: '32 proofs at once on two keys, a limit that fits three, concurrency 8',
    pairs: [LARGE, HALF],
    files: [],
    limitsOf: ({ verified, runningMax, usedShare, residentRise, roomBytes }) => [
      { name: 'proofs that verify', unit: '', most: 32, least: 32, measured: at(verified) },
      { name: 'at one time', unit: '', most: 8, least: 3, measured: at(runningMax) },
      { name: 'of the limit used, by stats', unit: 'x', most: 1, measured: at(usedShare) },
      {
        name: 'rise of VmHWM',
        unit: 'MiB',
        most: at(roomBytes) / MIB,
        measured: at(residentRise) / MIB,
      },
    ],
  },
  loop: {
    title: 'callbacks while keys of 2^16 are opened, proved and verified, and circuits run',
    pairs: [LARGE],
    files: [wasm, input],
    // What a thread waits while others have its CPU is no callback's doing; it is printed above.
    limitsOf: ({ longestOwnMs }) => [
      { name: 'longest callback', unit: 'ms', most: 5, measured: at(longestOwnMs) },
    ],
  },
  thousand: {
    title: '1,000 proofs on a domain of 2^15, one after the other',
    pairs: [HALF],
    files: [],
    limitsOf: ({ liveDifference, residentRise }) => [
      { name: 'liveBytes differs by', unit: '', most: 0, measured: at(liveDifference) },
      {
        name: 'resident beside after the tenth',
        unit: 'MiB',
        most: 16,
        measured: at(residentRise) / MIB,
      },
    ],
  },
}

function at(figure: number | undefined): number {
  return figure ?? Number.NaN
}

function run(name: Measurement, { pairs, files }: Plan): Figures {
  const program = path.join(__dirname, '_serviceWork.js')
  const args = ['--expose-gc', program, name, JSON.stringify(pairs), ...files]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Figures
}

function show(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, figure]) => `${name} ${Number.isInteger(figure) ? figure : figure.toFixed(2)}`)
    .join(', ')
}

function main(words: readonly string[]): void {
  const names = Object.keys(PLANS) as Measurement[]
  const unknown = words.filter((word) => !names.some((name) => name === word))
  if (unknown.length > 0) {
    console.error(`arguments: expected some of ${names.join(', ')}, got ${unknown.join(' ')}`)
    process.exitCode = 2
    return
  }
  const machine = currentMachine()
  console.log(`${machine.description}, ${machine.toolchain}, commit ${machine.commit}`)
  const warning = disturbance(machine)
  if (warning !== undefined) console.log(`warning: ${warning}`)
  const limits: Limit[] = []
  for (const name of names.filter((other) => words.length === 0 || words.includes(other))) {
    const plan = PLANS[name]
    const figures = run(name, plan)
    console.log(`\n${name}: ${plan.title}\n  ${show(figures)}`)
    limits.push(...plan.limitsOf(figures))
  }
  console.log(`\n${reportLimits(limits)}`)
  process.exitCode = limits.every(isWithin) ? 0 : 1
}

main(process.argv.slice(2))
