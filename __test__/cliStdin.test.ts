// What comes through stdin is overwritten, whatever kind of file stdin is.

import { type StdioPipe, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { memorySearch } from './_internal.ts'
import { root } from './_repository.ts'
import { temporaryFile } from './_temporary.ts'

const child = path.join(root, 'build/__test__/children/readStdin.js')
const LENGTH = 300_000
/** Where the value stands: at the ends, and at places that no reader will begin at. */
const PLACES = [0, 77_777, LENGTH - 32]
const VALUE = 'f1c4e07a92b35d8866aa1e0d4c3b2f99e5d7089b1a6c4f3e2d1099887766aa5b'

function content(): Buffer {
  const bytes = Buffer.alloc(LENGTH)
  for (const at of PLACES) bytes.write(VALUE, at, 'hex')
  return bytes
}

/** What the child found of the value, while it had it and afterwards. */
async function search(
  t: ExecutionContext,
  command: readonly string[],
  stdin: StdioPipe | number,
): Promise<void> {
  const pattern = JSON.stringify(memorySearch.patternAt(content(), 0))
  const [file = '', ...args] = command
  const running = spawn(file, [...args, child, pattern], { stdio: [stdin, 'pipe', 'inherit'] })
  if (stdin === 'pipe') running.stdin?.end(content())

  const [said] = await Promise.all([
    text(running.stdout as NodeJS.ReadableStream),
    once(running, 'close'),
  ])

  t.deepEqual(JSON.parse(said), [LENGTH, PLACES.length, 0])
}

test('nothing that came from a file is left in memory', async (t) => {
  const file = fs.openSync(temporaryFile(t, 'witness', content()), 'r')
  await search(t, [process.execPath], file)
  fs.closeSync(file)
})

test('nothing that came from a socket is left in memory', (t) =>
  search(t, [process.execPath], 'pipe'))

test('nothing that came from a pipe is left in memory', (t) => {
  const script = 'head -c 1000000 | "$0" "$@"'
  return search(t, ['bash', '-c', script, process.execPath], 'pipe')
})
