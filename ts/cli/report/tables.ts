// The tables of the page: one below each chart, with the same facts.

import { countText, durationText, shareText, sizeText } from '../quantities.ts'
import { type Hole, html, type Markup } from './markup.ts'
import { knowsHits, knowsSamples, type PhaseProfile, type Profile } from './profile.ts'
import { classText, sizeClasses } from './sizes.ts'
import type { PhaseColors } from './style.ts'
import { highest, lowest, sum, timeRows } from './timeRows.ts'

/** Spans of time in a table. */
const TIME_ROWS = 16
const UNKNOWN = '–'

/** Live, cached and resident memory in equal spans of time. */
export function memoryTable(profile: Profile): Markup {
  const { timeline } = profile
  const gauges = knowsSamples(profile)
    ? (['live', 'cached', 'resident'] as const)
    : ['live' as const]
  const rows = timeRows(timeline, TIME_ROWS).map(({ when, from, to }) => {
    const most = gauges.map((gauge) =>
      bytesText(highest(timeline.range(gauge).max.subarray(from, to))),
    )
    return [when, bytesText(lowest(timeline.range('live').min.subarray(from, to))), ...most]
  })
  return table(['time', 'least live', ...gauges.map((gauge) => `most ${gauge}`)], rows)
}

/** Hits and misses in equal spans of time. */
export function hitTable(profile: Profile): Markup {
  const [hits, misses] = [profile.timeline.counts('hits'), profile.timeline.counts('misses')]
  const rows = timeRows(profile.timeline, TIME_ROWS).map(({ when, from, to }) => {
    const [hit, missed] = [sum(hits.subarray(from, to)), sum(misses.subarray(from, to))]
    return [when, countText(hit), countText(missed), shareText(hit, hit + missed)]
  })
  return table(['time', 'hits', 'misses', 'hit rate'], rows)
}

/** Page faults in equal spans of time. */
export function faultTable(profile: Profile): Markup {
  const faults = profile.timeline.counts('faults')
  const rows = timeRows(profile.timeline, TIME_ROWS).map(({ when, from, to }) => [
    when,
    countText(sum(faults.subarray(from, to))),
  ])
  return table(['time', 'page faults'], rows)
}

/** Every phase with what it needed. */
export function phaseTable(
  [profile, other]: readonly [Profile, Profile?, ...Profile[]],
  colors: PhaseColors,
): Markup {
  const [hasHits, hasFaults] = [knowsHits(profile), knowsSamples(profile)]
  const head = [
    'phase',
    'times',
    'open for',
    'peak of live',
    ...(other ? ['against', 'ratio'] : []),
    'requests',
    'requested',
    ...(hasHits ? ['hit rate'] : []),
    ...(hasFaults ? ['page faults'] : []),
  ]
  const rows = shownPhases(profile).map((phase) => [
    phaseCell(phase.name, colors),
    phase.name === undefined ? '' : countText(phase.times),
    phase.name === undefined ? '' : durationText(phase.openUs),
    sizeText(phase.peakLiveBytes),
    ...(other ? againstCells(phase, other) : []),
    countText(phase.requests),
    sizeText(phase.bytes),
    ...(hasHits ? [shareText(phase.hits, phase.hits + phase.misses)] : []),
    ...(hasFaults ? [countText(phase.faults)] : []),
  ])
  return table(head, rows)
}

function againstCells(phase: PhaseProfile, other: Profile): Hole[] {
  const twin = other.phases.find(({ name }) => name === phase.name)
  if (!twin || twin.peakLiveBytes === 0) return [UNKNOWN, UNKNOWN]
  return [sizeText(twin.peakLiveBytes), `${(phase.peakLiveBytes / twin.peakLiveBytes).toFixed(2)}x`]
}

/** Phases that anything happened in. */
export function shownPhases({ phases }: Profile): readonly PhaseProfile[] {
  return phases.filter(({ name, requests, faults }) => name !== undefined || requests + faults > 0)
}

/** A phase's name with its colour. */
function phaseCell(name: string | undefined, colors: PhaseColors): Markup {
  const box = html`<rect width="10" height="10" rx="2" class="${colors.classOf(name)}"/>`
  const swatch = html`<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">${box}</svg>`
  return html`${swatch}${name ?? html`<i>outside of phases</i>`}`
}

/** The same as a table. */
export function sizeTable(profiles: readonly Profile[]): Markup {
  const names = profiles.length > 1 ? profiles.map(({ name }) => `, ${name}`) : ['']
  const head = ['size', ...names.flatMap((name) => [`requests${name}`, `bytes${name}`])]
  const rows = sizeClasses(profiles).map((log2Bytes) => [
    classText(log2Bytes),
    ...profiles.flatMap(({ sizes }) => {
      const size = sizes.find((found) => found.log2Bytes === log2Bytes)
      return [countText(size?.requests ?? 0), sizeText(size?.bytes ?? 0)]
    }),
  ])
  return table(head, rows)
}

/** The same as a table. */
export function peakTable(profile: Profile, colors: PhaseColors): Markup {
  const rows = profile.peak.cells.map((cell) => [
    phaseCell(profile.phases[cell.phase]?.name, colors),
    classText(cell.log2Bytes),
    countText(cell.blocks),
    sizeText(cell.bytes),
    shareText(cell.bytes, profile.peak.bytes),
  ])
  return table(['phase', 'size', 'blocks', 'live at the peak', 'share'], rows)
}

/** A table whose first row is a head. */
function table(head: readonly string[], rows: readonly (readonly Hole[])[]): Markup {
  const cells = (row: readonly Hole[]): Markup[] =>
    row.map((cell, i) => html`<td${i === 0 ? html` class="name"` : ''}>${cell}</td>`)
  return html`<div class="wide"><table>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${cells(row)}</tr>\n`)}</tbody></table></div>\n`
}

function bytesText(bytes: number): string {
  return Number.isNaN(bytes) ? UNKNOWN : sizeText(bytes)
}
