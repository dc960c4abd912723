// Counts and the environment are the process's, so these tests run one after another.

import assert from 'node:assert'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { format, inspect } from 'node:util'
import v8 from 'node:v8'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { type ErrorCode, groth16, memory, NallocError, ProvingKey, SecretBuf, stats } from 'nalloc'
import { assertEnding, childFile, runChild, runNode } from './_child.ts'
import { fixtures, semaphore } from './_repository.ts'
import { temporaryFile, temporaryFolder } from './_temporary.ts'

const zkey = path.join(fixtures, 'chain2000.zkey')
const wtns = path.join(fixtures, 'chain2000.wtns')
const NAME = 'NALLOC_TEST_SECRET'
const BYTES = Uint8Array.from({ length: 32 }, (_, i) => 200 + i)

test.afterEach.always(() => {
  delete process.env[NAME]
  memory.memoryLimit = null
})

function secretOf(bytes: Uint8Array): SecretBuf {
  return SecretBuf.adopt(Uint8Array.from(bytes))
}

function copyOf(secret: SecretBuf): number[] {
  return secret.withBytes((bytes) => [...bytes])
}

function failure(t: ExecutionContext, call: () => unknown): NallocError {
  return t.throws(call) as NallocError
}

test.serial('a secret shows its length and nothing else, however it is printed', async (t) => {
  const secret = secretOf(BYTES)
  const shown = 'SecretBuf(32 bytes, sealed)'
  const texts = [
    `${secret}`,
    String(secret),
    format('%s %o %O %j', secret, secret, secret, secret),
    inspect({ secret }, { showHidden: true, depth: 9, getters: true }),
    inspect(secret, { customInspect: false, showHidden: true, getters: true }),
    JSON.stringify({ secret, list: [secret] }),
    `${Object.entries(secret)}`,
    t.throws(() => assert.deepStrictEqual(secret, SecretBuf.random(31)))?.message ?? '',
    t.throws(() => assert.strictEqual(secret, { byteLength: 32 }))?.message ?? '',
  ]

  t.is(texts[0], shown)
  t.is(inspect(secret), shown)
  t.is(JSON.stringify({ secret }), `{"secret":"${shown}"}`)
  const forms = ['200,201,202', '200, 201', 'c8c9ca', 'yMnKy8', String.fromCharCode(200, 201, 202)]
  for (const text of texts) {
    for (const form of forms) t.false(text.toLowerCase().includes(form.toLowerCase()), text)
  }
  secret.withBytes(() => t.is(`${secret}`, 'SecretBuf(32 bytes, open)'))
  secret.dispose()
  t.is(`${secret}`, 'SecretBuf(disposed)')
})

test.serial('no clone of a secret has its bytes', (t) => {
  const secret = secretOf(BYTES)
  const { port1, port2 } = new MessageChannel()
  const cloned = (clone: () => unknown): unknown => {
    try {
      return clone()
    } catch (error) {
      t.is((error as Error).name, 'DataCloneError')
      return { byteLength: 32 }
    }
  }

  const clones = [
    cloned(() => structuredClone(secret)),
    cloned(() => {
      port1.postMessage(secret)
      return receiveMessageOnPort(port2)?.message
    }),
  ]

  t.deepEqual(clones, [{ byteLength: 32 }, { byteLength: 32 }])
  t.false(v8.serialize({ ...secret }).includes(Buffer.from(BYTES)))
  port1.close()
  port2.close()
})

test.serial('bytes come in by each way and are the same', async (t) => {
  const file = temporaryFile(t, 'key', BYTES)
  process.env[NAME] = Buffer.from(BYTES).toString('hex').toUpperCase()
  const fromHex = SecretBuf.fromEnv(NAME, 'hex')
  process.env[NAME] = Buffer.from(BYTES).toString('base64')
  const secrets = [
    secretOf(BYTES),
    fromHex,
    SecretBuf.fromEnv(NAME, 'base64'),
    await SecretBuf.fromFile(file),
    await SecretBuf.fromFile(pathToFileURL(file)),
  ]
  const written = new SecretBuf(32)
  t.deepEqual(
    copyOf(written),
    Array.from({ length: 32 }, () => 0),
  )
  written.withBytes((view) => view.set(BYTES), { write: true })

  for (const secret of [...secrets, written]) {
    t.is(secret.byteLength, 32)
    t.deepEqual(copyOf(secret), [...BYTES])
    t.true(secret.equals(BYTES))
    t.true(secret.equals(written))
    secret.dispose()
  }
})

