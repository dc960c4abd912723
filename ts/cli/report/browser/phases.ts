/// <reference types="uplot" />
// biome-ignore-all lint/correctness/noUnusedVariables: the other parts of the script use them.
// What stands around the lines: phases above and behind them, and the mark of the peak. A part of
// the page's script, which uses what `charts` has.

type Spans = import('../chartTypes.ts').PhaseSpans

const FURTHER_COLOR = '#bbbbbb'
const LANES_MAX = 8
const LANE_PX = 15
const LANE_GAP_PX = 3
const LANE_FONT = '11px system-ui, sans-serif'

/** Lanes of phases, the first open one on top; what finds no lane shares the last one. */
function lanesOf(phases: readonly Spans[]): readonly Spans[] {
  const used = phases
    .filter(({ spans }) => spans.length > 0)
    .sort((a, b) => (a.spans[0]?.[0] ?? 0) - (b.spans[0]?.[0] ?? 0))
  if (used.length <= LANES_MAX) return used
  const rest = used.slice(LANES_MAX - 1)
  const name = `${rest.length} more phases`
  const further = { name, color: FURTHER_COLOR, spans: rest.flatMap(({ spans }) => spans) }
  return [...used.slice(0, LANES_MAX - 1), further]
}

/** Where a span lies, in pixels of the canvas; undefined where it is not in sight. */
function place(plot: uPlot, [from, to]: readonly [number, number]): [number, number] | undefined {
  const { left, width } = plot.bbox
  const at = (step: number): number => plot.valToPos((step * data.stepUs) / unitUs, 'x', true)
  const [start, end] = [Math.max(left, at(from)), Math.min(left + width, at(to))]
  // However short, it can be seen.
  return end <= start ? undefined : [start, Math.max(end - start, devicePixelRatio)]
}

/** Behind the lines: when phases were open. */
function drawBands(plot: uPlot, lanes: readonly Spans[], theme: Theme): void {
  const { ctx, bbox } = plot
  ctx.save()
  for (const lane of lanes) {
    for (const span of lane.spans) {
      const [x, width] = place(plot, span) ?? [0, 0]
      if (width === 0) continue
      // Of phases inside of others, the inner one is seen.
      for (const color of [theme.back, alpha(lane.color, 0.16)]) {
        ctx.fillStyle = color
        ctx.fillRect(x, bbox.top, width, bbox.height)
      }
    }
  }
  ctx.restore()
}

/** Above the lines: the same with names. */
function drawLanes(plot: uPlot, lanes: readonly Spans[], theme: Theme): void {
  const { ctx, bbox } = plot
  const scale = devicePixelRatio
  ctx.save()
  ctx.font = scaled(LANE_FONT, scale)
  ctx.textBaseline = 'middle'
  for (const [i, lane] of lanes.entries()) {
    const y = (i * (LANE_PX + LANE_GAP_PX) + 2) * scale
    const height = LANE_PX * scale
    ctx.fillStyle = lane.color
    for (const span of lane.spans) {
      const [x, width] = place(plot, span) ?? [0, 0]
      if (width > 0) ctx.fillRect(x, y, width, height)
    }
    ctx.fillStyle = theme.text
    ctx.textAlign = 'right'
    const room = bbox.left - 8 * scale
    ctx.fillText(fitted(ctx, lane.name, room), bbox.left - 6 * scale, y + height / 2)
  }
  ctx.restore()
}

/** The most that was live, and when. */
function drawPeak(plot: uPlot, { peakUs, peakBytes }: Trace, theme: Theme): void {
  const { ctx, bbox } = plot
  const scale = devicePixelRatio
  const [x, y] = [plot.valToPos(peakUs / unitUs, 'x', true), plot.valToPos(peakBytes, 'y', true)]
  if (x < bbox.left || x > bbox.left + bbox.width || y < bbox.top) return
  ctx.save()
  ctx.fillStyle = theme.text
  ctx.beginPath()
  ctx.arc(x, y, 3 * scale, 0, 2 * Math.PI)
  ctx.fill()
  ctx.font = scaled(FONT, scale)
  const isLeft = x < bbox.left + bbox.width / 2
  ctx.textAlign = isLeft ? 'left' : 'right'
  ctx.textBaseline = 'middle'
  const text = `peak ${bytesText(peakBytes, 1)}`
  const [start, middle] = [x + (isLeft ? 8 : -8) * scale, y - 10 * scale]
  const width = ctx.measureText(text).width
  ctx.fillStyle = alpha(theme.back, 0.85)
  ctx.fillRect(
    start - (isLeft ? 3 * scale : width + 3 * scale),
    middle - 8 * scale,
    width + 6 * scale,
    16 * scale,
  )
  ctx.fillStyle = theme.text
  ctx.fillText(text, start, middle)
  ctx.restore()
}

function scaled(font: string, scale: number): string {
  return font.replace(/\d+/, (px) => String(Number(px) * scale))
}

/** A name, cut where it does not fit. */
function fitted(ctx: CanvasRenderingContext2D, name: string, room: number): string {
  if (ctx.measureText(name).width <= room) return name
  let end = name.length
  while (end > 1 && ctx.measureText(`${name.slice(0, end)}…`).width > room) end -= 1
  return `${name.slice(0, end)}…`
}
