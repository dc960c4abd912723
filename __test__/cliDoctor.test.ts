import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { AddonFacts, Facts, Host } from '../ts/cli/doctor/facts.ts'
import { assertEnding, runChild } from './_child.ts'
import { doctor, memorySearch } from './_internal.ts'
import { randomWords } from './_random.ts'
import { fixtures, goldenCases, sha256 } from './_repository.ts'
import { elementBytes, PRIME, wtnsOf } from './_wtns.ts'

const { checksOf, exitCodeOf, gatherFacts, reportOf, reportText, runtimeOf } = doctor
const GIB = 2 ** 30

const residue = { isKnown: true, valuesLeft: 0, values: 9 } as const
const selfTest = { ms: 9.4, isValid: true, isAlteredRefused: true, residue }
const environment: AddonFacts['environment'] = {
  version: '0.1.0',
  triple: 'linux-x64-gnu',
  libc: 'gnu',
  kernel: '6.18',
  cpu: 'ifma',
  pageSize: 4096,
  thp: { mode: 'madvise', obtainedBytes: 2 ** 26 },
  memlockBytes: Number.MAX_SAFE_INTEGER,
  cgroupLimitBytes: null,
  preloaded: false,
  warnings: [],
}
const addon: AddonFacts = {
  file: '/srv/node_modules/@nalloc/linux-x64-gnu/nalloc.linux-x64-gnu.node',
  environment,
  heap: { heapBytes: 2 ** 26 },
  cacheLimitBytes: GIB,
  selfTest,
  poolThreads: 4,
}
const facts: Facts = {
  nodeVersion: '20.20.2',
  runtime: undefined,
  platform: 'linux-x64',
  kernel: '6.18',
  ramBytes: 22 * GIB,
  cgroupLimitBytes: null,
  availableThreads: 4,
  addon,
}

const withAddon = (changes: Partial<AddonFacts>): Facts => ({
  ...facts,
  addon: { ...addon, ...changes },
})
const withEnvironment = (changes: Partial<AddonFacts['environment']>): Facts =>
  withAddon({ environment: { ...environment, ...changes } })
const signal = new AbortController().signal

/** One check of some facts, as `status message`, and its fix. */
function check(id: string, facts: Facts): [said: string, fix: string | undefined] {
  const found = checksOf(facts).find((candidate) => candidate.id === id)
  return [`${found?.status} ${found?.message}`, found?.fix]
}

test('a machine without a flaw has seven checks and all are ok', (t) => {
  const checks = checksOf(facts)

  t.deepEqual(
    checks.map(({ id, status }) => `${status} ${id}`),
    [
      'ok addon',
      'ok node',
      'ok memory',
      'ok huge-pages',
      'ok locked-memory',
      'ok threads',
      'ok self-test',
    ],
  )
  t.true(checks.every(({ fix }) => fix === undefined))
})

test('the addon is a platform package or a local build', (t) => {
  const built = withAddon({ file: '/srv/nalloc/nalloc.linux-x64-gnu.node' })

  t.is(check('addon', facts)[0], 'ok @nalloc/linux-x64-gnu, CPU path ifma')
  t.is(
    check('addon', built)[0],
    'ok local build /srv/nalloc/nalloc.linux-x64-gnu.node, CPU path ifma',
  )
})

test('an old Node fails', (t) => {
  for (const nodeVersion of ['18.20.8', '20.18.3', '19.9.0']) {
    const [said, fix] = check('node', { ...facts, nodeVersion })
    t.is(said, `fail Node ${nodeVersion}, 20.19 or newer is supported`)
    t.truthy(fix)
  }
  for (const nodeVersion of ['20.19.0', '22.1.0', '26.0.0-nightly']) {
    t.regex(check('node', { ...facts, nodeVersion })[0], /^ok /)
  }
})

test('a runtime that says that it is Node is told', (t) => {
  const runtime = runtimeOf({ node: '26.3.0', bun: '1.4.5' })

  t.is(
    check('node', { ...facts, nodeVersion: '26.3.0', runtime })[0],
    'ok Node 26.3.0 as Bun 1.4.5, 20.19 or newer is supported',
  )
  t.is(runtimeOf({ node: '26.0.0', deno: '2.9.6' }), 'Deno 2.9.6')
  t.is(runtimeOf(process.versions), undefined)
})

