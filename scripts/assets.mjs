// Puts what the page of `nalloc report` is made of beside the code that makes it: uPlot, which is
// MIT, with its licence in front. So uPlot need not be installed where nalloc is.

import fs from 'node:fs'
import path from 'node:path'
import { root } from './steps.mjs'

const FILES = [
  ['uPlot.iife.min.js', 'uPlot.js'],
  ['uPlot.min.css', 'uPlot.css'],
]

export function writeAssets() {
  const from = path.join(root, 'node_modules/uplot')
  const folder = path.join(root, 'dist/cli/report/browser')
  const licence = fs.readFileSync(path.join(from, 'LICENSE'), 'utf8').trim()
  fs.mkdirSync(folder, { recursive: true })
  for (const [source, target] of FILES) {
    const text = fs.readFileSync(path.join(from, 'dist', source), 'utf8')
    fs.writeFileSync(path.join(folder, target), `/*\nuPlot\n\n${licence}\n*/\n${text}`)
  }
}
