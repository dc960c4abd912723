// Draws docs/pictures/*.svg from the records in benches/record: `npm run pictures`. Each picture has
// a light and a dark twin; the page chooses. CI draws them again and compares.

import fs from 'node:fs'
import path from 'node:path'
import { parse, View } from 'vega'
import { compile } from 'vega-lite'
import { root } from './steps.mjs'

const THEMES = [
  { name: 'light', text: '#24292f', ours: '#1a7f37', others: '#8c959f' },
  { name: 'dark', text: '#e6edf3', ours: '#3fb950', others: '#6e7681' },
]

/** The newest record of each prover on one circuit, as the bars need it. */
function newestProofs(circuit) {
  const rows = readRecords('groth16.csv').filter((row) => row.case === circuit)
  const newest = new Map(rows.map((row) => [row.contestant, row]))
  return [...newest.values()]
    .map(({ contestant, median }) => ({ prover: contestant, ms: Number(median) }))
    .sort((a, b) => a.ms - b.ms)
}

function proofTimes({ text, ours, others }) {
  const rows = newestProofs('semaphore-20')
  const y = { field: 'prover', type: 'nominal', title: null, sort: null }
  const x = { field: 'ms', type: 'quantitative' }
  return {
    description:
      'Milliseconds of one warm Groth16 proof: nalloc without and with tables, and snarkjs',
    title: 'One warm proof, Semaphore depth 20, two cores: milliseconds',
    width: 560,
    height: 90,
    background: 'transparent',
    data: { values: rows },
    encoding: { y, x: { ...x, axis: null } },
    layer: [
      {
        mark: { type: 'bar', cornerRadiusEnd: 2 },
        encoding: {
          color: {
            condition: { test: "indexof(datum.prover, 'nalloc') === 0", value: ours },
            value: others,
          },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6, color: text, fontSize: 13 },
        encoding: { text: { field: 'ms', format: '.0f' } },
      },
    ],
    config: {
      view: { stroke: null },
      axis: { labelColor: text, labelFontSize: 13, domain: false, ticks: false, labelPadding: 8 },
      title: { color: text, fontSize: 14, anchor: 'start', fontWeight: 'normal' },
    },
  }
}

/** A CSV of ours: a header, no line breaks inside of fields. */
function readRecords(name) {
  const text = fs.readFileSync(path.join(root, 'benches/record', name), 'utf8')
  const [header, ...rows] = text.trimEnd().split('\n').map(splitRow)
  return rows.map((row) => Object.fromEntries(header.map((column, i) => [column, row[i]])))
}

function splitRow(line) {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain,
  )
}

for (const theme of THEMES) {
  const { spec } = compile(proofTimes(theme))
  const svg = await new View(parse(spec), { renderer: 'none' }).toSVG()
  const file = path.join(root, 'docs/pictures', `proof-times-${theme.name}.svg`)
  fs.writeFileSync(file, `${svg}\n`)
}
