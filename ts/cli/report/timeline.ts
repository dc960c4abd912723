// What was when, in a fixed number of steps, whatever the length of the trace.
//
// A step begins as one microsecond; when the last one is full, neighbours are joined and each step
// is twice as long. Of a gauge a step keeps the least and the most that it was, so no peak is lost,
// however short; of a counter it keeps the sum. May assume that time never goes back.

/** Enough for every pixel of a wide screen; between half as many and all of them are in use. */
export const STEPS_MAX = 2048

/** What has a value at any time. */
export const GAUGES = ['live', 'cached', 'resident'] as const
/** What happens. */
export const COUNTERS = ['hits', 'misses', 'faults'] as const

export type Gauge = (typeof GAUGES)[number]
export type Counter = (typeof COUNTERS)[number]

/** The least and the most in each step; NaN where nothing was known. */
export interface Range {
  readonly min: Float64Array
  readonly max: Float64Array
}

/** A span of time, in steps: from the first to before `to`. */
export interface StepSpan {
  readonly from: number
  readonly to: number
}

/** The steps of a trace. */
export class Timeline {
  #stepUs = 1
  #current = 0
  readonly #ranges: Readonly<Record<Gauge, Range>> = {
    live: range(),
    cached: range(),
    resident: range(),
  }
  readonly #now: Record<Gauge, number> = {
    live: Number.NaN,
    cached: Number.NaN,
    resident: Number.NaN,
  }
  readonly #sums: Readonly<Record<Counter, Float64Array>> = {
    hits: sums(),
    misses: sums(),
    faults: sums(),
  }
  /** By phase: in which steps it was open at any time. */
  readonly #open: (Uint8Array | undefined)[] = []
  readonly #isOpen: boolean[] = []

  /** How long a step is. */
  get stepUs(): number {
    return this.#stepUs
  }

  /** Steps that are in use. */
  get length(): number {
    return this.#current + 1
  }

  /** Goes on to a time, through which everything stays as it is. */
  advance(timeUs: number): void {
    while (timeUs >= this.#stepUs * STEPS_MAX) this.#join()
    const step = Math.floor(timeUs / this.#stepUs)
    if (step <= this.#current) return
    for (const gauge of GAUGES) {
      const { min, max } = this.#ranges[gauge]
      min.fill(this.#now[gauge], this.#current + 1, step + 1)
      max.fill(this.#now[gauge], this.#current + 1, step + 1)
    }
    for (const [phase, isOpen] of this.#isOpen.entries()) {
      if (isOpen) this.#open[phase]?.fill(1, this.#current + 1, step + 1)
    }
    this.#current = step
  }

  /** Gives a gauge a value from now on. */
  set(gauge: Gauge, value: number): void {
    const { min, max } = this.#ranges[gauge]
    this.#now[gauge] = value
    const at = this.#current
    // Not Math.min: what was not known is no number.
    if (!((min[at] as number) <= value)) min[at] = value
    if (!((max[at] as number) >= value)) max[at] = value
  }

  /** Counts what happens now. */
  add(counter: Counter, count: number): void {
    const sums = this.#sums[counter]
    sums[this.#current] = (sums[this.#current] as number) + count
  }

  /** Says whether a phase is open from now on. */
  setOpen(phase: number, isOpen: boolean): void {
    const steps = this.#open[phase] ?? new Uint8Array(STEPS_MAX)
    this.#open[phase] = steps
    steps[this.#current] = 1
    this.#isOpen[phase] = isOpen
  }

  /** A gauge in every step. */
  range(gauge: Gauge): Range {
    const { min, max } = this.#ranges[gauge]
    return { min: min.subarray(0, this.length), max: max.subarray(0, this.length) }
  }

  /** A counter in every step. */
  counts(counter: Counter): Float64Array {
    return this.#sums[counter].subarray(0, this.length)
  }

  /** When a phase was open: in whole steps, also those of which it was open in a part. */
  spans(phase: number): readonly StepSpan[] {
    const steps = this.#open[phase] ?? new Uint8Array(STEPS_MAX)
    const spans: StepSpan[] = []
    for (let from = steps.indexOf(1); from >= 0 && from < this.length; ) {
      const end = steps.indexOf(0, from)
      const to = end < 0 || end > this.length ? this.length : end
      spans.push({ from, to })
      from = steps.indexOf(1, to)
    }
    return spans
  }

  /** Makes steps longer until they are at least this long: a power of two of microseconds. */
  coarsen(stepUs: number): void {
    while (this.#stepUs < stepUs) this.#join()
  }

  /** Joins neighbours. */
  #join(): void {
    for (const gauge of GAUGES) {
      const { min, max } = this.#ranges[gauge]
      halve(min, Number.NaN, (a, b) => (b < a || Number.isNaN(a) ? b : a))
      halve(max, Number.NaN, (a, b) => (b > a || Number.isNaN(a) ? b : a))
    }
    for (const counter of COUNTERS) halve(this.#sums[counter], 0, (a, b) => a + b)
    for (const steps of this.#open) if (steps) halve(steps, 0, (a, b) => a | b)
    this.#current >>= 1
    this.#stepUs *= 2
  }
}

/** Puts what `join` makes of two neighbours into one step, and `unused` into the steps behind. */
function halve<T extends Float64Array | Uint8Array>(
  steps: T,
  unused: number,
  join: (a: number, b: number) => number,
): void {
  const half = STEPS_MAX / 2
  for (let i = 0; i < half; i += 1) {
    steps[i] = join(steps[2 * i] as number, steps[2 * i + 1] as number)
  }
  steps.fill(unused, half)
}

function range(): Range {
  const values = (): Float64Array => new Float64Array(STEPS_MAX).fill(Number.NaN)
  return { min: values(), max: values() }
}

function sums(): Float64Array {
  return new Float64Array(STEPS_MAX)
}
