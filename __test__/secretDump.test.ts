// Looks for secrets in a core file of a process that aborted while they were open.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { childFile } from './_child.ts'
import { NEEDLES, needle } from './_needles.ts'
import { temporaryFolder } from './_temporary.ts'

const CHUNK_BYTES = 2 ** 24
const PATTERN_FILE = '/proc/sys/kernel/core_pattern'
const pattern = fs.readFileSync(PATTERN_FILE, 'utf8').trim()
const isFileHere = !pattern.startsWith('|') && !pattern.includes('/')
const title = 'no core file has a secret, however it is held'

/** Which needles lie in a file. */
function found(file: string): number[] {
  const all = NEEDLES.map((number) => ({ number, bytes: needle(number) }))
  const numbers = new Set<number>()
  const handle = fs.openSync(file, 'r')
  const chunk = Buffer.alloc(CHUNK_BYTES)
  const overlap = needle(0).length
  for (let at = 0; ; at += CHUNK_BYTES - overlap) {
    const length = fs.readSync(handle, chunk, 0, CHUNK_BYTES, at)
    const part = chunk.subarray(0, length)
    for (const { number, bytes } of all) if (part.includes(bytes)) numbers.add(number)
    if (length < CHUNK_BYTES) break
  }
  fs.closeSync(handle)
  return [...numbers]
}

if (isFileHere) {
  test(title, (t) => {
    const folder = temporaryFolder(t)
    const command = `ulimit -c unlimited && exec "${process.execPath}" "${childFile('dumpSecrets')}"`

    const { signal } = spawnSync('sh', ['-c', command], { cwd: folder, stdio: 'ignore' })

    t.is(signal, 'SIGABRT')
    const [core] = fs.readdirSync(folder)
    t.truthy(core, 'the kernel wrote a core file')
    // The first one is the control.
    t.deepEqual(found(path.join(folder, core ?? '')), [NEEDLES[0]])
  })
} else {
  test.skip(`${title} (skipped: ${PATTERN_FILE} is ${pattern})`, () => {})
}
