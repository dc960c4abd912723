// The report for terminals: the facts of the page, drawn with characters, as wide as the terminal.

import { countText, durationText, shareText, sizeText } from '../quantities.ts'
import { printable } from './markup.ts'
import { knowsHits, knowsSamples, type Profile } from './profile.ts'
import { classText } from './sizes.ts'
import { shownPhases } from './tables.ts'
import { memoryChart, phaseLanes, shareRow, type TextStyle } from './textCharts.ts'
import { sum } from './timeRows.ts'

const WIDTH_MIN = 40
const WIDTH_MAX = 160
const NAME_CHARS_MAX = 24
/** For the names of facts. */
const FACT_CHARS = 14
const BAR_CHARS_MAX = 40
/** What stands before a bar is not longer. */
const BAR_START = 58
/** Cells of the peak that are listed; the rest is one line. */
const CELLS_MAX = 12

const GAP = '  '

type Row = readonly string[]

/** The report of one trace, or of one against another. */
export function reportText(profiles: readonly Profile[], given: TextStyle): string {
  const columns = Math.max(WIDTH_MIN, Math.min(given.columns, WIDTH_MAX))
  const style = { ...given, columns }
  const [profile, other] = profiles
  if (!profile) return ''
  const parts = [
    factLines(profile, other, style),
    ...profiles
      .filter(({ requests }) => requests > 0)
      .map((each) => timeLines(each, style, profiles.length > 1)),
    ...(profile.requests > 0
      ? [phaseLines(profile, other, style), peakLines(profile, style), sizeLines(profile, style)]
      : []),
  ]
  const texts = parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'))
  return `${texts.join('\n\n')}\n`
}

function factLines(
  profile: Profile,
  other: Profile | undefined,
  { columns }: TextStyle,
): readonly string[] {
  const facts: (readonly [name: string, of: (profile: Profile) => string])[] = [
    ['trace', ({ name }) => printable(name)],
    ['time', ({ durationUs }) => durationText(durationUs)],
    ['peak live', ({ peak }) => `${sizeText(peak.bytes)} after ${durationText(peak.timeUs)}`],
    ['in whole pages', ({ peakPagesBytes }) => optional(peakPagesBytes, sizeText)],
    ['peak resident', ({ peakResidentBytes }) => optional(peakResidentBytes, sizeText)],
    ['peak cached', ({ peakCachedBytes }) => optional(peakCachedBytes, sizeText)],
    ['requests', ({ requests, bytes }) => `${countText(requests)} for ${sizeText(bytes)}`],
    ['hit rate', ({ hits, misses }) => shareText(hits, hits + misses)],
    ['page faults', (each) => (knowsSamples(each) ? countText(each.faults) : '-')],
  ]
  const profiles = other ? [profile, other] : [profile]
  if (profiles.some(({ refusals }) => refusals > 0)) {
    facts.push(['refused', ({ refusals }) => countText(refusals)])
  }
  const chars = Math.floor((columns - FACT_CHARS) / profiles.length) - GAP.length
  return facts.map(([name, of]) => {
    const cells = profiles.map((each) => cut(of(each), chars).padEnd(chars))
    return [name.padEnd(FACT_CHARS), ...cells].join(GAP).trimEnd()
  })
}

function timeLines(profile: Profile, style: TextStyle, isNamed: boolean): readonly string[] {
  const { colors, columns } = style
  const title = isNamed ? `memory over time, ${printable(profile.name)}` : 'memory over time'
  const key = knowsSamples(profile) ? 'the most: █ live, · resident' : 'the most: █ live'
  const room = columns - key.length - GAP.length
  return [
    `${colors.bold(cut(title, room))}${GAP}${colors.dim(key)}`,
    ...memoryChart(profile, style),
    ...phaseLanes(profile, style),
    ...(knowsHits(profile) ? [shareRow(profile, 'hits', style)] : []),
    ...(knowsSamples(profile) ? [shareRow(profile, 'faults', style)] : []),
  ]
}

