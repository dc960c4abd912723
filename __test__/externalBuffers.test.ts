// A runtime that lets JavaScript see no native memory, as Electron: a debugger makes this one refuse.

import { text } from 'node:stream/consumers'
import test from 'ava'
import { canTrace, debug, NO_DEBUGGER } from './_debugger.ts'

/** `napi_no_external_buffers_allowed`. */
const REFUSED = 22
const RESULT = process.arch === 'arm64' ? '$x0' : '$rax'
const COMMANDS = [
  'handle all nostop noprint pass',
  'break napi_create_external_arraybuffer',
  'run',
  // Returns from each call before it has begun.
  ...Array.from({ length: 4 }, () => ['return', `set ${RESULT} = ${REFUSED}`, 'continue']).flat(),
]
const title = 'where native memory is refused, arenas and secrets say so and are whole'

if (canTrace) {
  test(title, async (t) => {
    const gdb = debug(COMMANDS, 'refuseBuffers')
    t.teardown(() => gdb.kill('SIGKILL'))

    const said = await text(gdb.stdout)

    const line = said.split('\n').find((part) => part.startsWith('{'))
    const { failures, left } = JSON.parse(line ?? 'null') ?? { failures: said }
    const expected =
      'ERR_EXTERNAL_BUFFER: this runtime lets JavaScript see no native memory ' +
      "(V8's sandbox, as in Electron): use a Uint8Array of its own"
    t.deepEqual(failures, [expected, expected, expected, expected])
    t.deepEqual(left, { usedBytes: 0, isWhole: true, arenas: 0, escapes: 0 })
  })
} else {
  test.skip(`${title} ${NO_DEBUGGER}`, () => {})
}
