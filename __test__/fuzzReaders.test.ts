import test from 'ava'
import { assertEnding, runChild } from './_child.ts'

const FILES = 1500

test('changed files of every kind end in a code, at once and without much memory', async (t) => {
  const ending = await runChild('fuzzReaders', [String(FILES), '60', '1'])

  assertEnding(t, ending, 0)
  t.true(Number(ending.stdout) > 100, `${ending.stdout} files`)
})
