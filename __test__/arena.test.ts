// Counts are the process's, so these tests run one after another.

import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Arena, memory, NallocError, ProvingKey, stats, type ViewKind } from 'nalloc'
import { assertEnding, childFile, runChild, runNode } from './_child.ts'
import { randomWords } from './_random.ts'
import { fixtures, semaphore } from './_repository.ts'

const zkey = path.join(fixtures, 'chain2000.zkey')
const wtns = path.join(fixtures, 'chain2000.wtns')
const KIB = 2 ** 10
const MIB = 2 ** 20
const GIB = 2 ** 30
const ELEMENT_BYTES: Readonly<Record<ViewKind, number>> = {
  u8: 1,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f64: 8,
}
const KINDS = Object.keys(ELEMENT_BYTES) as ViewKind[]

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function codeOf(t: ExecutionContext, call: () => unknown): string {
  return t.throws(call, { instanceOf: NallocError })?.code ?? 'none'
}

test.serial('views of every kind are zero, aligned and apart, before and after a reset', (t) => {
  const next = randomWords(7)
  using arena = new Arena('4M')
  for (let round = 0; round < 20; round += 1) {
    const views: { bytes: Uint8Array; mark: number }[] = []
    for (let i = 0; i < 100; i += 1) {
      const kind = KINDS[next() % 6] as ViewKind
      const length = next() % (next() % 2 === 0 ? 3000 : 20)
      const alignment = [1, 8, 64, 64][next() % 4] as number
      const view = arena.alloc(kind, length, { alignment })

      t.is(view.length, length)
      t.is(view.byteOffset % Math.max(alignment, ELEMENT_BYTES[kind]), 0)
      const bytes = bytesOf(view)
      t.true(bytes.every((byte) => byte === 0))
      bytes.fill(i + 1)
      views.push({ bytes, mark: i + 1 })
    }
    t.true(views.every(({ bytes, mark }) => bytes.every((byte) => byte === mark)))
    arena.reset()
    t.true(views.every(({ bytes }) => bytes.length === 0))
  }
})

test.serial('each kind is the typed array that its name says', (t) => {
  using arena = new Arena(MIB)
  const views = [
    arena.alloc('u8', 3),
    arena.alloc('u32', 3),
    arena.alloc('i32', 3),
    arena.alloc('u64', 3),
    arena.alloc('i64', 3),
    arena.alloc('f64', 3),
  ]

  const names = ['Uint8', 'Uint32', 'Int32', 'BigUint64', 'BigInt64', 'Float64']
  t.deepEqual(
    views.map((view) => view.constructor.name),
    names.map((name) => `${name}Array`),
  )
  t.is(arena.alloc('f64', 0).length, 0)
})

test.serial('reset ends every kind of view, and what was made of it', (t) => {
  using arena = new Arena(MIB)
  const view = arena.alloc('u8', 1000)
  const { buffer } = view
  const others = [view, view.subarray(1), new DataView(buffer), Buffer.from(buffer, 0, 9)]

  arena.reset()

  t.deepEqual(
    others.slice(0, 2).map(({ byteLength }) => byteLength),
    [0, 0],
  )
  t.is(buffer.byteLength, 0)
  t.is(others[3]?.byteLength, 0)
  t.throws(() => others[2]?.byteLength, { instanceOf: TypeError })
  t.is(view[0], undefined)
})

test.serial('zero: false leaves what the arena itself held, and reset keeps its place', (t) => {
  using arena = new Arena(MIB)
  const first = arena.alloc('u8', 5000)
  const { byteOffset } = first
  first.fill(9)
  arena.reset()

  const second = arena.alloc('u8', 6000, { zero: false })

  t.is(second.byteOffset, byteOffset)
  t.true(second.every((byte, i) => byte === (i < 5000 ? 9 : 0)))
})