test.serial('adopt overwrites what it was given, of every kind of bytes', (t) => {
  const kinds = [
    Uint8Array.from(BYTES),
    Buffer.from(BYTES),
    new DataView(Uint8Array.from(BYTES).buffer),
    new BigUint64Array(Uint8Array.from(BYTES).buffer),
    new Float64Array(Uint8Array.from(BYTES).buffer),
    Uint8Array.from(BYTES).buffer,
    new Uint8Array(new SharedArrayBuffer(32)),
  ]
  ;(kinds[6] as Uint8Array).set(BYTES)
  for (const bytes of kinds) {
    using secret = SecretBuf.adopt(bytes)

    t.true(secret.equals(BYTES))
    const view = ArrayBuffer.isView(bytes) ? bytes : new Uint8Array(bytes)
    const left = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    t.true(left.every((byte) => byte === 0))
  }
})

test.serial('of short arrays nothing is left after they were overwritten', async (t) => {
  const ending = await runChild('overwriteShort', [])

  assertEnding(t, ending, 0)
  const left = { adopted: 0, compared: 0, read: 0 }
  t.deepEqual(JSON.parse(ending.stdout), { isSeen: true, isGone: true, left })
})

test.serial('random bytes differ, and have the length that was asked for', (t) => {
  for (const length of [1, 15, 16, 17, 4096, 100_000]) {
    using one = SecretBuf.random(length)
    using two = SecretBuf.random(length)
    t.is(one.byteLength, length)
    if (length > 8) t.false(one.equals(two))
    t.is(
      one.withBytes((bytes) => bytes.length),
      length,
    )
  }
})

test.serial('base64 of every length is read, with padding and without', (t) => {
  for (let length = 1; length <= 40; length += 1) {
    const bytes = Buffer.from(BYTES.subarray(0, length))
    const text = bytes.toString('base64')
    for (const form of [text, text.replace(/=+$/, '')]) {
      process.env[NAME] = form
      t.true(SecretBuf.fromEnv(NAME, 'base64').equals(bytes), form)
    }
  }
})

test.serial('a variable that is no encoding is refused, and not quoted, and left', (t) => {
  const wrong: readonly ['hex' | 'base64', string][] = [
    ['hex', ''],
    ['hex', 'abc'],
    ['hex', '12345g'],
    ['hex', ' 1234 '],
    ['base64', ''],
    ['base64', 'MzM5M'],
    ['base64', 'MzM=5M=='],
    ['base64', 'MzM5 MzM'],
    ['base64', 'MzM5-zM5'],
  ]
  for (const [encoding, text] of wrong) {
    process.env[NAME] = text
    const error = failure(t, () => SecretBuf.fromEnv(NAME, encoding, { unset: true }))

    t.true(error instanceof RangeError, error.stack)
    t.is(error.code, 'ERR_INVALID_ARG')
    t.true(error.message.startsWith(`${NAME}: expected `), error.message)
    t.true(text === '' || !error.message.includes(text))
    t.is(process.env[NAME], text)
  }
  delete process.env[NAME]
  t.is(
    failure(t, () => SecretBuf.fromEnv(NAME, 'hex')).message,
    `${NAME}: expected an environment variable that is set, got none`,
  )
})

test.serial('unset removes the variable, and its text is in memory no more', async (t) => {
  const ending = await runChild('secretFromVariable', [])

  assertEnding(t, ending, 0)
  t.deepEqual(JSON.parse(ending.stdout), { before: true, after: false, environ: false, left: null })
})

test.serial('equals looks at every byte and at the length', (t) => {
  const secret = secretOf(BYTES)
  t.true(secret.equals(secret))
  t.false(secret.equals(BYTES.subarray(1)))
  t.false(secret.equals(new Uint8Array(0)))
  for (let i = 0; i < 32; i += 1) {
    const other = Uint8Array.from(BYTES)
    other[i] = (other[i] ?? 0) ^ 1
    t.false(secret.equals(other))
    t.false(secret.equals(SecretBuf.adopt(other)))
  }
})

