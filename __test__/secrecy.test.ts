// Looks for witness values in the memory of another process.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { patterns, says, search } from './_processMemory.ts'

test('no witness value stays in memory after its proofs, whole or stopped', async (t) => {
  const { plain, montgomery } = await patterns()
  const file = path.join(__dirname, 'children/holdWitness.js')
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const pid = child.pid ?? Number.NaN

  await says(child, 'held', lines)
  t.true(search(pid, plain).length >= plain.length / 2, 'control: a held witness is found')
  child.stdin.write('\n')
  await says(child, 'disposed', lines)
  const left = { plain: search(pid, plain), montgomery: search(pid, montgomery) }
  child.stdin.write('\n')
  const [status] = await once(child, 'exit')

  t.is(status, 0)
  t.true(plain.length > 100, `${plain.length} values looked for`)
  t.deepEqual(left, { plain: [], montgomery: [] })
})
