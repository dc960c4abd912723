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

for (const scene of ['inFlightReset', 'inFlightDispose']) {
  test(`${scene}: zlib and fs at work on views that end kill nobody`, async (t) => {
    const { outcomes, lengths, ...others } = await run(t, scene)

    // Node 20 would abort; newer ones make zlib fail when it needs more of its input: see below.
    const code = hasTransfer ? 'none' : 'ERR_BUSY'
    const length = hasTransfer ? 0 : 8 * 2 ** 20
    t.deepEqual(others, { isFresh: true, code })
    t.deepEqual(lengths, [length, length, length, length])
    t.regex(`${outcomes}`, /^append,read,write,zlib( ERR_OUT_OF_RANGE)?$/)
  })
}

test("zlib whose input is a plain buffer that is taken away fails in Node's own way", async (t) => {
  const ending = await runNode([childFile('escape'), 'plainInFlight'])

  if (hasTransfer) {
    assertEnding(t, ending, 0)
    const expected = { code: 'ERR_OUT_OF_RANGE', takenBytes: 8 * 2 ** 20 }
    t.deepEqual(JSON.parse(ending.stdout), expected)
  } else {
    t.is(ending.signal, 'SIGABRT', 'why a reset is refused meanwhile')
  }
})

test('zlib and fs at work on the view of a secret that ends kill nobody', async (t) => {
  const { outcomes, ...others } = await run(t, 'secretInFlight')

  // Node 20 cannot end such views: one for each call of withBytes is wiped and left.
  t.deepEqual(others, { isEnded: true, isWhole: true, escapes: hasTransfer ? 0 : 2 })
  t.regex(`${outcomes}`, /^write,zlib( ERR_OUT_OF_RANGE)?$/)
})

test('arenas that nobody uses give their addresses back, disposed or not', async (t) => {
  t.deepEqual(await run(t, 'forget'), { isGrown: true, isBack: true, isKept: true, escapes: 0 })
})