test('memory tells the machine from its cgroup, and warns of a cache too large for it', (t) => {
  const tight = { ...facts, cgroupLimitBytes: 1.5 * GIB }

  t.is(check('memory', facts)[0], 'ok 22.0 GiB RAM, no cgroup limit; cache limit 1.0 GiB')
  t.deepEqual(check('memory', tight), [
    'warn 22.0 GiB RAM, 1.5 GiB cgroup limit; cache limit 1.0 GiB',
    'set NALLOC_CACHE_LIMIT to fewer bytes',
  ])
  t.regex(check('memory', { ...facts, cgroupLimitBytes: 4 * GIB })[0], /^ok /)
})

test('what the environment warns of is a warning, with its fix', (t) => {
  const warnings = [
    { id: 'cgroup-small', of: 'memory' },
    { id: 'thp-off', of: 'huge-pages' },
    { id: 'thp-not-obtained', of: 'huge-pages' },
    { id: 'memlock-small', of: 'locked-memory' },
  ] as const

  for (const { id, of } of warnings) {
    const warning = { id, message: 'a thing: expected X, got Y. It costs Z.', fix: `docs#${id}` }
    const warned = withEnvironment({ warnings: [warning] })
    const others = checksOf(warned).filter((candidate) => candidate.id !== of)
    t.deepEqual(check(of, warned), ['warn expected X, got Y. It costs Z.', `docs#${id}`])
    t.true(
      others.every(({ status }) => status === 'ok'),
      id,
    )
  }
})

test('huge pages are told with what they are a part of', (t) => {
  const short = withAddon({ heap: { code: 'ERR_NO_MEMORY', message: 'no memory' } })

  t.is(check('huge-pages', facts)[0], 'ok THP=madvise, obtained 64.0 MiB of 64.0 MiB')
  t.is(check('huge-pages', short)[0], 'warn THP=madvise, not checked: no memory')
})

test('locked memory is told as signals', (t) => {
  const eight = withEnvironment({ memlockBytes: 2 ** 23 })

  t.is(check('locked-memory', facts)[0], 'ok no limit')
  t.is(check('locked-memory', eight)[0], 'ok RLIMIT_MEMLOCK 8.0 MiB: witnesses of 262,144 signals')
})

test('more threads than may run at once are a warning', (t) => {
  t.is(check('threads', facts)[0], 'ok 4 that prove, 4 usable at once')
  t.regex(check('threads', withAddon({ poolThreads: 2 }))[0], /^ok 2 that prove/)
  t.regex(check('threads', withAddon({ poolThreads: 8 }))[0], /^warn 8 that prove/)
  t.is(check('threads', withAddon({ poolThreads: undefined }))[0], 'ok 4 usable at once')
})

test('a self-test that fails, or leaves values, is a failure', (t) => {
  const outcome = (changes: Partial<typeof selfTest>) =>
    check('self-test', withAddon({ selfTest: { ...selfTest, ...changes } }))
  const left = { ...residue, valuesLeft: 3 } as unknown as typeof residue
  const failed = withAddon({ selfTest: { code: 'ERR_NO_MEMORY', message: 'no memory' } })

  t.is(outcome({})[0], 'ok prove+verify in 9 ms; 0 copies of 9 witness values left')
  t.is(outcome({ isValid: false })[0], 'fail the proof does not verify')
  t.is(outcome({ isAlteredRefused: false })[0], 'fail an altered proof verifies')
  t.regex(outcome({ residue: left })[0], /^fail .*; 3 copies of 9 witness values left/)
  t.is(check('self-test', failed)[0], 'fail no memory')
})

test('memory that cannot be searched is never called clean', (t) => {
  const unknown = { isKnown: false, reason: 'EACCES' } as const
  const [said] = check('self-test', withAddon({ selfTest: { ...selfTest, residue: unknown } }))

  t.is(said, 'warn prove+verify in 9 ms; memory not checked for the witness: EACCES')
  t.notRegex(said, /\b0 copies/)
})

test('the exit code is 0, 1 for a failure, with --strict for a warning, 5 without an addon', (t) => {
  const code = (facts: Facts, strictness: 'failures' | 'warnings') =>
    exitCodeOf(reportOf(facts, '0.1.0'), strictness)
  const warning = withAddon({ poolThreads: 8 })
  const failure = { ...facts, nodeVersion: '18.0.0' }
  const absent = { ...facts, addon: { code: 'ERR_BINARY_MISSING', message: 'no prebuilt' } }

  t.deepEqual([code(facts, 'failures'), code(facts, 'warnings')], [0, 0])
  t.deepEqual([code(warning, 'failures'), code(warning, 'warnings')], [0, 1])
  t.deepEqual([code(failure, 'failures'), code(failure, 'warnings')], [1, 1])
  t.deepEqual([code(absent, 'failures'), code(absent, 'warnings')], [5, 5])
})

