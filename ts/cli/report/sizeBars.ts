// The histogram of sizes, as SVG.

import { countText, sizeText } from '../quantities.ts'
import { fixed, html, type Markup } from './markup.ts'
import type { Profile, SizeProfile } from './profile.ts'
import { classText, sizeClasses } from './sizes.ts'

const WIDTH = 1080
/** Left of the bars, for the names of classes. */
const GUTTER = 130
const GAP = 40
const PANEL = (WIDTH - GUTTER - GAP) / 2
/** Behind the longest bar, for its number. */
const NUMBER_ROOM = 84
const HEAD = 24
/** What a row has for the bar of each trace, and between rows. */
const BAR = 17
const ROW_GAP = 6

/** What a panel shows. */
interface Measure {
  readonly title: string
  readonly of: (size: SizeProfile) => number
  readonly text: (value: number) => string
}

const MEASURES: readonly Measure[] = [
  { title: 'requests', of: ({ requests }) => requests, text: countText },
  { title: 'bytes requested', of: ({ bytes }) => bytes, text: sizeText },
]

/** Requests and their bytes by size; bars of a second trace stand below those of the first. */
export function sizeBars(profiles: readonly Profile[], alt: string): Markup {
  const classes = sizeClasses(profiles)
  const rowHeight = profiles.length * BAR + ROW_GAP
  const labels = classes.map((log2Bytes, row) => {
    const place = html`x="${GUTTER - 12}" y="${HEAD + (row + 0.5) * rowHeight + 4}"`
    return html`<text ${place} text-anchor="end">${classText(log2Bytes)}</text>\n`
  })
  const panels = MEASURES.map((measure, i) =>
    panel({ measure, classes, profiles, rowHeight, left: GUTTER + i * (PANEL + GAP) }),
  )
  const size = html`viewBox="0 0 ${WIDTH} ${HEAD + classes.length * rowHeight}"`
  return html`<svg ${size} role="img" aria-label="${alt}">\n${labels}${panels}</svg>\n`
}

interface Panel {
  readonly measure: Measure
  readonly classes: readonly number[]
  readonly profiles: readonly Profile[]
  readonly rowHeight: number
  /** Where its bars begin. */
  readonly left: number
}

function panel({ measure, classes, profiles, rowHeight, left }: Panel): Markup {
  const { of, text, title } = measure
  const most = Math.max(1, ...profiles.flatMap(({ sizes }) => sizes.map(of)))
  const bars = classes.flatMap((log2Bytes, row) =>
    profiles.map(({ sizes }, at) => {
      const size = sizes.find((found) => found.log2Bytes === log2Bytes)
      const value = size ? of(size) : 0
      if (value === 0) return ''
      const y = HEAD + row * rowHeight + ROW_GAP / 2 + at * BAR
      // However little, it can be seen.
      const length = Math.max(1, (value / most) * (PANEL - NUMBER_ROOM))
      const extent = html`width="${fixed(length)}" height="${fixed(BAR - 1)}"`
      const place = html`x="${fixed(left + length + 6)}" y="${fixed(y + BAR / 2 + 4)}"`
      return html`<rect x="${left}" y="${fixed(y)}" ${extent} rx="1.5" class="${
        at === 0 ? 'first' : 'second'
      }"/><text ${place} class="faint">${text(value)}</text>\n`
    }),
  )
  return html`<text x="${left}" y="12" class="faint">${title}</text>\n${bars}`
}
