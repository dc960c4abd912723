// Ways to keep a native buffer beyond its time. Each runs in a process of its own, which must end
// by itself with status 0, and whoever kept the buffer must read zeros.

import test, { type ExecutionContext } from 'ava'
import { assertEnding, childFile, runNode } from './_child.ts'

/** Absent in Node 20, and with it everything that is made of it. */
const hasTransfer = 'transfer' in ArrayBuffer.prototype
/** Node 20 copies where newer ones move. */
const ESCAPES = hasTransfer ? 1 : 0

interface Theft {
  readonly name: string
  /** How many buffers it takes, as `stats` counts them. */
  readonly escapes: number
  /** Whether the thief's bytes are those that our view had. */
  readonly isAlias: boolean
}

const THEFTS: readonly Theft[] = [
  ...(hasTransfer
    ? [
        { name: 'transfer', escapes: 1, isAlias: true },
        { name: 'transferToFixedLength', escapes: 1, isAlias: true },
      ]
    : []),
  { name: 'structuredClone', escapes: ESCAPES, isAlias: hasTransfer },
  { name: 'worker', escapes: ESCAPES, isAlias: hasTransfer },
  { name: 'enqueue', escapes: 1, isAlias: true },
  { name: 'byob', escapes: 1, isAlias: true },
]

async function run(t: ExecutionContext, ...args: string[]): Promise<Record<string, unknown>> {
  const ending = await runNode(['--expose-gc', childFile('escape'), ...args])
  assertEnding(t, ending, 0)
  return JSON.parse(ending.stdout)
}

test('every kind of view ends with a reset and a dispose, also in another realm', async (t) => {
  t.deepEqual(await run(t, 'endViews'), { isEndedByReset: true, isEndedByDispose: true })
})

for (const { name, escapes, isAlias } of THEFTS) {
  test(`${name} of an arena's buffer: zeros for the thief, fresh memory for us`, async (t) => {
    const result = await run(t, 'arena', name)

    t.like(result, { isFresh: true, isNextWhole: true, isEnded: true, length: 0, escapes })
    if (isAlias) t.true(result['isStolenZero'])
  })

  test(`${name} of a secret's view: zeros for the thief, the secret is whole`, async (t) => {
    const result = await run(t, 'secret', name)

    t.like(result, { isWhole: true, isSeenWhole: true, isStillMine: true, escapes })
    if (isAlias) t.true(result['isStolenZero'])
  })

  test(`an arena goes on after ${name}, also before its reset`, async (t) => {
    const result = await run(t, 'allocate', name)

    t.like(result, { isFresh: true, usedBytes: 2 ** 20 + 1000, escapes })
    if (isAlias) t.true(result['isStolenZero'])
  })
}

test('a buffer that is marked as untransferable costs its memory, not the process', async (t) => {
  const arena = await run(t, 'arena', 'markAsUntransferable')
  t.like(arena, { isFresh: true, isNextWhole: true, isEnded: true })
  const secret = await run(t, 'secret', 'markAsUntransferable')
  t.like(secret, { isWhole: true, isSeenWhole: true })
  t.true(arena['escapes'] === secret['escapes'])
  if (arena['escapes'] === 1) t.true(arena['isStolenZero'] && secret['isStolenZero'])
})

test('a buffer that a worker moved out of itself may be used after its end', async (t) => {
  const { values, last } = await run(t, 'launder')

  // Node 20 copies it; others hand over memory that is zero when its worker is gone.
  t.deepEqual([values, last], [hasTransfer ? [0] : [0, 90], 1])
})

const LENGTH = 8 * 2 ** 20

for (const scene of ['inFlightReset', 'inFlightWipe']) {
  test(`${scene}: refused while zlib is at work on a view, whose result is right`, async (t) => {
    const { lengths, lastLengths, ...others } = await run(t, scene)

    t.deepEqual(others, {
      outcomes: ['append', 'read', 'write', 'zlib'],
      isFresh: true,
      isOneRight: true,
      code: 'ERR_BUSY',
      escapes: 0,
    })
    t.deepEqual(lengths, [LENGTH, LENGTH, LENGTH, LENGTH])
    t.deepEqual(lastLengths, [0, 0, 0, 0], 'when all have ended')
  })
}