test('the report for people is aligned, and tells the fix', (t) => {
  const report = reportOf(withAddon({ poolThreads: 8 }), '0.1.0')

  t.deepEqual(reportText(report).split('\n').slice(0, 3), [
    'nalloc 0.1.0  linux-x64-gnu  kernel 6.18  Node 20.20.2',
    '  ok    addon          @nalloc/linux-x64-gnu, CPU path ifma',
    '  ok    node           Node 20.20.2, 20.19 or newer is supported',
  ])
  t.regex(
    reportText(report),
    /^ {2}warn {2}threads {8}8 that prove, 4 usable at once {3}fix: give fewer/m,
  )
})

test('the object has its schema, the environment and the checks', (t) => {
  const report = JSON.parse(JSON.stringify(reportOf(facts, '0.1.0'))) as Record<string, unknown>

  t.like(report, {
    schema: 'nalloc/doctor@1',
    version: '0.1.0',
    platform: 'linux-x64-gnu',
    kernel: '6.18',
    node: '20.20.2',
  })
  t.deepEqual(report['checks'], JSON.parse(JSON.stringify(checksOf(facts))))
  t.like(report['environment'], { cpu: 'ifma', thp: environment.thp })
})

const host: Host = {
  ...facts,
  constrainedBytes: 0,
  loadAddon: () => '@nalloc/linux-x64-gnu',
  fillHeap: async () => ({ heapBytes: 2 ** 26, dispose: () => undefined }),
  environment: async () => environment,
  cacheLimitBytes: () => GIB,
  selfTest: async () => selfTest,
  poolThreads: () => 4,
}

test('without an addon there are facts, with the reason in place of the rest', async (t) => {
  const error = Object.assign(new Error('linux x64/arm64 only.'), { code: 'ERR_PLATFORM' })
  const loadAddon = () => {
    throw error
  }

  const found = await gatherFacts({ ...host, platform: 'darwin-arm64', loadAddon }, signal)
  const report = reportOf(found, '0.1.0')

  t.deepEqual(found.addon, { code: 'ERR_PLATFORM', message: error.message })
  t.is(exitCodeOf(report, 'failures'), 5)
  t.deepEqual(
    report.checks.map(({ id, status }) => `${status} ${id}`),
    ['fail addon', 'ok node', 'ok memory', 'ok threads'],
  )
  t.regex(reportText(report), /^nalloc 0\.1\.0 {2}darwin-arm64 {2}kernel/)
})

test('the heap is filled while the environment is asked for, and emptied', async (t) => {
  const calls: string[] = []
  const fillHeap = async () => {
    calls.push('fill')
    return { heapBytes: 1, dispose: () => calls.push('dispose') }
  }
  const ask = async () => {
    calls.push('environment')
    return environment
  }
  const short = async () => {
    throw Object.assign(new Error('no memory'), { code: 'ERR_NO_MEMORY' })
  }

  const { addon } = await gatherFacts({ ...host, fillHeap, environment: ask }, signal)
  const without = await gatherFacts({ ...host, fillHeap: short }, signal)

  t.deepEqual(calls, ['fill', 'environment', 'dispose'])
  t.like(addon, { heap: { heapBytes: 1 } })
  t.like(without.addon, { heap: { code: 'ERR_NO_MEMORY', message: 'no memory' }, environment })
})

test('without an addon, an impossible limit of memory is none', async (t) => {
  const loadAddon = () => {
    throw new Error('absent')
  }
  const limit = async (constrainedBytes: number) =>
    (await gatherFacts({ ...host, loadAddon, constrainedBytes }, signal)).cgroupLimitBytes

  t.is(await limit(0), null)
  t.is(await limit(2 ** 64), null)
  t.is(await limit(GIB), GIB)
})

test('a self-test that throws is a fact, not an accident', async (t) => {
  const selfTest = async () => {
    throw Object.assign(new Error('the key is damaged'), { code: 'ERR_NOT_ON_CURVE' })
  }

  const { addon } = await gatherFacts({ ...host, selfTest }, signal)

  t.like(addon, { selfTest: { code: 'ERR_NOT_ON_CURVE', message: 'the key is damaged' } })
})