test.serial('a view ends with its callback, whether that returns or throws', async (t) => {
  const secret = secretOf(BYTES)
  const views: Uint8Array[] = []
  const keep = (view: Uint8Array): void => {
    views.push(view, view.subarray(3), Buffer.from(view.buffer))
    view.fill(0)
  }
  const keepAndThrow = (view: Uint8Array): never => {
    keep(view)
    throw new Error('mine')
  }

  secret.withBytes(keep)
  await secret.withBytesAsync(async (view) => keep(view))
  for (const options of [undefined, { write: true }]) {
    t.is(t.throws(() => secret.withBytes(keepAndThrow, options))?.message, 'mine')
    const rejection = secret.withBytesAsync(async (view) => keepAndThrow(view), options)
    t.is((await t.throwsAsync(rejection))?.message, 'mine')
  }

  t.is(views.length, 18)
  t.true(views.every(({ byteLength, buffer }) => byteLength === 0 && buffer.byteLength === 0))
  t.true(secret.equals(BYTES), 'without write, or with an error, nothing is kept')
  t.is(stats().escapes, 0)
})

test.serial('what is written counts with write: true', async (t) => {
  const secret = secretOf(BYTES)
  const sum = secret.withBytes((view) => view.fill(3).length, { write: true })
  t.is(sum, 32)
  t.true(secret.equals(new Uint8Array(32).fill(3)))

  await secret.withBytesAsync(
    async (view) => {
      await new Promise((resolve) => setImmediate(resolve))
      view.fill(4)
    },
    { write: true },
  )

  t.true(secret.equals(new Uint8Array(32).fill(4)))
})

test.serial('a callback that returns a promise is refused, and its view has ended', (t) => {
  const secret = secretOf(BYTES)
  let view: Uint8Array | undefined

  const error = failure(t, () =>
    secret.withBytes(
      async (bytes) => {
        view = bytes.fill(1)
        await new Promise((resolve) => setImmediate(resolve))
        throw new Error('nobody hears this')
      },
      { write: true },
    ),
  )

  t.true(error instanceof TypeError)
  t.regex(error.message, /^use: expected a function that answers at once \(see withBytesAsync\)/)
  t.is(view?.length, 0)
  t.true(secret.equals(BYTES))
})

test.serial('a secret is open for one call at a time', async (t) => {
  const secret = secretOf(BYTES)
  let end = (): void => {}
  const open = secret.withBytesAsync(() => new Promise<void>((resolve) => (end = resolve)))

  t.is(failure(t, () => secret.withBytes(() => 1)).code, 'ERR_BUSY')
  const second = secret.withBytesAsync(async () => 1)
  t.is(((await t.throwsAsync(second)) as NallocError).code, 'ERR_BUSY')
  t.true(secret.equals(BYTES), 'native work may read it')
  end()
  await open
  t.is(
    secret.withBytes(() => 1),
    1,
  )
  t.is(failure(t, () => secret.withBytes(() => secret.withBytes(() => 1))).code, 'ERR_BUSY')
})

test.serial(
  'a disposed secret gives nothing, also when it is disposed while it is open',
  async (t) => {
    const { secretBytes } = stats()
    const secret = secretOf(BYTES)
    t.true(stats().secretBytes > secretBytes)
    secret.dispose()
    const other = secretOf(BYTES)
    const view = other.withBytes((bytes) => {
      other.dispose()
      t.is(bytes.length, 32, 'a view that is lent stays until the callback ends')
      return bytes
    })
    t.is(view.length, 0)
    const late = secretOf(BYTES)
    const writing = (): void => late.withBytes(() => late.dispose(), { write: true })
    t.is(failure(t, writing).code, 'ERR_DISPOSED', 'what was written has no place')

    for (const disposed of [secret, other, late]) {
      t.true(disposed.isDisposed)
      t.is(disposed.byteLength, 32)
      for (const call of [
        () => disposed.withBytes(() => 1),
        () => disposed.withBytes(() => 1, { write: true }),
        () => disposed.equals(BYTES),
        () => disposed.equals(disposed),
      ]) {
        const { code, message } = failure(t, call)
        t.is(code, 'ERR_DISPOSED')
        t.is(message, 'secret: expected a live one, got a disposed one. Make a new one')
      }
      disposed.dispose()
      disposed[Symbol.dispose]()
    }
  },
)

test.serial('secrets that nobody disposes are wiped when they or their worker end', async (t) => {
  const ending = await runNode(['--expose-gc', childFile('forgetSecrets')])

  assertEnding(t, ending, 0)
  t.deepEqual(JSON.parse(ending.stdout), { isMade: true, left: 0, leftOfWorker: 0 })
})

