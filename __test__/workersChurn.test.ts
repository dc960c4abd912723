import test from 'ava'
import { assertEnding, runChild } from './_child.ts'

const ROUNDS = 8

test('sixty workers that allocate, terminated at random, end well, eight times', async (t) => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const ending = await runChild('churnWorkers', [String(round)])

    assertEnding(t, ending, 0)
    t.is(ending.stdout, 'done')
  }
})
