/// <reference types="uplot" />
// Draws the charts of a report, in a browser: the last part of the page's script, which stands
// behind uPlot, `texts` and `phases`. What it draws stands in the page as JSON, and as tables for
// those who do not see it.
//
// Of each step of time the page has the least and the most: the line is the most, and the area
// below it down to the least is shaded, so that no peak is lost, however short it was.

interface Theme {
  readonly back: string
  readonly text: string
  readonly faint: string
  readonly grid: string
  readonly live: string
  readonly cached: string
  readonly resident: string
}

type Data = import('../chartTypes.ts').ChartData
type Trace = import('../chartTypes.ts').TraceData
type Values = import('../chartTypes.ts').Values

/** Of Okabe and Ito's colours, which all can tell apart, in two degrees of lightness. */
const LIGHT: Theme = {
  back: '#ffffff',
  text: '#24292f',
  faint: '#656d76',
  grid: '#d8dee4',
  live: '#0072b2',
  cached: '#c77700',
  resident: '#4d5560',
}
const DARK: Theme = {
  back: '#0d1117',
  text: '#e6edf3',
  faint: '#9198a1',
  grid: '#30363d',
  live: '#56b4e9',
  cached: '#e69f00',
  resident: '#b7bdc8',
}
const GUTTER_PX = 92
const RIGHT_PX = 16
const BARS_MAX = 160
const FONT = '12px system-ui, sans-serif'
const DASH = [6, 4]
const BYTE_STEPS = Array.from({ length: 50 }, (_, i) => 2 ** i)
const data = JSON.parse(document.getElementById('data')?.textContent ?? '') as Data
const darkScreen = matchMedia('(prefers-color-scheme: dark)')
const [unitUs, unitName] = timeUnit(data.steps * data.stepUs)
/** Bars stand for so many steps. */
const spanSteps = Math.ceil(data.steps / BARS_MAX)
/** All charts end here, where the last bar does. */
const endStep = Math.ceil(data.steps / spanSteps) * spanSteps
let charts: { readonly plot: uPlot; readonly place: HTMLElement }[] = []

/** Draws everything anew. */
function draw(theme: Theme): void {
  for (const { plot } of charts) plot.destroy()
  charts = []
  add('timeline', (width) => timeline(theme, width))
  add('hit-rate', (width) => hitRate(theme, width))
  add('page-faults', (width) => pageFaults(theme, width))
}

function add(id: string, optionsOf: (width: number) => [uPlot.Options, uPlot.AlignedData]): void {
  const place = document.getElementById(id)
  if (!place) return
  const [options, values] = optionsOf(place.clientWidth)
  charts.push({ plot: new uPlot(options, values, place), place })
}

/** Live, cached and resident memory of every trace, below the lanes of the first one's phases. */
function timeline(theme: Theme, width: number): [uPlot.Options, uPlot.AlignedData] {
  const series: uPlot.Series[] = [time()]
  const bands: uPlot.Band[] = []
  const columns: Values[] = []
  for (const [index, trace] of data.traces.entries()) {
    for (const gauge of ['resident', 'cached', 'live'] as const) {
      const extremes = trace[gauge]
      if (!extremes) continue
      const label = data.traces.length > 1 ? `${gauge}, ${trace.name}` : gauge
      const most = line(theme[gauge], label, index)
      const least = hidden()
      if (gauge === 'live' && index === 0) least.fill = alpha(theme.live, 0.12)
      const value = (plot: uPlot, _: number, at: number, i: number | null): string =>
        bytesBetween(plot.data[at + 1]?.[i ?? -1], plot.data[at]?.[i ?? -1])
      series.push({ ...most, value }, { ...least, label: `least ${label}` })
      bands.push({ series: [series.length - 2, series.length - 1], fill: alpha(theme[gauge], 0.3) })
      columns.push(extremes.max, extremes.min)
    }
  }
  const [first] = data.traces as [Trace]
  const lanes = lanesOf(first.phases)
  const options: uPlot.Options = {
    ...common(theme, width, 300 + lanes.length * (LANE_PX + LANE_GAP_PX)),
    padding: [lanes.length * (LANE_PX + LANE_GAP_PX) + 22, RIGHT_PX, 0, 0],
    scales: { x: { time: false }, y: { range: fromZero } },
    axes: [timeAxis(theme), { ...axis(theme, 'memory'), incrs: BYTE_STEPS, values: byteTicks }],
    series,
    bands,
    hooks: {
      drawClear: [(plot) => drawBands(plot, lanes, theme)],
      draw: [(plot) => drawLanes(plot, lanes, theme), (plot) => drawPeak(plot, first, theme)],
      setSeries: [hideWithTwin],
    },
  }
  return [options, columnsOf(columns)]
}

