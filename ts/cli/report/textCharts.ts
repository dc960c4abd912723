// The charts of a report for terminals: columns of characters, as many as there is room for.

import { countText, sizeText } from '../quantities.ts'
import type { Terminal } from '../terminal.ts'
import { printable } from './markup.ts'
import type { Profile } from './profile.ts'
import { highest, sum } from './timeRows.ts'

const ROWS = 10
/** Left of the columns, for numbers and names. */
const GUTTER = 14
const LANES_MAX = 8
/** A character that is filled from below, by eighths. */
const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** What a report is drawn on. */
export interface TextStyle {
  /** Characters of a line. */
  readonly columns: number
  readonly colors: Terminal['colors']
}

/** What a column stands for: steps from `from` to before `to`. */
interface Column {
  readonly from: number
  readonly to: number
}

/** Live memory as columns, resident memory as dots, from 0 to the most of both. */
export function memoryChart(profile: Profile, style: TextStyle): readonly string[] {
  const { timeline } = profile
  const columns = columnsOf(profile, style)
  const mosts = (gauge: 'live' | 'resident'): number[] => {
    const { max } = timeline.range(gauge)
    return columns.map(({ from, to }) => highest(max.subarray(from, to)) || 0)
  }
  const [live, resident] = [mosts('live'), mosts('resident')]
  const most = Math.max(1, ...live, ...resident)
  const eighths = (bytes: number): number => Math.ceil((bytes / most) * ROWS * 8)
  const { colors } = style
  return Array.from({ length: ROWS }, (_, row) => {
    const below = (ROWS - 1 - row) * 8
    const cells = columns.map((_, i) => {
      const filled = Math.min(8, Math.max(0, eighths(live[i] ?? 0) - below))
      const dot = Math.ceil(eighths(resident[i] ?? 0) / 8) - 1 === ROWS - 1 - row
      if (filled === 0 && dot && (resident[i] ?? 0) > 0) return colors.yellow('·')
      return filled === 0 ? ' ' : colors.blue(EIGHTHS[filled] ?? ' ')
    })
    const label = row === 0 ? sizeText(most) : row === ROWS - 1 ? '0' : ''
    return `${colors.dim(label.padStart(GUTTER - 2))} ${cells.join('').trimEnd()}`
  })
}

/** A line for each phase: when it was open. */
export function phaseLanes(profile: Profile, style: TextStyle): readonly string[] {
  const columns = columnsOf(profile, style)
  const phases = profile.phases.slice(1)
  const lanes = phases.slice(0, LANES_MAX).map(({ name }, i) => {
    const spans = profile.timeline.spans(i + 1)
    const cells = columns.map(({ from, to }) =>
      spans.some((span) => span.from < to && span.to > from) ? '▬' : ' ',
    )
    return `${gutter(printable(name ?? ''))} ${style.colors.green(cells.join('').trimEnd())}`
  })
  const further = phases.length - LANES_MAX
  return further > 0 ? [...lanes, gutter(`${further} more`)] : lanes
}

/** Hit rate, or page faults, as one line of columns. */
export function shareRow(profile: Profile, what: 'hits' | 'faults', style: TextStyle): string {
  const { timeline } = profile
  const columns = columnsOf(profile, style)
  const counts = (counter: 'hits' | 'misses' | 'faults'): number[] => {
    const steps = timeline.counts(counter)
    return columns.map(({ from, to }) => sum(steps.subarray(from, to)))
  }
  const [values, misses] = [counts(what), counts('misses')]
  const most = Math.max(1, ...values)
  const cells = values.map((value, i) => {
    const whole = what === 'hits' ? value + (misses[i] ?? 0) : most
    if (whole === 0) return ' '
    // However little, it is not nothing.
    return EIGHTHS[Math.ceil((value / whole) * 8)] ?? ' '
  })
  const scale = what === 'hits' ? 'to 100 %' : `to ${countText(most)} a column`
  const name = what === 'hits' ? 'hit rate' : 'faults'
  return `${gutter(name)} ${cells.join('')} ${style.colors.dim(scale)}`
}

function columnsOf({ timeline }: Profile, style: TextStyle): readonly Column[] {
  const count = Math.min(timeline.length, style.columns - GUTTER - 20)
  return Array.from({ length: count }, (_, i) => ({
    from: Math.floor((i * timeline.length) / count),
    to: Math.floor(((i + 1) * timeline.length) / count),
  }))
}

function gutter(name: string): string {
  const room = GUTTER - 2
  const shown = name.length > room ? `${name.slice(0, room - 1)}…` : name
  return shown.padStart(room)
}
