// Packs every crate that is published and builds it from its tarball, as crates.io's users will:
// `npm run package:crates`. Also: what their manifests must say, and that the oldest Rust that they
// claim is the one that everything here is built and tested with.

import fs from 'node:fs'
import path from 'node:path'
import { fail, orFail, root, run } from './steps.mjs'
import { outputOf } from './tools.mjs'

const FIELDS = ['description', 'license', 'readme', 'documentation', 'rust_version']
const KEYWORDS_MAX = 5
const TARGET_DIR = path.join(root, 'target/package-crates')

const published = orFail(publishedCrates)
const problems = published.flatMap(problemsOf)
if (problems.length > 0) fail(problems.join('\n'))
const names = published.flatMap(({ name }) => ['-p', name])
run('cargo', [
  'package',
  '--quiet',
  '--allow-dirty',
  '--locked',
  '--target-dir',
  TARGET_DIR,
  ...names,
])
for (const { name, version } of published) {
  const { size } = fs.statSync(path.join(TARGET_DIR, `package/${name}-${version}.crate`))
  console.log(
    `${`${name} ${version}`.padEnd(22)} ${(size / 1024).toFixed(0)} KiB, builds from its tarball`,
  )
}

function publishedCrates() {
  const args = ['metadata', '--format-version=1', '--no-deps', '--locked']
  return JSON.parse(outputOf('cargo', args)).packages.filter(({ publish }) => publish === null)
}

function problemsOf(entry) {
  const toolchain = fs.readFileSync(path.join(root, 'rust-toolchain.toml'), 'utf8')
  const [, channel] = /^channel = "(\d+\.\d+)[\d.]*"$/m.exec(toolchain) ?? []
  const { name, keywords, categories, rust_version: oldest } = entry
  return [
    ...FIELDS.filter((field) => !entry[field]).map((field) => `${field} is missing`),
    ...(keywords.length === 0 || keywords.length > KEYWORDS_MAX
      ? ['expected 1 to 5 keywords']
      : []),
    ...(categories.length === 0 ? ['expected a category'] : []),
    ...(oldest === channel ? [] : [`rust-version ${oldest} is not what is tested, ${channel}`]),
  ].map((problem) => `${name}: ${problem}`)
}