function phaseLines(
  profile: Profile,
  other: Profile | undefined,
  style: TextStyle,
): readonly string[] {
  const [hasHits, hasFaults] = [knowsHits(profile), knowsSamples(profile)]
  const head = [
    'phase',
    'times',
    'open for',
    'peak live',
    ...(other ? ['against'] : []),
    'requests',
    'requested',
    ...(hasHits ? ['hit rate'] : []),
    ...(hasFaults ? ['faults'] : []),
  ]
  const rows = shownPhases(profile).map((phase) => {
    const twin = other?.phases.find(({ name }) => name === phase.name)
    return [
      nameOf(phase.name),
      phase.name === undefined ? '' : countText(phase.times),
      phase.name === undefined ? '' : durationText(phase.openUs),
      sizeText(phase.peakLiveBytes),
      ...(other ? [optional(twin?.peakLiveBytes, sizeText)] : []),
      countText(phase.requests),
      sizeText(phase.bytes),
      ...(hasHits ? [shareText(phase.hits, phase.hits + phase.misses)] : []),
      ...(hasFaults ? [countText(phase.faults)] : []),
    ]
  })
  return table(head, rows, style)
}

function peakLines({ peak, phases }: Profile, style: TextStyle): readonly string[] {
  const shown = peak.cells.slice(0, CELLS_MAX)
  const rest = peak.cells.slice(CELLS_MAX)
  const most = shown[0]?.bytes ?? 0
  const rows = shown.map(({ phase, log2Bytes, bytes }): Row => {
    const name = nameOf(phases[phase]?.name)
    return [name, classText(log2Bytes), sizeText(bytes), bar(bytes / most, style)]
  })
  const further = sum(rest.map(({ bytes }) => bytes))
  const last: readonly Row[] =
    rest.length > 0
      ? [[`${rest.length} more`, '', sizeText(further), bar(further / most, style)]]
      : []
  return table(['live at the peak', 'size', 'bytes', ''], [...rows, ...last], style)
}

function sizeLines({ sizes }: Profile, style: TextStyle): readonly string[] {
  const most = Math.max(...sizes.map(({ requests }) => requests))
  const rows = sizes.map(({ log2Bytes, requests, bytes }): Row => {
    const length = bar(requests / most, style)
    return [classText(log2Bytes), countText(requests), sizeText(bytes), length]
  })
  return table(['size', 'requests', 'requested', ''], rows, style)
}

function bar(share: number, { columns, colors }: TextStyle): string {
  const chars = Math.ceil(share * Math.min(BAR_CHARS_MAX, columns - BAR_START))
  return colors.blue('█'.repeat(Math.max(0, chars)))
}

function nameOf(name: string | undefined): string {
  const shown = name === undefined ? '(outside of phases)' : printable(name)
  return cut(shown, NAME_CHARS_MAX)
}

function optional<T>(value: T | undefined, text: (value: T) => string): string {
  return value === undefined ? '-' : text(value)
}

/** A name in so many characters. */
function cut(name: string, charsMax: number): string {
  return name.length > charsMax ? `${name.slice(0, charsMax - 1)}…` : name
}

/**
 * Aligned rows: the first column to the left, the others to the right, and those without a head,
 * which are bars, to the left. Columns that find no room are left out.
 */
function table(head: Row, rows: readonly Row[], { columns }: TextStyle): readonly string[] {
  const all = [head, ...rows]
  const widths = head.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)))
  const ends = widths.map((_, at) =>
    widths.slice(0, at + 1).reduce((sum, width) => sum + width + GAP.length, -GAP.length),
  )
  // Bars are made for the room that is there, and colours take none.
  const fits = (at: number): boolean => head[at] === '' || (ends[at] ?? 0) <= columns
  return all.map((row) => {
    const cells = row.map((cell, at) => {
      const width = widths[at] ?? 0
      return at === 0 || head[at] === '' ? cell.padEnd(width) : cell.padStart(width)
    })
    return cells
      .filter((_, at) => fits(at))
      .join(GAP)
      .trimEnd()
  })
}
