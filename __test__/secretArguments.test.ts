// Wrong arguments of secrets, and wrong objects. Counts are the process's, so these tests run one
// after another.

import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Arena, type NallocError, SecretBuf, stats } from 'nalloc'
import { fixtures } from './_repository.ts'

const wtns = path.join(fixtures, 'chain2000.wtns')
const BYTES = Uint8Array.from({ length: 32 }, (_, i) => 200 + i)

function secretOf(bytes: Uint8Array): SecretBuf {
  return SecretBuf.adopt(Uint8Array.from(bytes))
}

function failure(t: ExecutionContext, call: () => unknown): NallocError {
  return t.throws(call) as NallocError
}

test.serial('arguments that are wrong are refused by name, and nothing is made', (t) => {
  const secret = secretOf(BYTES)
  const { secretBytes } = stats()
  const wrong: readonly (readonly [name: string, call: () => unknown])[] = [
    ...[undefined, null, '1', {}, 1n, 0, -1, 1.5, NaN, 2 ** 53, 2 ** 64, Infinity].flatMap(
      (length) => [
        ['byteLength', () => new SecretBuf(length as never)] as const,
        ['byteLength', () => SecretBuf.random(length as never)] as const,
      ],
    ),
    ...[undefined, null, 'secret text', 7, {}, new Uint8Array(0)].map(
      (bytes) => ['bytes', () => SecretBuf.adopt(bytes as never)] as const,
    ),
    ...[undefined, 'secret text', 7].map(
      (x) => ['other', () => secret.equals(x as never)] as const,
    ),
    ...[undefined, 7, '', 'A=B', 'A\0'].map(
      (name) => ['name', () => SecretBuf.fromEnv(name as never, 'hex')] as const,
    ),
    ...[undefined, 7, 'utf8', 'HEX'].map(
      (x) => ['encoding', () => SecretBuf.fromEnv('PATH', x as never)] as const,
    ),
    ['unset', () => SecretBuf.fromEnv('PATH', 'hex', { unset: 1 as never })],
    ['options', () => new SecretBuf(1, 7 as never)],
    ...['locked', ['Locked'], [7], null].map(
      (x) => ['require', () => new SecretBuf(1, { require: x as never })] as const,
    ),
    ...[undefined, 7, {}].map((use) => ['use', () => secret.withBytes(use as never)] as const),
    ['write', () => secret.withBytes(() => 1, { write: 1 as never })],
    ['options', () => secret.withBytes(() => 1, 1 as never)],
  ]

  for (const [name, call] of wrong) {
    const error = failure(t, call)
    t.true(error instanceof TypeError || error instanceof RangeError, `${name}: ${error.stack}`)
    t.is(error.code, 'ERR_INVALID_ARG')
    t.true(error.message.startsWith(`${name}: expected `), error.message)
    t.notRegex(error.message, /secret text/)
  }
  t.is(stats().secretBytes, secretBytes)
})

test.serial('wrong arguments of calls that answer later are refused by name', async (t) => {
  const secret = secretOf(BYTES)
  const { secretBytes } = stats()
  const wrong: readonly (readonly [name: string, call: () => Promise<unknown>])[] = [
    ...[undefined, null, 7, {}, BYTES].map(
      (file) => ['path', () => SecretBuf.fromFile(file as never)] as const,
    ),
    ['options', () => SecretBuf.fromFile(wtns, 7 as never)],
    ['require', () => SecretBuf.fromFile(wtns, { require: 'locked' as never })],
    ['signal', () => SecretBuf.fromFile(wtns, { signal: 7 as never })],
    ...[undefined, null, 7, {}].map(
      (use) => ['use', () => secret.withBytesAsync(use as never)] as const,
    ),
    ['options', () => secret.withBytesAsync(async () => 1, 1 as never)],
    ['write', () => secret.withBytesAsync(async () => 1, { write: 'yes' as never })],
  ]

  for (const [name, call] of wrong) {
    const error = (await t.throwsAsync(call())) as NallocError
    t.true(error instanceof TypeError || error instanceof RangeError, `${name}: ${error.stack}`)
    t.is(error.code, 'ERR_INVALID_ARG')
    t.true(error.message.startsWith(`${name}: expected `), error.message)
  }
  t.is(stats().secretBytes, secretBytes)
  secret.dispose()
  const late = secret.withBytesAsync(async () => 1)
  t.is(((await t.throwsAsync(late)) as NallocError).code, 'ERR_DISPOSED')
})

test.serial('methods of a secret or an arena refuse objects that are none', (t) => {
  using secret = secretOf(BYTES)
  using arena = new Arena(1)
  const calls = [
    () => secret.withBytes.call({} as never, () => 1),
    () => secret.equals.call({} as never, BYTES),
    () => secret.equals(Object.create(SecretBuf.prototype) as never),
    () => Reflect.get(SecretBuf.prototype, 'status', {}),
    () => secret.dispose.call(Object.create(SecretBuf.prototype) as never),
    () => arena.alloc.call({} as never, 'u8', 1),
    () => arena.reset.call(Object.create(Arena.prototype) as never),
    () => arena.dispose.call({} as never),
  ]
  for (const call of calls) t.throws(call, { instanceOf: TypeError })
  const key = new Proxy(secret, {})
  t.throws(() => key.withBytes(() => 1), { instanceOf: TypeError })
  t.true(secret.equals(BYTES))
})