test.serial('alignment is what was asked for, by the arena and by the view', (t) => {
  using arena = new Arena('8M', { alignment: 16 })
  arena.alloc('u8', 1)
  const view = arena.alloc('u8', 1)
  t.is(view.byteOffset, 16)
  t.is(arena.alloc('u8', 1, { alignment: 1 }).byteOffset, 17)
  t.is(arena.alloc('u64', 1, { alignment: 1 }).byteOffset, 24, 'an element needs its own')
  t.is(arena.alloc('u8', 1, { alignment: 4096 }).byteOffset, 4096)
  using plain = new Arena('8M')
  plain.alloc('u8', 1)
  t.is(plain.alloc('u8', MIB).byteOffset, 4096, 'pages from 1 MiB on')
})

test.serial('an arena counts what it handed out, and its most', (t) => {
  using arena = new Arena(100_000)
  t.is(arena.capacityBytes, 128 * KIB)
  arena.alloc('u8', 100)
  arena.alloc('u64', 10)
  t.like(arena, { usedBytes: 208, highWaterBytes: 208 })

  arena.reset()
  arena.alloc('u8', 50)

  t.like(arena, { usedBytes: 50, highWaterBytes: 208 })
})

test.serial('a full arena says so, takes nothing, and is whole after a reset', (t) => {
  using arena = new Arena('1M')
  arena.alloc('u8', MIB - 64)
  const { usedBytes } = arena

  const error = t.throws(() => arena.alloc('u64', 9), { instanceOf: NallocError })

  t.is(error?.code, 'ERR_LIMIT')
  t.is(
    error?.message,
    'arena: expected 72 bytes, got 64 left of 1048576. Make it larger, or reset it.',
  )
  t.is(arena.usedBytes, usedBytes)
  t.is(arena.alloc('u64', 8).length, 8)
  arena.reset()
  t.is(arena.alloc('u8', MIB).length, MIB)
})

test.serial('an arena of several GiB has windows of one each, made when they are needed', (t) => {
  using arena = new Arena('2.5G')
  const first = arena.alloc('u8', 1000)
  const whole = arena.alloc('u64', GIB / 8)
  whole[whole.length - 1] = 7n
  const last = arena.alloc('u8', GIB / 2)
  last[last.length - 1] = 9

  t.not(first.buffer, whole.buffer)
  t.is(arena.usedBytes, 2.5 * GIB)
  t.is(
    codeOf(t, () => arena.alloc('u8', 1)),
    'ERR_LIMIT',
  )
  arena.reset()
  t.deepEqual([first.length, whole.length, last.length], [0, 0, 0])
  arena.alloc('u8', 1000)
  t.true(
    arena
      .alloc('u64', GIB / 8)
      .subarray(-9)
      .every((word) => word === 0n),
  )
})

test.serial('an arena goes from pane to pane, and every view is apart and zero', (t) => {
  using arena = new Arena('100M')
  for (let round = 0; round < 3; round += 1) {
    const views = [10, 20, 5, 40, 1, 20].map((size) => arena.alloc('u8', size * MIB))
    for (const [i, view] of views.entries()) {
      t.true([0, view.length >> 1, view.length - 1].every((at) => view[at] === 0))
      view.fill(i + 1)
    }
    t.true(views.every((view, i) => view.every((byte) => byte === i + 1)))
    t.true(arena.usedBytes <= 97 * MIB)
    arena.reset()
    t.true(views.every(({ length }) => length === 0))
  }
})

test.serial('wipe leaves no byte, and neither does the reset of a secret arena', (t) => {
  for (const secret of [false, true]) {
    using arena = new Arena('4M', { secret })
    arena.alloc('u8', 3 * MIB).fill(5)
    arena.reset()
    arena.alloc('u8', MIB, { zero: false }).fill(6)
    if (!secret) arena.wipe()
    else arena.reset()

    const view = arena.alloc('u8', 4 * MIB, { zero: false })

    t.true(view.every((byte) => byte === 0))
    t.is(arena.highWaterBytes, 4 * MIB)
  }
})

