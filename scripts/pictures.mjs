// Draws docs/pictures/*.svg from the records in benches/record: `npm run pictures`. Each picture has
// a light and a dark twin; the page chooses. CI draws them again and compares.

import fs from 'node:fs'
import path from 'node:path'
import { parse, View } from 'vega'
import { compile } from 'vega-lite'
import { proofTimes } from './pictures/proof-times.mjs'
import { proverTimes } from './pictures/prover-times.mjs'
import { residentMemory } from './pictures/resident-memory.mjs'
import { root } from './steps.mjs'

const THEMES = [
  { name: 'light', text: '#24292f', grid: '#d0d7de', ours: '#1a7f37', others: '#8c959f' },
  { name: 'dark', text: '#e6edf3', grid: '#30363d', ours: '#3fb950', others: '#6e7681' },
]
const PICTURES = {
  'proof-times': proofTimes,
  'prover-times': proverTimes,
  'resident-memory': residentMemory,
}

for (const [name, picture] of Object.entries(PICTURES)) {
  for (const theme of THEMES) {
    const { spec } = compile(picture(theme))
    const svg = await new View(parse(spec), { renderer: 'none' }).toSVG()
    fs.writeFileSync(path.join(root, 'docs/pictures', `${name}-${theme.name}.svg`), `${svg}\n`)
  }
}