test('an arena that is disposed while zlib and fs are at work leaves zeros to them', async (t) => {
  const { outcomes, lastLengths, ...others } = await run(t, 'inFlightDispose')

  t.deepEqual(others, {
    isFresh: true,
    isOneRight: true,
    lengths: [LENGTH, LENGTH, LENGTH, LENGTH],
    code: 'none',
    escapes: 1,
  })
  t.deepEqual(lastLengths, others['lengths'])
  t.regex(`${outcomes}`, /^append,read,write,zlib( of other bytes)?$/)
})

test('a reset while crypto fills a view is refused', async (t) => {
  const expected = { code: 'ERR_BUSY', outcome: 'filled', isNextZero: true, last: 'none' }
  t.deepEqual(await run(t, 'cryptoInFlight'), expected)
})

test('a reset under an fs.read is the own risk of its arena alone', async (t) => {
  t.deepEqual(await run(t, 'fsInFlight'), {
    code: 'none',
    length: LENGTH,
    outcomes: ['read', 'write'],
    isOneOrOther: true,
    isOthersWhole: true,
    escapes: 0,
  })
})

test('who has awaited what has a view may reset while zlib works for others', async (t) => {
  t.deepEqual(await run(t, 'foreignInFlight'), {
    codes: ['ERR_BUSY', 'ERR_BUSY', 'none', 'none'],
    length: 0,
    unused: 'none',
    outcomes: ['zlib'],
  })
})

for (const scene of ['inListenerReset', 'inBoundListenerReset']) {
  test(`${scene}: refused between two parts of what a view compresses to`, async (t) => {
    const { codes, ...others } = (await run(t, scene)) as { codes: string[] }

    // The last parts come when zlib is done with the view.
    t.is(codes[0], 'ERR_BUSY')
    t.true(codes.every((code) => ['ERR_BUSY', 'none'].includes(code)))
    t.deepEqual(others, { isWhole: true, last: 'none' })
  })
}

test('a dispose between two parts of what a view compresses to lets it go on', async (t) => {
  const { codes, last } = await run(t, 'inListenerDispose')

  t.deepEqual([codes, last], [['none'], 'ERR_DISPOSED'])
})

test('workers may end while zlib and fs are at work on their views', async (t) => {
  const ends = ['terminate', 'terminate', 'exit', 'exit', 'dispose', 'dispose']
  t.deepEqual(await run(t, 'workersInFlight'), { ends })
})

for (const scene of ['plainInFlight', 'plainUnderPressure']) {
  test(`${scene}: zlib whose input is taken away, none of ours, fails as before`, async (t) => {
    const ending = await runNode([childFile('escape'), scene])

    if (hasTransfer) {
      assertEnding(t, ending, 0)
      const { code, takenBytes } = JSON.parse(ending.stdout)
      t.is(code, 'ERR_OUT_OF_RANGE')
      t.true(takenBytes > 0)
    } else {
      t.is(ending.signal, 'SIGABRT', 'what the tests above would end with')
    }
  })
}

test('zlib and fs at work on the view of a secret that ends find zeros', async (t) => {
  t.deepEqual(await run(t, 'secretInFlight'), {
    outcomes: ['write', 'zlib', 'zlib'],
    isEnded: true,
    isLaterEnded: true,
    isWhole: true,
    escapes: 2,
  })
})

test('views that are left to the collector do not use up the mappings of a process', async (t) => {
  const { most, escapes } = await run(t, 'abandoned')

  // Three to each, and Linux allows 65,530; between two turns of the loop none can go.
  t.true(Number(most) < 20_000, `${most}`)
  t.true(Number(escapes) > 10_000, `${escapes}: control, each call leaves one`)
})

test('arenas that nobody uses give their addresses back, disposed or not', async (t) => {
  t.deepEqual(await run(t, 'forget'), { isGrown: true, isBack: true, isKept: true, escapes: 0 })
})