test.serial('a secret is a witness, for one proof or for several', async (t) => {
  using key = await ProvingKey.open(zkey)
  const secret = await SecretBuf.fromFile(wtns)

  const results = await Promise.all([key.prove(secret), key.prove(secret)])
  // The last proof waits for this, and reads the secret only then.
  const ahead = ProvingKey.open(semaphore(20).zkey)
  const last = key.prove(secret)
  t.is(failure(t, () => secret.withBytes(() => 1, { write: true })).code, 'ERR_BUSY')
  secret.dispose()
  results.push(await last)
  ;(await ahead).dispose()

  for (const { proof, publicSignals } of results) {
    t.true(await key.verifyingKey.verify(proof, publicSignals))
  }
  const rejection = key.prove(secret)
  t.is(((await t.throwsAsync(rejection)) as NallocError).code, 'ERR_DISPOSED')
})

test.serial('a secret that is no witness is refused as a file is', async (t) => {
  using key = await ProvingKey.open(zkey)
  using secret = secretOf(BYTES)

  const error = (await t.throwsAsync(key.prove(secret))) as NallocError

  t.is(error.code, 'ERR_BAD_MAGIC')
  t.notRegex(error.message, /200|c8c9/)
})

test.serial('a file that cannot be a secret is refused, and nothing is waited for', async (t) => {
  const folder = temporaryFolder(t)
  const empty = temporaryFile(t, 'empty', new Uint8Array(0))
  const calls: readonly [code: ErrorCode, file: string][] = [
    ['ERR_IO', path.join(folder, 'absent')],
    ['ERR_IO', folder],
    ['ERR_IO', '/dev/null'],
    ['ERR_TRUNCATED', empty],
  ]
  for (const [code, file] of calls) {
    const error = (await t.throwsAsync(SecretBuf.fromFile(file))) as NallocError
    t.is(error.code, code, error.message)
    t.true(error.message.startsWith(`${file}: `), error.message)
  }
  const signal = AbortSignal.abort(new Error('mine'))
  t.is((await t.throwsAsync(SecretBuf.fromFile(wtns, { signal })))?.message, 'mine')
})

test.serial('a secret above the memory limit is refused', (t) => {
  memory.memoryLimit = 1
  const error = failure(t, () => SecretBuf.random(32))

  t.is(error.code, 'ERR_LIMIT')
  t.regex(error.message, /^the secret: needs about .* \(memory\.memoryLimit\)/)
})

test.serial(
  'status says what was obtained, and a required protection is had or an error',
  async (t) => {
    const { status } = SecretBuf.random(32)
    t.true(status.noDump && status.noFork)
    const smaps = fs.readFileSync('/proc/self/smaps', 'utf8')
    t.is(status.locked, /^VmFlags:.* lo( .*)? dd/m.test(smaps))
    SecretBuf.random(32, { require: ['noDump', 'noFork', 'guarded'] }).dispose()
    t.true(status.guarded && ['anonymous', 'memfd_secret'].includes(status.backing))
    t.is(SecretBuf.random(100_000).status.backing, 'anonymous')

    for (const limit of [0, 8192]) {
      const ending = await runChild('unlockable', [`${limit}`])
      assertEnding(t, ending, 0)
      const { locked, code, message, secretBytes } = JSON.parse(ending.stdout)
      t.is(locked, false)
      t.is(code, 'ERR_LOCK')
      const advice = `RLIMIT_MEMLOCK is ${limit} bytes (ulimit -l). Raise it: ulimit -l`
      t.true(message.includes(advice), message)
      t.is(secretBytes, 0, 'nothing is left of what was refused')
    }
  },
)

test.serial('a secret that the machine has no room for is refused', (t) => {
  const { secretBytes } = stats()
  const error = failure(t, () => new SecretBuf(Math.min(os.totalmem() * 2, 2 ** 40)))

  t.is(error.code, 'ERR_NO_MEMORY')
  t.regex(error.message, /Ask for less, or raise what stands in the way: ulimit -v/)
  t.is(stats().secretBytes, secretBytes)
})

test.serial('a secret is a witness of the call that proves once', async (t) => {
  using secret = await SecretBuf.fromFile(wtns)
  using key = await ProvingKey.open(zkey)

  const { proof, publicSignals } = await groth16.prove(zkey, secret)

  t.true(await key.verifyingKey.verify(proof, publicSignals))
})

test.serial('a hash of the bytes needs no copy of them', (t) => {
  using secret = secretOf(BYTES)
  const hash = secret.withBytes((bytes) => createHash('sha256').update(bytes).digest('hex'))

  t.is(hash, createHash('sha256').update(BYTES).digest('hex'))
  t.true(secret instanceof SecretBuf && !(secret instanceof NallocError))
})
