// One way to measure provers for Node, with the rules and the columns of crates/benchkit.
//
// Each contestant works in a process of its own, so that resident memory is each one's own, and
// takes turns with the others. Results are checked before anything is timed. Minimum and median,
// resident memory, its peak and page faults go together. Every case has fresh processes.

import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** The folder of package.json; this file runs from build/benches/node. */
export const root = path.resolve(__dirname, '../../..')

/** The columns of every record; benches/record/README.md says what each means. */
export const COLUMNS = [
  'date',
  'commit',
  'machine',
  'toolchain',
  'load',
  'benchmark',
  'case',
  'contestant',
  'settings',
  'rounds',
  'unit',
  'min',
  'median',
  'resident_bytes',
  'peak_bytes',
  'page_faults',
] as const

/** Load above which a run is not undisturbed, per thread of the machine. */
const LOAD_MAX = 0.5

/** What one round of one contestant showed. */
export interface Sample {
  readonly ms: number
  /** Resident memory of its process afterwards. */
  readonly residentBytes: number
  /** The most during the round. */
  readonly peakBytes: number
  readonly pageFaults: number
}

/** What is kept of a contestant's rounds of a case. */
export interface Summary {
  readonly rounds: number
  readonly minMs: number
  readonly medianMs: number
  /** The median. */
  readonly residentBytes: number
  /** The highest. */
  readonly peakBytes: number
  /** The median. */
  readonly pageFaults: number
}

/** A program that calls `serve`, and what it is called. */
export interface Contestant {
  readonly name: string
  /** The compiled file. */
  readonly file: string
  readonly args: readonly string[]
}

/** What a contestant's process does; each call is asked for by the process that measures. */
export interface Workload {
  /** Gets everything ready and returns a result for the other side to check. */
  readonly prepare: (details: unknown) => Promise<unknown>
  /** Which code ran, by what the process itself can see; throws where it is another's. */
  readonly identity: () => string
  /** What is timed; a program of its own is measured by itself, and what it tells counts. */
  readonly round: () => Promise<Sample | undefined>
}

/** A contestant's results of a case. */
export interface Result {
  readonly name: string
  readonly settings: string
  readonly summary: Summary
}

export interface Plan {
  readonly warmUps: number
  readonly rounds: number
}

/** A ratio that must not be below a bound. */
export interface Target {
  readonly name: string
  readonly ratioMin: number
  readonly ratio: number
}

export interface Machine {
  readonly date: string
  readonly commit: string
  readonly description: string
  readonly toolchain: string
  readonly load: number
}

type Request =
  | { readonly kind: 'prepare'; readonly details: unknown }
  | { readonly kind: 'identity' | 'round' }
type Answer = { readonly value: unknown } | { readonly error: string }