test.serial('the pages of a secret arena are left out of dumps and zero in children', (t) => {
  using arena = new Arena('16M', { secret: true })
  arena.alloc('u8', 16 * MIB).fill(1)
  const smaps = fs.readFileSync('/proc/self/smaps', 'utf8')
  const area = smaps.split(/\n(?=[0-9a-f]+-)/).find((text) => {
    const isLarge = Number(/^Size:\s+(\d+)/m.exec(text)?.[1]) === 16 * KIB
    return isLarge && /^VmFlags:.* dd/m.test(text)
  })

  t.regex(area ?? '', /^VmFlags:.* wf( .*)? dd/m)
})

test.serial('stats counts arenas, and those for secrets', (t) => {
  const before = stats()
  const arena = new Arena('1M', { secret: true })
  arena.alloc('u8', 1)
  const held = stats()
  t.is(held.arenas, before.arenas + 1)
  t.is(held.secretBytes, before.secretBytes + MIB)
  t.true([0, MIB].includes(held.lockedBytes - before.lockedBytes))

  arena.dispose()

  const { arenas, secretBytes, lockedBytes } = before
  t.like(stats(), { arenas, secretBytes, lockedBytes, escapes: 0 })
})

test.serial('an arena above the memory limit is refused and takes nothing', (t) => {
  t.teardown(() => {
    memory.memoryLimit = null
  })
  memory.memoryLimit = stats().liveBytes + stats().secretBytes + 8 * MIB
  const { arenas } = stats()
  using arena = new Arena('6M')

  const error = t.throws(() => new Arena('3M'), { instanceOf: NallocError })

  t.is(error?.code, 'ERR_LIMIT')
  t.regex(error?.message ?? '', /^the arena: needs about 3\.0 MiB, limit .* Raise it, or dispose/)
  t.is(stats().arenas, arenas + 1)
  arena.dispose()
  new Arena('6M').dispose()
})

test.serial('a disposed arena gives nothing, and may be disposed again', (t) => {
  const arena = new Arena('1M')
  const view = arena.alloc('u8', 10)
  arena.dispose()

  t.is(view.length, 0)
  t.true(arena.isDisposed)
  for (const call of [
    () => arena.alloc('u8', 1),
    () => arena.alloc('u8', 0),
    () => arena.reset(),
    () => arena.wipe(),
  ]) {
    t.is(codeOf(t, call), 'ERR_DISPOSED')
    t.throws(call, { message: 'arena: expected a live one, got a disposed one. Make a new one.' })
  }
  arena.dispose()
  arena[Symbol.dispose]()
})

test.serial('a key and a witness in an arena are read in place, and keep it busy', async (t) => {
  using arena = new Arena('8M')
  const load = (file: string): Uint8Array => {
    const bytes = fs.readFileSync(file)
    const view = arena.alloc('u8', bytes.length)
    view.set(bytes)
    return view
  }
  // Both calls wait for the one before them.
  const ahead = ProvingKey.open(semaphore(20).zkey)
  const opening = ProvingKey.open(load(zkey))
  for (const call of [() => arena.reset(), () => arena.wipe(), () => arena.dispose()]) {
    t.is(codeOf(t, call), 'ERR_BUSY')
  }
  using key = await opening
  using other = await ahead
  arena.reset()

  const again = ProvingKey.open(semaphore(20).zkey)
  const proving = key.prove(load(wtns))
  t.is(
    codeOf(t, () => arena.reset()),
    'ERR_BUSY',
  )
  t.is(arena.alloc('u8', 9).length, 9, 'it may be used further')
  const { proof, publicSignals } = await proving
  arena.reset()

  t.true(await key.verifyingKey.verify(proof, publicSignals))
  t.is((await again).info.sha256, other.info.sha256)
})

