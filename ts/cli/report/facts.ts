// The figures that a reader wants first.

import { countText, durationText, shareText, sizeText } from '../quantities.ts'
import { html, type Markup } from './markup.ts'
import { knowsHits, knowsSamples, type Profile } from './profile.ts'

const UNKNOWN = '–'

/** A figure of one trace, and that of another one beside it. */
interface Fact {
  readonly name: string
  readonly of: (profile: Profile) => string
  readonly more?: (profile: Profile) => string
}

const FACTS: readonly Fact[] = [
  {
    name: 'Peak live',
    of: ({ peak }) => sizeText(peak.bytes),
    more: ({ peakPagesBytes, peak }) =>
      peakPagesBytes === undefined
        ? `${countText(peak.blocks)} blocks`
        : `${sizeText(peakPagesBytes)} in whole pages`,
  },
  {
    name: 'Peak resident',
    of: ({ peakResidentBytes }) =>
      peakResidentBytes === undefined ? UNKNOWN : sizeText(peakResidentBytes),
    more: (profile) =>
      profile.peakCachedBytes === undefined
        ? 'not in this trace'
        : `${sizeText(profile.peakCachedBytes)} cached at most`,
  },
  {
    name: 'Requests',
    of: ({ requests }) => countText(requests),
    more: ({ bytes, threadCount: threads }) =>
      `${sizeText(bytes)}, by ${countText(threads)} ${threads === 1 ? 'thread' : 'threads'}`,
  },
  {
    name: 'Hit rate',
    of: (profile) =>
      knowsHits(profile) ? shareText(profile.hits, profile.hits + profile.misses) : UNKNOWN,
    more: (profile) => (knowsHits(profile) ? 'found all pages warm' : 'not in this trace'),
  },
  {
    name: 'Page faults',
    of: (profile) => (knowsSamples(profile) ? countText(profile.faults) : UNKNOWN),
    more: (profile) => (knowsSamples(profile) ? 'of the process' : 'not in this trace'),
  },
  {
    name: 'Time',
    of: ({ durationUs }) => durationText(durationUs),
    more: ({ eventCount }) => `${countText(eventCount)} events`,
  },
]

/** The figures that a reader wants first. */
export function factList([first, other]: readonly Profile[]): Markup {
  if (!first) return html``
  const rows = FACTS.map(
    ({ name, of, more }) =>
      html`<div><dt>${name}</dt><dd>${of(first)}</dd>${
        more ? html`<dd class="more">${more(first)}</dd>` : ''
      }${other ? html`<dd class="against">against ${of(other)}</dd>` : ''}</div>\n`,
  )
  return html`<dl class="facts">\n${rows}</dl>\n`
}
