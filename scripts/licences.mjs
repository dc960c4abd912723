// What is linked into the binaries, and whether it may be: the licences, duplicates and sources that
// deny.toml allows, without cargo-deny. `npm run check:licences`. Advisories are not looked up: their
// database is in no registry; the workflow on hosted runners does it.
//
// Linked is what the addon and the library of `nalloc run` depend on in any of the four targets, but
// for procedural macros and build scripts, which run on the machine that builds.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, orFail, root } from './steps.mjs'
import { TARGETS } from './targets.mjs'
import { outputOf } from './tools.mjs'

const SHIPPED = ['nalloc-addon', 'nalloc-preload']
const REGISTRY = 'registry+https://github.com/rust-lang/crates.io-index'
const LICENCE_FILE = /^(licen[cs]e|copying|copyright|notice|unlicense)/i

/** The packages of others in the binaries, each once, by name. */
export function linkedPackages() {
  const shipped = SHIPPED.flatMap((name) => ['-p', name])
  const edges = ['--edges', 'normal,no-proc-macro', '--prefix', 'none', '--format', '{p}']
  // `metadata` knows more of a package, but also those that only tests ask for.
  const lines = TARGETS.flatMap(({ triple }) =>
    outputOf('cargo', ['tree', '--locked', ...shipped, ...edges, '--target', triple]).split('\n'),
  )
  const linked = new Set(lines.map((line) => /^(\S+) v(\S+)/.exec(line)?.slice(1, 3).join(' ')))
  const { packages } = JSON.parse(outputOf('cargo', ['metadata', '--format-version=1', '--locked']))
  return packages
    .filter(({ name, version, source }) => source !== null && linked.has(`${name} ${version}`))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The licences of what is linked, as its packages have them: a text that goes with the binaries. */
export function licenceTexts() {
  const owners = new Map()
  for (const { name, version, license, manifest_path: manifest } of linkedPackages()) {
    for (const text of [`${license}, says its manifest`, ...textsIn(path.dirname(manifest))]) {
      owners.set(text, [...(owners.get(text) ?? []), `${name} ${version}`])
    }
  }
  const parts = [...owners].map(([text, names]) => `${names.join(', ')}:\n\n${text}`)
  return `${parts.join(`\n\n${'-'.repeat(72)}\n\n`)}\n`
}

function textsIn(folder) {
  const files = fs.readdirSync(folder, { withFileTypes: true })
  return files
    .filter((entry) => entry.isFile() && LICENCE_FILE.test(entry.name))
    .map(({ name }) => fs.readFileSync(path.join(folder, name), 'utf8').trim())
}

/** What is not as deny.toml allows: a sentence each. */
export function problemsOf(packages, { allowed, exceptions, single, banned }) {
  return packages.flatMap(({ name, version, license, source }) => {
    const problems = []
    const own = [...allowed, ...(exceptions[name] ?? [])]
    if (!isAllowed(license ?? 'none', own)) problems.push(`licence ${license}`)
    if (source !== REGISTRY) problems.push(`source ${source}`)
    if (banned.includes(name)) problems.push('banned')
    const others = packages.filter((other) => other.name === name && other.version !== version)
    const isDuplicate = single.includes(name) && others.length > 0
    if (isDuplicate) problems.push(`also ${others.map((other) => other.version).join(', ')}`)
    return problems.map((problem) => `${name} ${version}: ${problem}`)
  })
}

/** Whether an SPDX expression can be met by licences that are allowed. */
export function isAllowed(expression, allowed) {
  const words = expression.replaceAll('/', ' OR ').match(/[()]|[^\s()]+/g) ?? []
  const all = (operator, operand) => {
    const values = [operand()]
    while (words[0] === operator) {
      words.shift()
      values.push(operand())
    }
    return values
  }
  const either = () => all('OR', both).some(Boolean)
  const both = () => all('AND', one).every(Boolean)
  const one = () => {
    const word = words.shift()
    if (word !== '(') return allowed.includes(word)
    const value = either()
    words.shift()
    return value
  }
  return either() && words.length === 0
}

/** What deny.toml says of this, which is written one entry a line. */
export function readRules(text) {
  const names = (pattern) => [...text.matchAll(pattern)].map(([, name]) => name)
  const strings = (list) => [...list.matchAll(/"([^"]+)"/g)].map(([, value]) => value)
  const [, allowed = ''] = /^\[licenses\]\nallow = \[(.*)\]$/m.exec(text) ?? []
  const exceptions = text.matchAll(/^ {2}\{ crate = "([^"]+)", allow = \[(.*)\] \},$/gm)
  return {
    allowed: strings(allowed),
    exceptions: Object.fromEntries([...exceptions].map(([, name, list]) => [name, strings(list)])),
    single: names(/^ {2}\{ crate = "([^"]+)", deny-multiple-versions = true \},$/gm),
    banned: names(/^ {2}\{ crate = "([^"]+)" \},$/gm),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rules = readRules(fs.readFileSync(path.join(root, 'deny.toml'), 'utf8'))
  const packages = orFail(linkedPackages)
  const problems = problemsOf(packages, rules)
  if (problems.length > 0) fail(`not as deny.toml allows:\n  ${problems.join('\n  ')}`)
  console.log(`${packages.length} packages are linked, all as deny.toml allows`)
}