test.serial('arguments that are wrong are refused by name, and nothing is handed out', (t) => {
  using arena = new Arena('1M')
  const wrong: readonly (readonly [name: string, call: () => unknown])[] = [
    ...[
      undefined,
      null,
      true,
      {},
      '1',
      'x',
      '',
      0,
      -1,
      1.5,
      NaN,
      2 ** 53,
      2 ** 64,
      '1025G',
      Infinity,
    ].map((size) => ['capacity', () => new Arena(size as never)] as const),
    ...[null, [], 1].map((value) => ['options', () => new Arena(1, value as never)] as const),
    ['secret', () => new Arena(1, { secret: 1 as never })],
    ...[0, 3, -8, 1.5, NaN, 8192, '64', null].map(
      (alignment) => ['alignment', () => new Arena(1, { alignment } as never)] as const,
    ),
    ...[undefined, 'u16', 'constructor', '', 1, {}].map(
      (kind) => ['kind', () => arena.alloc(kind as never, 1)] as const,
    ),
    ...[undefined, null, '1', 1n, -1, 0.5, NaN, GIB + 1, 2 ** 53, 2 ** 64, Infinity, {}].map(
      (length) => ['length', () => arena.alloc('u8', length as never)] as const,
    ),
    ['length', () => arena.alloc('u64', GIB / 8 + 1)],
    ['options', () => arena.alloc('u8', 1, 1 as never)],
    ...[null, [], 'awaited', true].flatMap((value) => [
      ['options', () => arena.reset(value as never)] as const,
      ['options', () => arena.wipe(value as never)] as const,
    ]),
    ...[null, true, 1, '', 'Awaited', {}].flatMap((inFlight) => [
      ['inFlight', () => arena.reset({ inFlight } as never)] as const,
      ['inFlight', () => arena.wipe({ inFlight } as never)] as const,
    ]),
    ['zero', () => arena.alloc('u8', 1, { zero: 0 as never })],
    ['alignment', () => arena.alloc('u8', 1, { alignment: 48 })],
  ]
  const { arenas } = stats()

  for (const [name, call] of wrong) {
    const error = t.throws(call) as NallocError
    t.true(error instanceof TypeError || error instanceof RangeError, `${name}: ${error.stack}`)
    t.is(error.code, 'ERR_INVALID_ARG')
    t.true(error.message.startsWith(`${name}: expected `), error.message)
  }
  t.is(arena.usedBytes, 0)
  t.is(stats().arenas, arenas)
})

test.serial('a system that refuses the memory is an error with its code', async (t) => {
  const ending = await runChild('noMemory', [])

  assertEnding(t, ending, 0)
  t.is(ending.stdout, 'ERR_NO_MEMORY ERR_NO_MEMORY 0 10')
})

const HAS_GLOBAL_LIMIT = Number.parseInt(process.versions.node, 10) >= 24
const GLOBAL_LIMIT = '--external-memory-accounted-in-global-limit'
for (const { what, views, length, flags = [], collectionsMax = 20 } of [
  { what: 'with a small view', views: 1, length: 100_000 },
  { what: 'viewed as a whole', views: 8, length: 2 ** 22 },
  // V8 begins a collection for each buffer of more than 64 MiB, and ends it some rounds later.
  { what: 'in one large view', views: 1, length: 2 ** 25, collectionsMax: 400 },
  { what: 'in one large view, with the flag', views: 1, length: 2 ** 25, flags: [GLOBAL_LIMIT] },
]) {
  const title = `a thousand resets of 256 MiB ${what}: at most ${collectionsMax} full collections`
  if (flags.length > 0 && !HAS_GLOBAL_LIMIT) {
    test.skip(`${title} (skipped: Node has ${GLOBAL_LIMIT} from 24 on)`, () => {})
    continue
  }
  test.serial(title, async (t) => {
    const ending = await runNode([...flags, childFile('resetArena'), `${views}`, `${length}`])

    assertEnding(t, ending, 0)
    const { collections, lengths } = JSON.parse(ending.stdout) as Record<string, unknown>
    t.log(`${collections} full collections`)
    t.true(Number(collections) <= collectionsMax, `${collections}`)
    t.deepEqual(lengths, [0])
  })
}
