// The cache under the drop-in, with values that count their openings and disposals.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { AbortSignalLike, Progress, TaskOptions } from 'nalloc'
import { call, fileCache } from './_internal.ts'

const { Call } = call
const { FileCache } = fileCache
/** Long enough ago that the cache trusts the time stamps. */
const RESTED = new Date('2020-01-01')

interface Value {
  readonly id: number
  isDisposed: boolean
}

interface Door {
  readonly promise: Promise<void>
  open(): void
}

function door(): Door {
  let open: () => void = () => undefined
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open: () => open() }
}

/** A cache over a folder of small files, and what happened to its values. */
class Bench {
  readonly values: Value[] = []
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  readonly cache: InstanceType<typeof FileCache<Value>>
  /** What an opening waits for, or fails with. */
  gate: (call: InstanceType<typeof Call>) => Promise<void> = async () => undefined

  constructor(t: ExecutionContext, { filesMax = 16, bytesMax = 1000 } = {}) {
    t.teardown(() => fs.rmSync(this.folder, { recursive: true }))
    this.cache = new FileCache({ filesMax, bytesMax: () => bytesMax }, (value: Value) => {
      t.false(value.isDisposed, `${value.id} is disposed twice`)
      value.isDisposed = true
    })
  }

  get disposed(): number[] {
    return this.values.filter(({ isDisposed }) => isDisposed).map(({ id }) => id)
  }

  write(name: string, text: string, when = RESTED): string {
    const file = path.join(this.folder, name)
    fs.writeFileSync(file, text)
    fs.utimesSync(file, when, when)
    return file
  }

  use<R>(
    file: string,
    work: (value: Value) => Promise<R> | R,
    { settings = '', accepts = true, ...options }: TaskOptions & UseOptions = {},
  ): Promise<R> {
    const opening = {
      path: file,
      settings,
      accepts: () => accepts,
      open: async (shared: InstanceType<typeof Call>) => {
        const value = { id: this.values.length, isDisposed: false }
        this.values.push(value)
        await this.gate(shared)
        return value
      },
    }
    const waiter = { call: new Call(options), signal: options.signal }
    return this.cache.use(opening, waiter, async (value) => work(value))
  }

  idOf(file: string, options?: TaskOptions & UseOptions): Promise<number> {
    return this.use(file, ({ id }) => id, options)
  }
}

interface UseOptions {
  readonly settings?: string
  readonly accepts?: boolean
}

test('a file is opened once, and again when it was replaced or rewritten', async (t) => {
  const bench = new Bench(t)
  const file = bench.write('a', 'one')
  const ids = [await bench.idOf(file), await bench.idOf(file)]

  fs.renameSync(bench.write('b', 'two'), file)
  ids.push(await bench.idOf(file), await bench.idOf(file))
  bench.write('a', 'six')
  ids.push(await bench.idOf(file), await bench.idOf(path.relative(process.cwd(), file)))
  fs.rmSync(file)
  bench.write('a', 'longer')
  ids.push(await bench.idOf(file))

  t.deepEqual(ids, [0, 0, 1, 1, 2, 2, 3])
  t.deepEqual(bench.disposed, [0, 1, 2])
  t.is(bench.cache.size, 1)
  t.is(bench.cache.bytes, 6)
})

test('a file that was just written is not trusted to be the same the next time', async (t) => {
  const bench = new Bench(t)
  const file = bench.write('a', 'one', new Date())

  t.deepEqual([await bench.idOf(file), await bench.idOf(file)], [0, 1])
  t.deepEqual(bench.disposed, [0])
})

test('callers that come together share one opening and its progress', async (t) => {
  const bench = new Bench(t)
  const file = bench.write('a', 'one', new Date())
  const heard: Progress['phase'][][] = [[], [], []]
  bench.gate = (shared) => reporting(shared, () => heard.every((phases) => phases.includes('load')))

  const ids = await Promise.all(
    heard.map((phases) => bench.idOf(file, { onProgress: ({ phase }) => phases.push(phase) })),
  )

  t.deepEqual(ids, [0, 0, 0])
  t.true(heard.flat().every((phase) => phase === 'load'))
})

test('callers that want it otherwise get an opening of their own', async (t) => {
  const bench = new Bench(t)
  const file = bench.write('a', 'one')
  const gate = door()
  bench.gate = () => gate.promise

  const first = bench.idOf(file)
  await settled(() => bench.values.length === 1)
  const others = [bench.idOf(file, { settings: 'other' }), bench.idOf(file)]
  await settled(() => bench.values.length === 2)
  gate.open()

  t.deepEqual(await Promise.all([first, ...others]), [0, 1, 0])
  t.is(await bench.idOf(file, { settings: 'other' }), 0, 'an open one is asked whether it will do')
  t.is(await bench.idOf(file, { accepts: false }), 2)
  t.deepEqual(bench.disposed, [1, 2])
})

test('a failure reaches everybody who waited and is forgotten', async (t) => {
  const bench = new Bench(t)
  const file = bench.write('a', 'one')
  const heard = new Set<number>()
  bench.gate = async (shared) => {
    await reporting(shared, () => heard.size === 2)
    throw new Error('damaged')
  }

  const together = await Promise.allSettled(
    [0, 1].map((i) => bench.idOf(file, { onProgress: () => heard.add(i) })),
  )
  t.is(bench.cache.size, 0)
  bench.gate = async () => undefined

  t.deepEqual(
    together.map((outcome) => outcome.status === 'rejected' && outcome.reason.message),
    ['damaged', 'damaged'],
  )
  t.is(await bench.idOf(file), 1)
})

