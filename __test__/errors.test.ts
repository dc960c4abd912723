import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { ERROR_CODES, NallocError } from 'nalloc'
import { errors } from './_internal.ts'
import { root } from './_repository.ts'

const { fromNative } = errors

test('docs/errors.md explains every code and no other', (t) => {
  const page = fs.readFileSync(path.join(root, 'docs/errors.md'), 'utf8')
  const explained = new Set(page.match(/ERR_[A-Z0-9_]+/g))

  t.deepEqual([...explained].sort(), [...ERROR_CODES].sort())
})

test('every code of the native side is one of the list, or that of an abort', (t) => {
  const folders = ['src', 'crates/nalloc-bn254/src', 'crates/nalloc-groth16/src']
  const files = folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.rs'))
      .map((file) => path.join(root, folder, file)),
  )
  const codes = new Set(
    files.flatMap((file) => fs.readFileSync(file, 'utf8').match(/"ERR_[A-Z0-9_]+"/g) ?? []),
  )

  t.true(codes.size > 30, `${codes.size} codes`)
  for (const code of codes) {
    const isKnown = [...ERROR_CODES, errors.CANCELLED].some((known) => `"${known}"` === code)
    t.true(isKnown, code)
  }
})

test('a native error keeps its code and message', (t) => {
  const error = fromNative(Object.assign(new Error('x.zkey: cut'), { code: 'ERR_TRUNCATED' }))

  t.true(error instanceof NallocError)
  t.like(error, { name: 'NallocError', code: 'ERR_TRUNCATED', message: 'x.zkey: cut', details: {} })
})

test('a native ERR_INVALID_ARG is a RangeError with this code', (t) => {
  const error = fromNative(Object.assign(new Error('r: too large'), { code: 'ERR_INVALID_ARG' }))

  t.true(error instanceof RangeError)
  t.like(error, { code: 'ERR_INVALID_ARG', message: 'r: too large' })
})

test('what has no known code is ERR_INTERNAL and keeps its cause', (t) => {
  for (const thrown of [Object.assign(new Error('odd'), { code: 'GenericFailure' }), 'odd']) {
    const error = fromNative(thrown)

    t.true(error instanceof NallocError)
    t.like(error, { code: 'ERR_INTERNAL', hint: 'Please report it.', cause: thrown })
    t.regex(error.message, /odd/)
  }
})

test('a message ends with its hint, and details cannot be changed', (t) => {
  const details = { expected: 1 }
  const error = new NallocError('ERR_LIMIT', 'too large.', { hint: 'Raise it.', details })

  t.is(error.message, 'too large. Raise it.')
  t.is(error.hint, 'Raise it.')
  t.true(Object.isFrozen(error.details))
  t.is(new NallocError('ERR_LIMIT', 'too large.').hint, undefined)
})
