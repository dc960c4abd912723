// Every line of SECURITY.md names what shows it, or says that nothing does; and what it names exists.
//
// A name is that of a file, or, behind a file and a colon, of one of its tests; `*` is any text.

import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { root } from './_repository.ts'

/** A file of tests, and behind it the tests. */
const REFERENCE = /`([\w./-]+\.(?:rs|ts))`((?:[:,]\s+`(?:(?!\.rs`|\.ts`)[^`])+`)*)/g
/** Where a file is looked for that is named without a folder. */
const FOLDERS = ['', 'crates/nalloc/tests', 'crates/nalloc-groth16/tests/groth16']
const text = fs.readFileSync(path.join(root, 'SECURITY.md'), 'utf8')

/** The rows of the tables and the items of the lists. */
function lines(): string[] {
  const parts = text.split(/^(?=[|-] |## | {2}\|)/m).filter((part) => /^(- |\s*\| )/.test(part))
  return parts.filter((part) => !/^\s*\| (promise|asked for) /.test(part))
}

function find(file: string): string | undefined {
  const candidates = FOLDERS.map((folder) => path.join(root, folder, file))
  return candidates.find((candidate) => fs.existsSync(candidate))
}

/** Whether a test of a file has a title, or a scene of one a name, that begins like this. */
function hasTest(source: string, name: string): boolean {
  const pattern = name
    .split('*')
    .map((part) => part.replace(/\s+/g, ' ').replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^\n]*')
  return new RegExp(`(?:fn |['"\`])${pattern}`).test(source)
}

test('every line names what shows it, or says that nothing does', (t) => {
  t.true(lines().length >= 40, `${lines().length}`)
  for (const line of lines()) {
    const isShown = line.match(REFERENCE) !== null || line.includes('`npm run ')
    t.true(isShown || /no test\b/.test(line), line)
  }
})

test('every test that is named exists', (t) => {
  let count = 0
  for (const [, file = '', names = ''] of text.matchAll(REFERENCE)) {
    const found = find(file)
    t.not(found, undefined, file)
    const source = found === undefined ? '' : fs.readFileSync(found, 'utf8')
    for (const [, name = ''] of names.matchAll(/`([^`]+)`/g)) {
      t.true(hasTest(source, name), `${file}: ${name}`)
      count += 1
    }
  }
  t.true(count > 50, `${count}`)
})
