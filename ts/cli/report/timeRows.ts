// A timeline in a few equal spans, for tables and for terminals.

import { durationText } from '../quantities.ts'
import type { Timeline } from './timeline.ts'

/** A span of time, in steps from `from` to before `to`. */
export interface TimeRow {
  /** From when to when. */
  readonly when: string
  readonly from: number
  readonly to: number
}

/** At most `count` spans that make up a timeline. */
export function timeRows({ length, stepUs }: Timeline, count: number): readonly TimeRow[] {
  const rows = Math.min(length, count)
  return Array.from({ length: rows }, (_, i) => {
    const [from, to] = [Math.floor((i * length) / rows), Math.floor(((i + 1) * length) / rows)]
    return { from, to, when: `${durationText(from * stepUs)} to ${durationText(to * stepUs)}` }
  })
}

/** The least of some steps; NaN when nothing was known in any. */
export function lowest(steps: Float64Array): number {
  return steps.reduce(
    (least, step) => (step < least || Number.isNaN(least) ? step : least),
    Number.NaN,
  )
}

/** The most of some steps; NaN when nothing was known in any. */
export function highest(steps: Float64Array): number {
  return steps.reduce((most, step) => (step > most || Number.isNaN(most) ? step : most), Number.NaN)
}

/** All of some steps. */
export function sum(steps: Float64Array | readonly number[]): number {
  let all = 0
  for (const step of steps) all += step
  return all
}
