// Runs the code blocks of the pages that no other test runs, and says of every other block why it
// is not run.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { blocksOf, type Changes, testBlocks } from './_markdown.ts'
import { fixtures, root } from './_repository.ts'
import { example } from './_trace.ts'

/** Pages whose blocks other tests run, or compare with what is drawn. */
const ELSEWHERE = ['bn254', 'migrate', 'report', 'tuning']
const HERE: Readonly<Record<string, Changes>> = {
  kzg: {},
  metrics: {},
  polynomials: {},
  register: { prepare: prepareServer },
  run: {},
  setup: { prepare: prepareCeremony },
}
/** Blocks that are not run: a page, what they begin with, and why not. */
const NOT_RUN: readonly (readonly [page: string, start: RegExp, reason: string])[] = [
  ['FORMATS', /^/, 'layouts of files and formulas; what readers and provers agree on is tested'],
  ['kzg', /^cargo build --profile suite /, 'needs perf, which containers lack, and inferno'],
  ['register', /^nalloc: snarkjs proves /, 'on another system only; register.test.ts has the line'],
]
/** Of 202 signals, like the circuit of the other fixtures of this name. */
const CEREMONY_POWER = 8

/** The circuit's witness, and the powers of tau of a small ceremony in place of a large one's. */
function prepareCeremony(folder: string): void {
  fs.copyFileSync(path.join(fixtures, 'bits.wtns'), path.join(folder, 'witness.wtns'))
  snarkjs(folder, ['powersoftau', 'new', 'bn128', `${CEREMONY_POWER}`, 'new.ptau'])
  snarkjs(folder, ['powersoftau', 'contribute', 'new.ptau', 'one.ptau', '--name=one', '-e=entropy'])
  const prepared = 'powersOfTau28_hez_final_16.ptau'
  snarkjs(folder, ['powersoftau', 'prepare', 'phase2', 'one.ptau', prepared])
  const program = `#!/bin/sh\nexec '${process.execPath}' '${SNARKJS}' "$@"\n`
  fs.writeFileSync(path.join(folder, 'node_modules/.bin/snarkjs'), program, { mode: 0o755 })
}

const SNARKJS = path.join(root, 'node_modules/snarkjs/build/cli.cjs')

function snarkjs(folder: string, args: readonly string[]): void {
  execFileSync(process.execPath, [SNARKJS, ...args], { cwd: folder, stdio: 'pipe' })
}

/** An application that knows of snarkjs alone, and fails when that is what has proved. */
function prepareServer(folder: string): void {
  fs.symlinkSync(path.join(root, 'node_modules/snarkjs'), path.join(folder, 'node_modules/snarkjs'))
  const source = `
    const assert = require('node:assert/strict')
    const { groth16 } = require('snarkjs')
    groth16.prove('circuit.zkey', 'witness.wtns').then(({ proof }) => {
      assert.equal(proof.protocol, 'groth16')
      assert.equal(require('nalloc/snarkjs').keyCache.keys, 1)
    })`
  fs.writeFileSync(path.join(folder, 'server.js'), source)
}

for (const [name, changes] of Object.entries(HERE)) {
  const [, except] = NOT_RUN.find(([page]) => page === name) ?? []
  testBlocks(`docs/${name}.md`, { ...changes, ...(except && { except }) })
}

for (const [page, start, reason] of NOT_RUN) {
  const blocks = blocksOf(`docs/${page}.md`).filter(({ code }) => start.test(code))
  test(`${page} has blocks of this kind: ${reason}`, (t) => {
    t.true(blocks.length > 0)
  })
  // Nothing is switched off: these are no programs, or need what is not installed, as `reason` says,
  // and a skipped test shows that in the run's output.
  for (const { title } of blocks) test.skip(`${title} does what it shows (${reason})`, () => {})
}

test('every page with code blocks has a test that runs them, or a reason why none does', (t) => {
  const folder = path.join(root, 'docs')
  const pages = fs.readdirSync(folder).filter((file) => file.endsWith('.md'))
  for (const page of pages.map((file) => path.basename(file, '.md'))) {
    if (ELSEWHERE.includes(page) || page in HERE) continue
    const starts = NOT_RUN.filter(([name]) => name === page).map(([, start]) => start)
    for (const { title, code } of blocksOf(`docs/${page}.md`)) {
      t.true(
        starts.some((start) => start.test(code)),
        `${title} is neither run nor excused`,
      )
    }
  }
})

test('the chunk that docs/FORMATS.md explains lies in the example, byte by byte', (t) => {
  const chunk = blocksOf('docs/FORMATS.md').find(({ code }) => code.startsWith('63 68 6e 6b'))
  const digits = chunk?.code.split('\n').map((line) => /^(?:[0-9a-f]{2} {1,2})*/.exec(line)?.[0])
  const bytes = Buffer.from(digits?.join('').replaceAll(' ', '') ?? '', 'hex')

  t.is(bytes.length, 32 + 63)
  t.true(fs.readFileSync(example).includes(bytes))
})