/** Hits as a part of all, in spans of time: no bar where nothing was asked for. */
function hitRate(theme: Theme, width: number): [uPlot.Options, uPlot.AlignedData] {
  const series: uPlot.Series[] = [time()]
  const columns: Values[] = []
  for (const [index, trace] of data.traces.entries()) {
    if (!trace.hits || !trace.misses) continue
    const [hits, misses] = [inSpans(trace.hits), inSpans(trace.misses)]
    const all = hits.map((hit, i) => hit + (misses[i] ?? 0))
    const label = data.traces.length > 1 ? `hit rate, ${trace.name}` : 'hit rate'
    const rates = hits.map((hit, i) => share(hit, all[i] ?? 0))
    const value = (_: uPlot, y: number | null): string => percentText(y)
    if (index === 0) {
      const missed = (plot: uPlot, _: number, at: number, i: number | null): string =>
        percentText(complement(plot.data[at + 1]?.[i ?? -1]))
      series.push({ ...bars(theme.cached), label: 'misses', value: missed })
      columns.push(all.map((count) => (count > 0 ? 100 : null)))
      series.push({ ...bars(theme.live), label, value })
    } else series.push({ ...dots(theme.resident), label, value })
    columns.push(rates)
  }
  const values = (_: uPlot, ticks: number[]): string[] => ticks.map((tick) => `${tick} %`)
  const range = (): [number, number] => [0, 100]
  return [
    {
      ...common(theme, width, 170),
      padding: [12, RIGHT_PX, 0, 0],
      scales: { x: { time: false }, y: { range } },
      axes: [timeAxis(theme), { ...axis(theme, 'hit rate'), values }],
      series,
    },
    spansOf(columns),
  ]
}

/** Page faults in spans of time. */
function pageFaults(theme: Theme, width: number): [uPlot.Options, uPlot.AlignedData] {
  const traces = data.traces.filter(({ faults }) => faults)
  const what = `faults in ${durationText(spanSteps * data.stepUs)}`
  const series = traces.map((trace): uPlot.Series => {
    const index = data.traces.indexOf(trace)
    const label = data.traces.length > 1 ? `${what}, ${trace.name}` : what
    const value = (_: uPlot, y: number | null): string => y?.toLocaleString('en-US') ?? '–'
    return { ...(index === 0 ? bars(theme.cached) : dots(theme.resident)), label, value }
  })
  const values = (_: uPlot, ticks: number[]): string[] =>
    ticks.map((tick) => tick.toLocaleString('en-US'))
  return [
    {
      ...common(theme, width, 170),
      padding: [12, RIGHT_PX, 0, 0],
      scales: { x: { time: false }, y: { range: fromZero } },
      axes: [timeAxis(theme), { ...axis(theme, 'page faults'), values }],
      series: [time(), ...series],
    },
    spansOf(traces.map(({ faults }) => inSpans(faults ?? []))),
  ]
}

/** Sums of the steps of each span. */
function inSpans(steps: Values): number[] {
  const sums = Array.from({ length: Math.ceil(steps.length / spanSteps) }, () => 0)
  for (const [i, step] of steps.entries()) {
    const span = Math.floor(i / spanSteps)
    sums[span] = (sums[span] ?? 0) + (step ?? 0)
  }
  return sums
}

function share(part: number, whole: number): number | null {
  return whole > 0 ? (100 * part) / whole : null
}

function complement(percent: number | null | undefined): number | null {
  return typeof percent === 'number' ? 100 - percent : null
}

