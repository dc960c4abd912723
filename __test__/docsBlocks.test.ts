// Runs the code blocks of the pages that no other test runs.

import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { testBlocks } from './_markdown.ts'
import { root } from './_repository.ts'

/** Pages whose blocks other tests run, or compare with what is drawn. */
const ELSEWHERE = ['bn254', 'migrate', 'report', 'tuning']
/** Pages whose blocks are no programs: layouts of files, a server of the reader's, a benchmark. */
const NO_PROGRAMS = ['FORMATS', 'kzg', 'register']
const HERE = ['metrics', 'run', 'setup']
/**
 * A ceremony needs a file that no registry has. What `nalloc setup` makes is proved with in
 * cliSetup.test.ts, where there is a witness of its circuit.
 */
const NOT_HERE = /^\$ (snarkjs|npx nalloc setup) /

for (const name of HERE) testBlocks(`docs/${name}.md`, NOT_HERE)

test('every page with code blocks has a test that runs them, or a reason why none does', (t) => {
  const folder = path.join(root, 'docs')
  const names = fs.readdirSync(folder).filter((file) => file.endsWith('.md'))
  const withBlocks = names.filter((name) =>
    /^```/m.test(fs.readFileSync(path.join(folder, name), 'utf8')),
  )

  const known = [...ELSEWHERE, ...NO_PROGRAMS, ...HERE].map((name) => `${name}.md`)
  t.deepEqual(withBlocks.sort(), known.sort())
})