/** What a task of the child saw in its own memory, which no other test has written to. */
async function seenBy(t: ExecutionContext, task: string): Promise<Record<string, unknown>> {
  const ending = await runChild('searchMemory', [task])
  assertEnding(t, ending, 0)
  return JSON.parse(ending.stdout) as Record<string, unknown>
}

test('the self-test proves, refuses what is altered, and finds no value in memory', async (t) => {
  const { isValid, isAlteredRefused, residue } = await seenBy(t, 'selfTest')

  t.deepEqual([isValid, isAlteredRefused], [true, true])
  t.deepEqual(residue, { isKnown: true, valuesLeft: 0, values: 9 })
})

test('a copy of the witness that stays in memory is found', async (t) => {
  const { residue } = await seenBy(t, 'selfTestBesideCopy')

  t.deepEqual(residue, { isKnown: true, valuesLeft: 9, values: 9 })
})

test('a search finds a value at any byte, across the borders of its parts', async (t) => {
  t.deepEqual(await seenBy(t, 'everywhere'), { before: 0, counts: [1], after: 0 })
})

test('a search finds what a naive one finds, around pages that cannot be read', (t) => {
  const PAGE_BYTES = 4096
  const PAGES = 600
  const base = 0x7f00_0000_0000n
  const next = randomWords(3)
  const values = [1, 2, 3].map((i) => createHash('sha256').update(`value ${i}`).digest())
  const patterns = values.map((value) => memorySearch.patternAt(value, 0))

  for (let round = 0; round < 20; round += 1) {
    const memory = Buffer.alloc(PAGES * PAGE_BYTES)
    const holes = new Set(Array.from({ length: round }, () => next() % PAGES))
    for (let i = 0; i < 200; i += 1) {
      // Around the borders of pages, and of the chunks that are read at once.
      const page = i % 2 === 0 ? next() % PAGES : 256 * (next() % 3)
      const at = page * PAGE_BYTES + (next() % 80) - 40
      values[next() % 3]?.copy(memory, Math.max(0, at))
    }
    const isHole = (at: number) => holes.has(Math.floor(at / PAGE_BYTES))
    const read = (out: Buffer, length: number, address: bigint) => {
      const start = Number(address - base)
      let end = start
      while (end < start + length && !isHole(end)) {
        end = Math.min(start + length, end + PAGE_BYTES - (end % PAGE_BYTES))
      }
      return memory.copy(out, 0, start, end)
    }
    let naive = 0
    for (const value of values) {
      for (let at = memory.indexOf(value); at >= 0; at = memory.indexOf(value, at + 1)) {
        if (!isHole(at) && !isHole(at + 31)) naive += 1
      }
    }

    const range = { start: base, end: base + BigInt(memory.length) }
    const { found, bytes } = memorySearch.searchMemory([range], read, patterns)

    t.is(found, naive, `round ${round}`)
    t.is(bytes, (PAGES - holes.size) * PAGE_BYTES, `round ${round}`)
  }
})

test('a search that fails, or misses what was planted, makes no claim', async (t) => {
  const forbidden = () => {
    throw new Error('EACCES: permission denied')
  }
  const blind = () => ({ found: 0, bytes: 1 })

  const denied = await doctor.runSelfTest({ search: forbidden })
  const unseen = await doctor.runSelfTest({ search: blind })

  t.deepEqual(denied.residue, { isKnown: false, reason: 'EACCES: permission denied' })
  t.deepEqual(unseen.residue, {
    isKnown: false,
    reason: 'the search found 0 of 9 values that were there',
  })
})

test('the circuit of the self-test is the one that testkit makes, and its witness satisfies it', (t) => {
  const [golden] = goldenCases('synthetic').filter(({ name }) => name === 'setup_order')
  const key = Buffer.from(doctor.KEY_BASE64, 'base64')
  const start = BigInt(`0x${createHash('sha256').update('nalloc doctor').digest('hex')}`) % PRIME
  const chain = [start]
  for (let i = 0; i < 10; i += 1) chain.push(((chain[i] ?? 0n) ** 2n + 7n) % PRIME)
  const [first = 0n, last = 0n] = [chain[0], chain[10]]
  const witness = wtnsOf([1n, first, last, ...chain.slice(1, 10)])

  t.is(sha256(key), golden?.zkeySha256 ?? 'no golden case')
  t.deepEqual(key, fs.readFileSync(path.join(fixtures, 'setup_order.zkey')))
  t.deepEqual(Buffer.from(doctor.WITNESS_BASE64, 'base64'), witness)
  for (const value of chain.slice(1, 10)) t.not(elementBytes(value)[0], 0)
})
