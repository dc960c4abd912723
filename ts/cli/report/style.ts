// How the page looks: light and dark as the reader's system is, and on paper.

/** Of phases, in turn: Tol's light scheme, told apart by all, on which dark text can be read. */
const PHASE_COLORS = [
  '#77aadd',
  '#ee8866',
  '#eedd88',
  '#44bb99',
  '#ffaabb',
  '#bbcc33',
  '#99ddff',
  '#aaaa00',
] as const
/** What happened outside of phases. */
const OUTSIDE_COLOR = '#c4c9d0'
const COLORS = [OUTSIDE_COLOR, ...PHASE_COLORS]

const RULES = `
:root {
  color-scheme: light dark;
  --back: #ffffff; --card: #f6f8fa; --line: #d8dee4; --text: #24292f; --faint: #57606a;
  --live: #0072b2; --other: #c77700;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --back: #0d1117; --card: #161b22; --line: #30363d; --text: #e6edf3; --faint: #9198a1;
    --live: #56b4e9; --other: #e69f00;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1120px; padding: 24px 20px 48px;
  background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
header h1 { font-size: 22px; margin: 0; overflow-wrap: anywhere; }
header p { margin: 2px 0 0; color: var(--faint); }
h2 { font-size: 17px; margin: 36px 0 4px; }
section > p, .note { margin: 0 0 10px; color: var(--faint); max-width: 78ch; }
.note {
  border-left: 3px solid var(--other); padding: 4px 12px; margin-top: 14px; color: var(--text);
}
.facts {
  display: grid; gap: 10px; margin: 18px 0 0; padding: 0;
  grid-template-columns: repeat(6, 1fr);
}
@media screen and (max-width: 900px) { .facts { grid-template-columns: repeat(3, 1fr); } }
@media screen and (max-width: 520px) { .facts { grid-template-columns: repeat(2, 1fr); } }
.facts div {
  background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 10px 14px;
}
.facts dt { color: var(--faint); font-size: 13px; }
.facts dd { margin: 0; }
.facts dd:first-of-type { font-size: 20px; font-weight: 600; line-height: 1.3; }
.facts .more { color: var(--faint); font-size: 13px; }
.facts .against { font-size: 13px; }
figure { margin: 0; }
.chart { min-height: 120px; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--text); }
svg .faint { fill: var(--faint); }
svg .on-color { fill: #1b1f24; }
svg .on-color.strong { font-weight: 600; }
svg .cell { stroke: var(--back); stroke-width: 1.5; }
svg .first { fill: var(--live); }
svg .second { fill: var(--other); }
table { border-collapse: collapse; font-size: 14px; margin-top: 8px; }
.wide { overflow-x: auto; }
th, td {
  text-align: right; padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line);
  white-space: nowrap;
}
th { color: var(--faint); font-weight: 500; }
th:first-child, td:first-child { text-align: left; }
td.name { max-width: 36ch; overflow: hidden; text-overflow: ellipsis; }
.swatch { display: inline-block; width: 10px; height: 10px; margin-right: 8px; }
details { margin-top: 6px; }
summary { cursor: pointer; color: var(--faint); font-size: 14px; }
.key { color: var(--faint); font-size: 13px; margin: 0 0 6px; }
.key .first::before, .key .second::before {
  content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 2px;
  margin-right: 6px;
}
.key .first::before { background: var(--live); }
.key .second::before { background: var(--other); }
.key span { margin-right: 16px; }
.uplot .u-legend { text-align: left; font-size: 13px; margin: 2px 0 0; }
.uplot .u-legend th, .uplot .u-legend td { border: 0; padding: 2px 4px; }
.uplot .u-legend .least { display: none; }
.uplot .u-legend th { font-weight: 400; color: var(--text); }
.u-legend .u-value { min-width: 11ch; text-align: left; }
.u-legend .u-value:empty::after { content: "–"; }
.u-select { background: color-mix(in srgb, var(--live) 15%, transparent); }
.u-hz .u-cursor-x, .u-vt .u-cursor-y { border-right: 1px dashed var(--faint); }
footer { margin-top: 44px; color: var(--faint); font-size: 13px; }
@media print {
  body { max-width: none; padding: 0; font-size: 11px; }
  h1, h2, section > p, .key { break-after: avoid; }
  h2 { margin-top: 20px; }
  .facts { grid-template-columns: repeat(6, 1fr); gap: 6px; }
  .facts div { padding: 6px 8px; }
  .facts dd:first-of-type { font-size: 15px; }
  .facts dt, .facts .more, .facts .against { font-size: 10px; }
  .chart, svg, tr, .facts div { break-inside: avoid; }
  .wide { overflow: visible; }
  table { font-size: 9px; }
  th, td { padding: 1px 10px 1px 0; }
  summary { list-style: none; break-after: avoid; font-size: 10px; }
  .uplot .u-legend .u-value { display: none; }
}
`

/** The colours of phases by name, the same in every trace of a page; undefined is none of them. */
export class PhaseColors {
  readonly #numbers = new Map<string | undefined, number>([[undefined, 0]])

  /** For these names; the first ones differ most. */
  constructor(names: readonly (string | undefined)[]) {
    for (const name of names) {
      if (!this.#numbers.has(name)) this.#numbers.set(name, this.#numbers.size)
    }
  }

  colorOf(name: string | undefined): string {
    return COLORS[this.#numberOf(name)] ?? OUTSIDE_COLOR
  }

  /** The class of what has the colour of a phase. */
  classOf(name: string | undefined): string {
    return `phase-${this.#numberOf(name)}`
  }

  #numberOf(name: string | undefined): number {
    const number = this.#numbers.get(name) ?? 0
    return number === 0 ? 0 : ((number - 1) % PHASE_COLORS.length) + 1
  }
}

/** What the page's style element says beside uPlot's own rules. */
export const STYLE = [
  RULES,
  ...COLORS.map((color, i) => `.phase-${i} { fill: ${color}; background: ${color}; }\n`),
].join('')
