// The page: one file that needs nothing else, from the network or beside it.
//
// Its policy (CSP) allows the one script and the one style that stand in it, by their digests, and
// nothing more. What comes from a trace is text everywhere (see `markup`).

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { countText } from '../quantities.ts'
import { chartDataOf } from './chartData.ts'
import { factList } from './facts.ts'
import { html, jsonMarkup, Markup } from './markup.ts'
import type { Profile } from './profile.ts'
import { sectionsOf } from './sections.ts'
import { PhaseColors, STYLE } from './style.ts'

/** Made by the build: uPlot with its licence, and the script that draws with it. */
const ASSETS = path.join(__dirname, 'browser')

/** The page for one trace, or for one and another that it is compared with. */
export function pageOf(profiles: readonly [Profile, ...Profile[]]): string {
  const [profile, other] = profiles
  const colors = new PhaseColors(profiles.flatMap(({ phases }) => phases.map(({ name }) => name)))
  // First, because it brings all traces to one scale of time.
  const data = chartDataOf(profiles, colors)
  const [script, style] = [scriptOf(), `${asset('uPlot.css')}\n${STYLE}`]
  const title = other ? `${profile.name} against ${other.name}` : profile.name
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policyOf(script, style))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="nalloc report">
<title>Memory: ${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${profiles.map(processLine)}
${profiles.map(notes)}
</header>
<main>
${factList(profiles)}
${sectionsOf(profiles, colors)}
</main>
<footer>Blocks of 64 KiB and more, as nalloc's heap saw them. Made by nalloc report; this page loads
nothing from anywhere.</footer>
<script type="application/json" id="data">${jsonMarkup(data)}</script>
<script>${new Markup(script)}</script>
</body>
</html>
`.text
}

function policyOf(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src '${digestOf(script)}'`,
    `style-src '${digestOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

/** Whose trace it is. */
function processLine({ process }: Profile): Markup {
  if (!process) return html``
  const { program, pid, startUnixMs, recorder, recorderVersion } = process
  const start = `${new Date(startUnixMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`
  const by = `${recorder} ${recorderVersion}`
  return html`<p>${program || 'a program'}, process ${pid}, from ${start}, recorded by ${by}</p>\n`
}

/** Why a trace holds less than what happened, and what was refused. */
function notes({ name, shortfalls, refusals }: Profile): readonly Markup[] {
  const requests = `${countText(refusals)} ${refusals === 1 ? 'request' : 'requests'}`
  const refused = `${requests} got no memory: a limit was met, or none was left.`
  const sentences = refusals > 0 ? [...shortfalls, refused] : shortfalls
  return sentences.map((sentence) => html`<p class="note">${name}: ${sentence}</p>\n`)
}

/** uPlot under its licence, then ours. */
function scriptOf(): string {
  return ['uPlot.js', 'texts.js', 'phases.js', 'charts.js'].map(asset).join('\n')
}

function asset(name: string): string {
  const text = fs.readFileSync(path.join(ASSETS, name), 'utf8')
  // It would end the element around it.
  const stranger = /<\/(script|style)|<!--/i.exec(text)
  if (stranger) throw new Error(`${name}: expected no ${stranger[0]}, found one`)
  return text
}

function digestOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
