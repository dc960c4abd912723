// The parts of the page: each has a heading, a sentence, a chart, and its facts as a table.

import { countText, durationText, shareText, sizeText } from '../quantities.ts'
import { html, type Markup } from './markup.ts'
import { peakMap } from './peakMap.ts'
import { knowsHits, knowsSamples, type Profile } from './profile.ts'
import { sizeBars } from './sizeBars.ts'
import type { PhaseColors } from './style.ts'
import { faultTable, hitTable, memoryTable, peakTable, phaseTable, sizeTable } from './tables.ts'

const PHASES_NOTE =
  'The peak is the most that was live while the phase was open, whoever took it; requests count ' +
  'for the phase that began last.'
const NO_PHASES =
  'This trace has no phases. nalloc::phase("name") names one in Rust, phase("name", work) in ' +
  'TypeScript.'
const SIZES_NOTE =
  'Requests by the size that was asked for: new blocks, and blocks that got another size.'
const HITS_NOTE = 'The share of new and moved blocks that found all their pages warm in the cache.'
const FAULTS_NOTE =
  'Page faults of the whole process, each at the sample that noticed it. Warm pages have none.'
const NO_SAMPLES = 'This trace does not say what was cached and what was resident.'

/** All parts that there is something to show in. */
export function sectionsOf(
  profiles: readonly [Profile, ...Profile[]],
  colors: PhaseColors,
): readonly Markup[] {
  const [withHits, withSamples] = [profiles.filter(knowsHits), profiles.filter(knowsSamples)]
  const withRequests = profiles.filter(({ requests }) => requests > 0)
  const hasPhases = profiles.some(({ phases }) => phases.length > 1)
  return [
    memorySection(profiles),
    section('Phases', hasPhases ? PHASES_NOTE : NO_PHASES, [phaseTable(profiles, colors)]),
    ...(withRequests.length > 0 ? [peakSection(withRequests, colors), sizeSection(profiles)] : []),
    ...(withHits.length > 0 ? [hitSection(withHits)] : []),
    ...(withSamples.length > 0 ? [faultSection(withSamples)] : []),
  ]
}

function memorySection(profiles: readonly [Profile, ...Profile[]]): Markup {
  const [{ timeline }] = profiles
  const note =
    `Each step of ${durationText(timeline.stepUs)} shows the most that it saw, shaded down to ` +
    'the least, so no peak is left out. Drag to look closer, double-click to go back.'
  const samples = profiles.some(knowsSamples) ? '' : ` ${NO_SAMPLES}`
  return section('Memory over time', note + samples, [
    chart('timeline', profiles.map(memoryAlt).join(' ')),
    ...tables(profiles, memoryTable),
  ])
}

function peakSection(profiles: readonly Profile[], colors: PhaseColors): Markup {
  const note = 'What was live when most was: areas by the phase that took a block, and by its size.'
  const isOne = profiles.length === 1
  return section('Live memory at the peak', note, [
    ...profiles.flatMap((profile) => [
      html`<p class="key">${isOne ? '' : `${profile.name}: `}${peakText(profile)}</p>\n`,
      peakMap(profile, { alt: peakAlt(profile), colors }),
      ...tables([profile], (each) => peakTable(each, colors)),
    ]),
  ])
}

function sizeSection(profiles: readonly [Profile, ...Profile[]]): Markup {
  return section('Sizes', SIZES_NOTE, [
    ...(profiles.length > 1 ? [traceKey(profiles)] : []),
    sizeBars(profiles, profiles.map(sizeAlt).join(' ')),
    details('The same as a table', sizeTable(profiles)),
  ])
}

function hitSection(profiles: readonly Profile[]): Markup {
  return section('Hit rate over time', HITS_NOTE, [
    chart('hit-rate', profiles.map(hitAlt).join(' ')),
    ...tables(profiles, hitTable),
  ])
}

function faultSection(profiles: readonly Profile[]): Markup {
  return section('Page faults over time', FAULTS_NOTE, [
    chart('page-faults', profiles.map(faultAlt).join(' ')),
    ...tables(profiles, faultTable),
  ])
}

function section(title: string, note: string, parts: readonly Markup[]): Markup {
  const figure = html`<figure>\n${parts}</figure>`
  return html`<section>\n<h2>${title}</h2>\n<p>${note}</p>\n${figure}\n</section>\n`
}

/** Where the script draws. */
function chart(id: string, alt: string): Markup {
  return html`<div class="chart" id="${id}" role="img" aria-label="${alt}"></div>\n`
}

function tables(profiles: readonly Profile[], of: (profile: Profile) => Markup): readonly Markup[] {
  return profiles.map((profile) => {
    const whose = profiles.length > 1 ? `, ${profile.name}` : ''
    return details(`The same as a table${whose}`, of(profile))
  })
}

function details(summary: string, content: Markup): Markup {
  return html`<details>\n<summary>${summary}</summary>\n${content}</details>\n`
}

/** Which colour is whose. */
function traceKey(profiles: readonly Profile[]): Markup {
  const names = profiles.map(
    ({ name }, i) => html`<span class="${i === 0 ? 'first' : 'second'}">${name}</span>`,
  )
  return html`<p class="key">${names}</p>\n`
}

function peakText({ peak }: Profile): string {
  const blocks = `${countText(peak.blocks)} ${peak.blocks === 1 ? 'block' : 'blocks'}`
  return `${sizeText(peak.bytes)} in ${blocks}, after ${durationText(peak.timeUs)}`
}

function memoryAlt(profile: Profile): string {
  const { name, durationUs, peakResidentBytes, phases } = profile
  const resident =
    peakResidentBytes === undefined
      ? ''
      : ` Resident memory was ${sizeText(peakResidentBytes)} at most.`
  const named = phases.slice(1).map((phase) => phase.name)
  const phaseNames = named.length > 0 ? ` Phases: ${named.join(', ')}.` : ''
  return (
    `Memory of ${name} over ${durationText(durationUs)}. Most was live with ` +
    `${peakText(profile)}.${resident}${phaseNames}`
  )
}

function peakAlt({ name, peak, phases }: Profile): string {
  const shown = peak.cells
    .slice(0, 3)
    .map(
      ({ phase, bytes }) =>
        `${phases[phase]?.name ?? 'outside of phases'} ${shareText(bytes, peak.bytes)}`,
    )
  return `Live memory of ${name} at its peak as areas; the largest are ${shown.join(', ')}.`
}

function sizeAlt({ name, sizes, requests }: Profile): string {
  const most = Math.max(0, ...sizes.map((size) => size.requests))
  return `Requests of ${name} by size; the commonest has ${shareText(most, requests)} of them.`
}

function hitAlt({ name, hits, misses }: Profile): string {
  return `Hit rate of ${name} over time; ${shareText(hits, hits + misses)} in all.`
}

function faultAlt({ name, faults }: Profile): string {
  return `Page faults of ${name} over time; ${countText(faults)} in all.`
}
