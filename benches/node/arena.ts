// Allocations of an arena in JavaScript, beside what they replace: runs after the Rust rows of `npm
// run bench:arena`. Rows take turns round by round; each row's work is checked before it is timed.

import { Arena } from 'nalloc'
import { currentMachine, disturbance, isMet, order, report, type Target, table } from './_bench.ts'

const ROUNDS = 31
const WARM_UPS = 10
/** Views of one timed loop, and elements of each: one cache line. */
const VIEWS = 100_000
const ELEMENTS = 8
const VIEW_BYTES = ELEMENTS * BigUint64Array.BYTES_PER_ELEMENT
const RESETS = 1000
const ALLOC_NS_MAX = 40

/** Something that is timed; `prepare` is not. */
interface Row {
  readonly name: string
  readonly count: number
  readonly prepare?: () => void
  readonly work: () => void
}

/** Keeps the last view, so that none is optimised away. */
let kept: BigUint64Array | undefined
let fresh = new Arena(1)
const used = new Arena(VIEWS * VIEW_BYTES)
const large = new Arena('256M')
const WITHOUT_ZEROS = { zero: false }

function renew(): void {
  fresh.dispose()
  fresh = new Arena(VIEWS * VIEW_BYTES)
  fresh.alloc('u8', 0)
}

const ROWS: readonly Row[] = [
  {
    name: 'alloc, fresh memory',
    count: VIEWS,
    prepare: renew,
    work: () => {
      for (let i = 0; i < VIEWS; i += 1) kept = fresh.alloc('u64', ELEMENTS)
    },
  },
  {
    name: 'alloc, zero: false',
    count: VIEWS,
    prepare: () => used.reset(),
    work: () => {
      for (let i = 0; i < VIEWS; i += 1) kept = used.alloc('u64', ELEMENTS, WITHOUT_ZEROS)
    },
  },
  {
    name: 'alloc, zeroed again',
    count: VIEWS,
    prepare: () => used.reset(),
    work: () => {
      for (let i = 0; i < VIEWS; i += 1) kept = used.alloc('u64', ELEMENTS)
    },
  },
  {
    name: 'new BigUint64Array',
    count: VIEWS,
    work: () => {
      for (let i = 0; i < VIEWS; i += 1) kept = new BigUint64Array(ELEMENTS)
    },
  },
  {
    name: 'alloc and reset, 256 MiB',
    count: RESETS,
    work: () => {
      for (let i = 0; i < RESETS; i += 1) {
        kept = large.alloc('u64', ELEMENTS)
        large.reset()
      }
    },
  },
  {
    name: '256 MiB in 8 views, and reset',
    count: RESETS,
    work: () => {
      for (let i = 0; i < RESETS; i += 1) {
        for (let view = 0; view < 8; view += 1) {
          kept = large.alloc('u64', large.capacityBytes / 64, WITHOUT_ZEROS)
        }
        large.reset()
      }
    },
  },
]

/** Views lie one behind the other and are zero, also where others were written before. */
function check(): void {
  for (let round = 0; round < 2; round += 1) {
    used.reset()
    const views = Array.from({ length: VIEWS }, () => used.alloc('u64', ELEMENTS))
    for (const [i, view] of views.entries()) {
      const isPlaced = view.byteOffset === i * VIEW_BYTES && view.length === ELEMENTS
      if (!isPlaced || view.some((word) => word !== 0n)) throw new Error(`view ${i} is wrong`)
      view.fill(7n)
    }
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

function main(): void {
  const machine = currentMachine()
  check()
  const samples: number[][] = ROWS.map(() => [])
  for (let round = 0; round < WARM_UPS + ROUNDS; round += 1) {
    for (const turn of order(round, ROWS.length)) {
      const { count, prepare, work } = ROWS[turn] as Row
      prepare?.()
      const startMs = performance.now()
      work()
      const ns = ((performance.now() - startMs) * 1e6) / count
      if (round >= WARM_UPS) samples[turn]?.push(ns)
    }
  }
  if (kept === undefined) throw new Error('nothing was allocated')
  const cells = ROWS.map(({ name }, i) => {
    const ns = samples[i] ?? []
    return [name, Math.min(...ns).toFixed(1), median(ns).toFixed(1)]
  })
  const targets: Target[] = [0, 1].map((i) => {
    const ratio = ALLOC_NS_MAX / median(samples[i] ?? [])
    return { name: `${ROWS[i]?.name}: ${ALLOC_NS_MAX} ns / median`, ratioMin: 1, ratio }
  })
  const warning = disturbance(machine)
  process.stdout.write(`${machine.description}, ${machine.toolchain}\n`)
  if (warning !== undefined) process.stdout.write(`${warning}\n`)
  process.stdout.write(`\n${table([['ns each', 'min', 'median'], ...cells])}\n${report(targets)}`)
  if (!targets.every(isMet)) process.exitCode = 1
}

main()