/** Answers the other side until it disconnects. */
export function serve(workload: Workload): void {
  const answer = async (request: Request): Promise<unknown> => {
    if (request.kind === 'prepare') return workload.prepare(request.details)
    if (request.kind === 'identity') return workload.identity()
    return measure(workload.round)
  }
  process.on('message', async (request: Request) => {
    const said: Answer = await answer(request).then(
      (value) => ({ value }),
      (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
    )
    process.send?.(said)
  })
  // Threads of a prover may keep a process alive that nobody asks any more.
  process.on('disconnect', () => process.exit())
}

async function measure(round: Workload['round']): Promise<Sample> {
  resetPeak()
  const faultsBefore = pageFaults()
  const startMs = performance.now()
  const told = await round()
  const ms = performance.now() - startMs
  if (told !== undefined) return told
  return {
    ms,
    residentBytes: process.memoryUsage.rss(),
    peakBytes: peakBytes(),
    pageFaults: pageFaults() - faultsBefore,
  }
}

/** Begins a new peak at what is resident now. */
export function resetPeak(): void {
  try {
    fs.writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // Refused in some containers; the peak is then that of the process, which is never too low.
  }
}

/** The most that was resident since `resetPeak`. */
export function peakBytes(): number {
  const status = fs.readFileSync('/proc/self/status', 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}

function pageFaults(): number {
  const { minorPageFault, majorPageFault } = process.resourceUsage()
  return minorPageFault + majorPageFault
}

/** A contestant's process, seen from the process that measures. */
class Worker {
  readonly name: string
  readonly #child: ChildProcess

  constructor({ name, file, args }: Contestant) {
    this.name = name
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const
    this.#child = fork(file, args, { serialization: 'advanced', stdio: [...stdio] })
  }

  /** Sends a request and waits for its answer. */
  async ask<T>(request: Request): Promise<T> {
    const child = this.#child
    const where = `${this.name}: ${request.kind}`
    const answer = await new Promise<Answer>((resolve, reject) => {
      const onExit = (status: number | null, signal: string | null): void =>
        reject(new Error(`${where}: its process ended with ${signal ?? status}`))
      child.once('exit', onExit)
      child.once('message', (message: Answer) => {
        child.off('exit', onExit)
        resolve(message)
      })
      child.send(request)
    })
    if ('error' in answer) throw new Error(`${where}: ${answer.error}`)
    return answer.value as T
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}

/** Runs a case: every result is checked, then contestants take turns. */
export async function runCase({
  contestants,
  details,
  check,
  plan,
}: {
  readonly contestants: readonly Contestant[]
  readonly details: unknown
  readonly check: (name: string, result: unknown) => Promise<void>
  readonly plan: Plan
}): Promise<Result[]> {
  const workers = contestants.map((contestant) => new Worker(contestant))
  try {
    for (const worker of workers) {
      await check(worker.name, await worker.ask({ kind: 'prepare', details }))
    }
    const samples: Sample[][] = workers.map(() => [])
    for (let round = 0; round < plan.warmUps + plan.rounds; round += 1) {
      for (const turn of order(round, workers.length)) {
        const sample = await (workers[turn] as Worker).ask<Sample>({ kind: 'round' })
        if (round >= plan.warmUps) samples[turn]?.push(sample)
      }
    }
    const results: Result[] = []
    for (const [turn, worker] of workers.entries()) {
      const settings = await worker.ask<string>({ kind: 'identity' })
      results.push({ name: worker.name, settings, summary: summarize(samples[turn] ?? []) })
    }
    return results
  } finally {
    for (const worker of workers) worker.end()
  }
}

/** Who has the turn in a round: everybody once, and each round begins with another one. */
export function order(round: number, count: number): number[] {
  return Array.from({ length: count }, (_, turn) => (round + turn) % count)
}

/** What is kept of at least one sample. */
export function summarize(samples: readonly Sample[]): Summary {
  if (samples.length === 0) throw new RangeError('samples: expected at least one, got none')
  const ms = samples.map((sample) => sample.ms)
  return {
    rounds: samples.length,
    minMs: Math.min(...ms),
    medianMs: median(ms),
    residentBytes: upperMedian(samples.map((sample) => sample.residentBytes)),
    peakBytes: Math.max(...samples.map((sample) => sample.peakBytes)),
    pageFaults: upperMedian(samples.map((sample) => sample.pageFaults)),
  }
}

/** The middle of some figures, or between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[(sorted.length - 1) >> 1] ?? Number.NaN
  const high = sorted[sorted.length >> 1] ?? Number.NaN
  return (low + high) / 2
}

/** A count that was seen. */
function upperMedian(counts: readonly number[]): number {
  return [...counts].sort((a, b) => a - b)[counts.length >> 1] ?? Number.NaN
}

/** Whether a target is met; a ratio that is no number is not. */
export function isMet({ ratio, ratioMin }: Target): boolean {
  return ratio >= ratioMin
}

/** A line for each target, with pass or FAIL. */
export function report(targets: readonly Target[]): string {
  const rows = targets.map((target) => [
    target.name,
    `${target.ratioMin.toFixed(2)}x`,
    `${target.ratio.toFixed(2)}x`,
    isMet(target) ? 'pass' : 'FAIL',
  ])
  return table([['target', 'at least', 'measured', ''], ...rows])
}

/** Aligns rows of equally many cells: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  )
  const lines = rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

/** This machine, now. */
export function currentMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: currentCommit(),
    description: describe('/', os.availableParallelism()),
    toolchain: `Node ${process.version}`,
    load: os.loadavg()[0] ?? 0,
  }
}

/** A warning when other programs are at work. */
export function disturbance({ load }: Machine): string | undefined {
  if (load <= LOAD_MAX * os.availableParallelism()) return undefined
  return `load ${load.toFixed(2)} before the start: other programs are at work`
}

/** CPU, threads, memory, kernel and huge pages, from the files below a folder. */
export function describe(folder: string, threads: number): string {
  const read = (file: string): string => {
    const full = path.join(folder, file)
    return fs.existsSync(full) ? fs.readFileSync(full, 'utf8') : ''
  }
  const architecture = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string]
  const cpuInfo = read('proc/cpuinfo')
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*:(.*)$`, 'm').exec(cpuInfo)?.[1]?.trim()
  const [model, family, number] = ['model name', 'cpu family', 'model'].map(field)
  const kib = Number(/^MemTotal:\s+(\d+) kB$/m.exec(read('proc/meminfo'))?.[1] ?? 0)
  const kernel = read('proc/sys/kernel/osrelease').trim()
  const mode = /\[(\w+)\]/.exec(read('sys/kernel/mm/transparent_hugepage/enabled'))?.[1]
  const memory = `${Math.round(kib / 2 ** 20)} GiB`
  // Some names stand for several generations of a processor.
  const generation = family && number ? ` (family ${family}, model ${number})` : ''
  const cpu = `${model ?? architecture ?? process.arch}${generation}`
  return `${cpu}, ${threads} threads, ${memory}, Linux ${kernel}, THP ${mode ?? 'absent'}`
}

/** The commit, with + when files differ from it. */
function currentCommit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
        .toString()
        .trim()
    const commit = git('rev-parse', '--short', 'HEAD')
    // A record that was just written does not change what was measured.
    const changes = git('status', '--porcelain', '--', ':/', ':(exclude,top)benches/record')
    return changes === '' ? commit : `${commit}+`
  } catch {
    return 'unknown'
  }
}

/** Appends the results of a run to a benchmark's record; returns the file. */
export function record(
  benchmark: string,
  machine: Machine,
  cases: readonly { readonly name: string; readonly results: readonly Result[] }[],
  folder = path.join(root, 'benches/record'),
): string {
  const lines = cases.flatMap(({ name, results }) =>
    results.map((result) => {
      const { summary } = result
      const cells: Record<(typeof COLUMNS)[number], string | number> = {
        date: machine.date,
        commit: machine.commit,
        machine: machine.description,
        toolchain: machine.toolchain,
        load: machine.load.toFixed(2),
        benchmark,
        case: name,
        contestant: result.name,
        settings: result.settings,
        rounds: summary.rounds,
        unit: 'ms',
        min: summary.minMs.toFixed(4),
        median: summary.medianMs.toFixed(4),
        resident_bytes: summary.residentBytes,
        peak_bytes: summary.peakBytes,
        page_faults: summary.pageFaults,
      }
      return COLUMNS.map((column) => quote(String(cells[column]))).join(',')
    }),
  )
  const file = path.join(folder, `${benchmark}.csv`)
  const isNew = !fs.existsSync(file) || fs.statSync(file).size === 0
  const header = isNew ? [COLUMNS.join(',')] : []
  fs.appendFileSync(file, `${[...header, ...lines].join('\n')}\n`)
  return file
}

/** A cell as RFC 4180 has it. */
function quote(cell: string): string {
  return /[,"\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