/** The starts of spans, and their columns; the axis is that of the timeline. */
function spansOf(columns: readonly Values[]): uPlot.AlignedData {
  const spans = endStep / spanSteps
  const spanUs = spanSteps * data.stepUs
  const times = Array.from({ length: spans + 1 }, (_, i) => (i * spanUs) / unitUs)
  return [times, ...columns.map((column) => times.map((_, i) => column[i] ?? null))]
}

function bars(color: string): uPlot.Series {
  const paths = uPlot.paths.bars?.({ align: 1, size: [0.9, Number.POSITIVE_INFINITY], gap: 1 })
  return { fill: color, width: 0, ...(paths && { paths }), points: { show: false } }
}

function dots(color: string): uPlot.Series {
  return { stroke: color, paths: () => null, points: { show: true, size: 5, fill: color } }
}

/** Times, and each column filled to the longest trace; the last step is drawn to its end. */
function columnsOf(columns: readonly Values[]): uPlot.AlignedData {
  const times = Array.from({ length: endStep + 1 }, (_, i) => (i * data.stepUs) / unitUs)
  const full = columns.map((column) => {
    const values: (number | null)[] = [...column]
    if (values.length > 0) values.push(values.at(-1) ?? null)
    while (values.length <= endStep) values.push(null)
    return values
  })
  return [times, ...full]
}

function common(
  theme: Theme,
  width: number,
  height: number,
): Pick<uPlot.Options, 'width' | 'height' | 'cursor' | 'legend' | 'focus'> {
  return {
    width,
    height,
    cursor: { sync: { key: 'report', setSeries: false }, points: { size: 6, fill: theme.text } },
    legend: {
      live: true,
      markers: { dash: (plot, at) => (plot.series[at]?.dash ? 'dashed' : 'solid') },
    },
  }
}

function time(): uPlot.Series {
  const value = (_: uPlot, x: number | null): string => (x === null ? '' : durationText(x * unitUs))
  return { label: 'time', value }
}

function line(stroke: string, label: string, trace: number): uPlot.Series {
  const paths = uPlot.paths.stepped?.({ align: 1 })
  return {
    label,
    stroke,
    width: trace === 0 ? 1.6 : 1.3,
    ...(trace > 0 && { dash: DASH }),
    ...(paths && { paths }),
    points: { show: false },
  }
}

function hidden(): uPlot.Series {
  const paths = uPlot.paths.stepped?.({ align: 1 })
  return { class: 'least', ...(paths && { paths }), points: { show: false } }
}

/** What is below a line is hidden with it. */
function hideWithTwin(plot: uPlot, at: number | null, { show }: uPlot.Series): void {
  if (at === null || show === undefined || plot.series[at]?.class === 'least') return
  if (plot.series[at + 1]?.class === 'least') plot.setSeries(at + 1, { show })
}

function axis(theme: Theme, label: string): uPlot.Axis {
  return {
    label,
    labelFont: FONT,
    font: FONT,
    labelSize: 18,
    size: GUTTER_PX - 18,
    stroke: theme.faint,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { show: false },
  }
}

function timeAxis(theme: Theme): uPlot.Axis {
  return { ...axis(theme, `time since the start, ${unitName}`), size: 26, grid: { show: false } }
}

function fromZero(_: uPlot, __: number, most: number): [number, number] {
  return [0, most > 0 ? most * 1.05 : 1]
}

function byteTicks(_: uPlot, ticks: number[]): string[] {
  return ticks.map((tick) => bytesText(tick, 1))
}

function alpha(color: string, opacity: number): string {
  const byte = Math.round(opacity * 255)
  return `${color}${byte.toString(16).padStart(2, '0')}`
}

/** As the screen is, or light on paper. */
function drawForScreen(): void {
  draw(darkScreen.matches ? DARK : LIGHT)
}

drawForScreen()
darkScreen.addEventListener('change', drawForScreen)
addEventListener('resize', () => {
  for (const { plot, place } of charts) {
    if (place.clientWidth !== plot.width) {
      plot.setSize({ width: place.clientWidth, height: plot.height })
    }
  }
})
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true
  draw(LIGHT)
})
addEventListener('afterprint', drawForScreen)
