// Looks for the values of a witness that was given as a secret, in the memory of the process that
// proved it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { patterns, says, search } from './_processMemory.ts'
import { temporaryFile } from './_temporary.ts'

test('no value of a secret witness stays after its proof, good or failed', async (t) => {
  const { plain, montgomery, file } = await patterns()
  const program = path.join(__dirname, 'children/holdSecret.js')
  const wtns = temporaryFile(t, 'witness.wtns', file)
  const child = spawn(process.execPath, [program, wtns], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const pid = child.pid ?? Number.NaN
  const look = (): readonly string[] => [...search(pid, plain), ...search(pid, montgomery)]
  const goOn = async (line: string): Promise<void> => {
    child.stdin.write('\n')
    await says(child, line, lines)
  }

  await says(child, 'sealed', lines)
  t.deepEqual(look(), [], 'a sealed secret cannot be read')
  await goOn('open')
  t.true(look().length >= plain.length / 2, 'control: an open secret is found')
  await goOn('closed')
  t.deepEqual(look(), [], 'its view is wiped')
  await goOn('proved')
  t.deepEqual(look(), [], 'after proofs')
  await goOn('ERR_SELF_VERIFY')
  t.deepEqual(look(), [], 'after a failed proof')
  await goOn('disposed')
  t.deepEqual(look(), [], 'after dispose')
  child.stdin.write('\n')
  const [status] = await once(child, 'exit')

  t.is(status, 0)
  t.true(plain.length > 100, `${plain.length} values looked for`)
})