test('one caller leaves by an abort, one by its callback, and the third does not notice', async (t) => {
  const bench = new Bench(t)
  const file = bench.write('a', 'one')
  const controller = new AbortController()
  const reason = new Error('enough')
  const thrown = new Error('from the callback')
  let left = 0
  let hasHeard = false
  bench.gate = async (shared) => {
    await reporting(shared, () => left === 2 && hasHeard)
    shared.throwIfAborted()
  }
  const onProgress = () => {
    throw thrown
  }
  const staying = bench.idOf(file, {
    onProgress: () => {
      hasHeard = true
    },
  })
  const leaving = [
    bench.idOf(file, { signal: controller.signal, onProgress: () => controller.abort(reason) }),
    bench.idOf(file, { onProgress }),
  ].map((call) => call.finally(() => (left += 1)))

  t.deepEqual(await Promise.allSettled(leaving), [
    { status: 'rejected', reason },
    { status: 'rejected', reason: thrown },
  ])
  t.is(await staying, 0)
  t.is(await bench.idOf(file), 0)
})

test('when all have left the opening is aborted, and a value that comes late is disposed', async (t) => {
  const bench = new Bench(t)
  const file = bench.write('a', 'one')
  const gate = door()
  let isAborted = false
  bench.gate = async (shared) => {
    await gate.promise
    try {
      shared.throwIfAborted()
    } catch {
      isAborted = true
    }
  }
  const controller = new AbortController()
  const leaving = bench.idOf(file, { signal: controller.signal })
  await settled(() => bench.values.length === 1)

  const reason = new Error('enough')
  controller.abort(reason)
  t.is(await leaving.catch((error: unknown) => error), reason as never)
  t.is(bench.cache.size, 0)
  gate.open()
  await settled(() => bench.disposed.length === 1)
  bench.gate = async () => undefined

  t.true(isAborted)
  t.is(await bench.idOf(file), 1)
})

test('a signal of a job queue leaves no listener behind', async (t) => {
  const bench = new Bench(t)
  const file = bench.write('a', 'one')
  const listeners = new Set<() => void>()
  const signal: AbortSignalLike = {
    aborted: false,
    addEventListener: (_, listener) => listeners.add(listener),
    removeEventListener: (_, listener) => listeners.delete(listener),
  }

  await bench.idOf(file, { signal })

  t.is(listeners.size, 0)
})

test('the least recently used goes first, and not before its last use', async (t) => {
  const bench = new Bench(t, { filesMax: 2 })
  const files = ['a', 'b', 'c'].map((name) => bench.write(name, name))
  const [a = '', b = '', c = ''] = files
  const gate = door()
  const using = bench.use(b, async (value) => {
    await gate.promise
    return value.isDisposed
  })
  await settled(() => bench.cache.size === 1)
  await bench.idOf(a)

  await bench.idOf(c)

  t.is(bench.cache.size, 2)
  t.deepEqual(bench.disposed, [], 'b went, and is in use')
  gate.open()
  t.false(await using)
  t.deepEqual(bench.disposed, [0])
  t.deepEqual([await bench.idOf(a), await bench.idOf(c), await bench.idOf(b)], [1, 2, 3])
  t.deepEqual(bench.disposed, [0, 1])
})

test('bytes are bounded, and a file that is too large by itself pushes no other out', async (t) => {
  const bench = new Bench(t, { bytesMax: 10 })
  const small = bench.write('small', '12345')
  const other = bench.write('other', '1234')
  const large = bench.write('large', '12345678901')

  await bench.idOf(small)
  await bench.idOf(other)
  t.is(await bench.idOf(large), 2)

  t.is(bench.cache.bytes, 9)
  t.deepEqual(bench.disposed, [2])
  t.deepEqual([await bench.idOf(large), await bench.idOf(small)], [3, 0])
  await bench.idOf(bench.write('third', '123'))
  t.is(bench.cache.bytes, 8)
})

test('clear drops all, those in use after their last use', async (t) => {
  const bench = new Bench(t)
  const [a, b] = [bench.write('a', 'a'), bench.write('b', 'b')]
  await bench.idOf(a)
  const gate = door()
  const using = bench.use(b, () => gate.promise)
  await settled(() => bench.values.length === 2)

  bench.cache.clear()

  t.deepEqual([bench.cache.size, bench.cache.bytes], [0, 0])
  t.deepEqual(bench.disposed, [0])
  gate.open()
  await using
  t.deepEqual(bench.disposed, [0, 1])
  t.is(await bench.idOf(a), 2)
})

test('what cannot be kept is opened for each call', async (t) => {
  const bench = new Bench(t)

  t.deepEqual([await bench.idOf(bench.folder), await bench.idOf(bench.folder)], [0, 1])
  t.is(await bench.idOf(path.join(bench.folder, 'absent')), 2)
  t.is(bench.cache.size, 0)
  t.deepEqual(bench.disposed, [0, 1, 2])
})

/** Reports until something is so, which lets callers be heard that come late. */
async function reporting(shared: InstanceType<typeof Call>, isSo: () => boolean): Promise<void> {
  await settled(() => {
    shared.report('load', 0)
    return isSo()
  })
}

/** Lets other work run until something is so. */
async function settled(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}
