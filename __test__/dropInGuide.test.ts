import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { testBlocks } from './_markdown.ts'
import { root } from './_repository.ts'

const PAGE = 'docs/migrate.md'
const LINES_MAX = 120

testBlocks(PAGE)

test('the guide from snarkjs stays short', (t) => {
  t.true(fs.readFileSync(path.join(root, PAGE), 'utf8').split('\n').length <= LINES_MAX)
})
