// The treemap of what was live at the peak, as SVG: phases, and sizes inside of each.

import { countText, sizeText } from '../quantities.ts'
import type { Cell } from './census.ts'
import { fixed, html, type Markup } from './markup.ts'
import type { Profile } from './profile.ts'
import { classText } from './sizes.ts'
import type { PhaseColors } from './style.ts'
import { sum } from './timeRows.ts'
import { type Box, squarified } from './treemap.ts'

const MAP: Box = { x: 0, y: 0, width: 1080, height: 420 }
/** Narrower and lower rectangles have no text. */
const LABEL_MIN = { width: 64, height: 20 }
const CHAR_WIDTH = 7
const LINE_HEIGHT = 16

/** How the rectangles of a phase look. */
interface Look {
  /** Undefined where there are no phases. */
  readonly name: string | undefined
  /** The class of its colour. */
  readonly style: string
}

/** A rectangle for each cell of the peak, with an area like its bytes. */
export function peakMap(
  profile: Profile,
  { alt, colors }: { readonly alt: string; readonly colors: PhaseColors },
): Markup {
  const byPhase = cellsByPhase(profile.peak.cells)
  const boxes = squarified(
    byPhase.map(({ bytes }) => bytes),
    MAP,
  )
  const groups = byPhase.map(({ phase, cells }, i) => {
    const name = profile.phases[phase]?.name
    const isOnly = profile.phases.length === 1
    const shown = isOnly ? undefined : (name ?? 'outside of phases')
    const look = { name: shown, style: colors.classOf(name) }
    const inner = squarified(
      cells.map(({ bytes }) => bytes),
      boxes[i] as Box,
    )
    return cells.map((cell, at) => cellOf(cell, look, inner[at] as Box))
  })
  const size = html`viewBox="0 0 ${MAP.width} ${MAP.height}"`
  return html`<svg ${size} role="img" aria-label="${alt}">\n${groups}</svg>\n`
}

function cellOf({ log2Bytes, bytes, blocks }: Cell, { name, style }: Look, box: Box): Markup {
  const count = `${countText(blocks)} ${blocks === 1 ? 'block' : 'blocks'}`
  const names = name === undefined ? [] : [name]
  const lines = [...names, classText(log2Bytes), `${sizeText(bytes)}, ${count}`]
  const [place, extent] = [
    html`x="${fixed(box.x)}" y="${fixed(box.y)}"`,
    html`width="${fixed(box.width)}" height="${fixed(box.height)}"`,
  ]
  const rect = html`<rect ${place} ${extent} class="cell ${style}"/>`
  return html`<g><title>${lines.join(', ')}</title>${rect}${labels(lines, box)}</g>\n`
}

/** As many lines as there is room for, each cut where it does not fit. */
function labels(lines: readonly string[], box: Box): readonly Markup[] {
  if (box.width < LABEL_MIN.width || box.height < LABEL_MIN.height) return []
  const room = Math.floor((box.width - 14) / CHAR_WIDTH)
  return lines.slice(0, Math.floor((box.height - 4) / LINE_HEIGHT)).map((line, i) => {
    const text = line.length <= room ? line : `${line.slice(0, room - 1)}…`
    const place = html`x="${fixed(box.x + 8)}" y="${fixed(box.y + LINE_HEIGHT * (i + 1) + 2)}"`
    return html`<text ${place} class="on-color${i === 0 ? ' strong' : ''}">${text}</text>`
  })
}

function cellsByPhase(cells: readonly Cell[]) {
  const phases = [...new Set(cells.map(({ phase }) => phase))]
  return phases
    .map((phase) => {
      const own = cells.filter((cell) => cell.phase === phase)
      return { phase, cells: own, bytes: sum(own.map(({ bytes }) => bytes)) }
    })
    .sort((a, b) => b.bytes - a.bytes)
}
