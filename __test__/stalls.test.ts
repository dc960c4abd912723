// Views that one of zlib's streams has in hand while it waits for its reader, which no request of
// the event loop stands for. Each way runs in a process of its own, which must end by itself with
// status 0; `plainUnderPressure` in escapes.test.ts shows what would happen otherwise.

import zlib from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { assertEnding, childFile, runNode } from './_child.ts'

const KINDS = ['deflate', 'deflateRaw', 'gzip', 'brotli', 'inflate', 'gunzip', 'unbrotli', 'zstd']
const isThere = (kind: string): boolean => kind !== 'zstd' || 'createZstdCompress' in zlib

async function run(t: ExecutionContext, ...args: string[]): Promise<Record<string, unknown>> {
  const ending = await runNode(['--expose-gc', childFile('stall'), ...args])
  assertEnding(t, ending, 0)
  return JSON.parse(ending.stdout)
}

for (const kind of KINDS) {
  if (!isThere(kind)) {
    test.skip(`${kind} that waits for its reader (skipped: this Node has no zstd)`, () => {})
    continue
  }

  test.serial(`${kind} that waits for its reader: reset and wipe are refused`, async (t) => {
    for (const end of ['reset', 'wipe']) {
      const expected = { isRefused: true, isWhole: true, isDone: true }
      t.deepEqual(await run(t, kind, end), expected, end)
    }
  })

  test.serial(`${kind} that waits for its reader: dispose leaves zeros to it`, async (t) => {
    const expected = { isDisposed: true, areZeros: true, isOver: true }
    t.deepEqual(await run(t, kind, 'dispose'), expected)
  })

  test.serial(`${kind} that waits for its reader: a secret's view is zeros`, async (t) => {
    for (const end of ['withBytes', 'withBytesAsync']) {
      t.deepEqual(await run(t, kind, end), { areZeros: true, isWhole: true, isOver: true }, end)
    }
  })
}

for (const end of ['steal', 'stealAtWork']) {
  test.serial(`${end} of what a stream has in hand: the stream's own error`, async (t) => {
    for (const kind of ['gzip', 'brotli', 'unbrotli']) {
      const expected = { code: 'ERR_INVALID_ARG', isDone: true, areZeros: true, length: 0 }
      t.deepEqual(await run(t, kind, end), expected, kind)
    }
  })
}

for (const [end, what] of [
  ['destroy', 'a stream that is destroyed leaves its view at once'],
  ['drop', 'a stream that nobody has leaves its view when it is collected'],
] as const) {
  test.serial(what, async (t) => {
    t.deepEqual(await run(t, 'gzip', end), { isRefused: true, isDone: true })
  })
}

test.serial('a view that a stream refuses, or has enough of, is done with', async (t) => {
  for (const kind of ['inflate', 'gunzip', 'unbrotli']) {
    t.deepEqual(await run(t, kind, 'refuse'), { isDone: true }, kind)
  }
})

test.serial('a view that waits behind another chunk ends, and its stream then fails', async (t) => {
  for (const kind of ['gzip', 'brotli']) {
    t.deepEqual(await run(t, kind, 'queue'), { isReset: true, code: 'ERR_INVALID_ARG' }, kind)
  }
})

test.serial('a view that is given to the method behind the streams is seen', async (t) => {
  t.deepEqual(await run(t, 'deflate', 'processChunk'), { isRefused: true, isDone: true })
})

test.serial('a view that a compression stream of the web has is seen', async (t) => {
  const expected = { code: 'ERR_BUSY', isWhole: true, isDone: true }
  t.deepEqual(await run(t, 'gzip', 'web'), expected)
})

test.serial('two instances of the package in one thread change the streams once', async (t) => {
  const expected = { isOther: true, isRefused: true, isOnce: true }
  t.deepEqual(await run(t, 'gzip', 'loadTwice'), expected)
})

test.serial('where streams are frozen, arenas and secrets say so', async (t) => {
  t.deepEqual(await run(t, 'gzip', 'freeze'), { isRefused: true })
})
