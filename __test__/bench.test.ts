import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  COLUMNS,
  describe,
  isMet,
  order,
  record,
  report,
  runCase,
  type Sample,
  summarize,
  table,
} from '../benches/node/_bench.ts'
import { limitsOf, medianOf } from '../benches/node/_groth16Costs.ts'
import { isWithin, reportLimits } from '../benches/node/_limits.ts'
import { root } from './_repository.ts'

const MACHINE = {
  date: '2026-11-21',
  commit: 'abc1234',
  description: 'a "CPU", 2 threads',
  toolchain: 'Node v20',
  load: 0.126,
}
const PLAN = { warmUps: 1, rounds: 3 }

function temporaryFolder(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  return folder
}

function samples(...ms: number[]): Sample[] {
  return ms.map((value, at) => ({
    ms: value,
    residentBytes: at,
    peakBytes: 10 * at,
    pageFaults: 100 * at,
  }))
}

function contestant(name: string, failure = ''): Parameters<typeof runCase>[0]['contestants'][0] {
  return { name, file: path.join(__dirname, 'children/benchWorker.js'), args: [name, failure] }
}

test('minimum and median do not depend on the order of rounds', (t) => {
  t.deepEqual(summarize(samples(3, 1, 9)), {
    rounds: 3,
    minMs: 1,
    medianMs: 3,
    residentBytes: 1,
    peakBytes: 20,
    pageFaults: 100,
  })
  t.is(summarize(samples(4, 1, 9, 2)).medianMs, 3)
  t.throws(() => summarize([]), { instanceOf: RangeError })
})

test('a program of its own is believed what it measured', async (t) => {
  const [result] = await runCase({
    contestants: [contestant('a', 'told')],
    details: 1,
    check: async () => undefined,
    plan: PLAN,
  })

  t.like(result?.summary, { rounds: 3, minMs: 7, medianMs: 7, peakBytes: 8 })
})

test('everybody has one turn per round and begins equally often', (t) => {
  const rounds = [0, 1, 2, 3].map((round) => order(round, 3))
  t.deepEqual(rounds, [
    [0, 1, 2],
    [1, 2, 0],
    [2, 0, 1],
    [0, 1, 2],
  ])
})

test('a target fails below its bound and when nothing was measured', (t) => {
  const targets = [3, 2.99, Number.NaN].map((ratio) => ({ name: 'a', ratioMin: 3, ratio }))

  t.deepEqual(targets.map(isMet), [true, false, false])
  const [, first, second] = report(targets).split('\n')
  t.true(first?.endsWith('pass') && second?.endsWith('FAIL'))
})

test('a limit fails above its bounds, below them, and when nothing was measured', (t) => {
  const limits = [2, 2.01, 0.99, Number.NaN].map(
    (measured) => ({ name: 'a', unit: 'ms', least: 1, most: 2, measured }) as const,
  )

  t.deepEqual(limits.map(isWithin), [true, false, false, false])
  const [, first, second] = reportLimits(limits).split('\n')
  t.is(first?.replace(/ +/g, ' '), 'a 1.0 to 2.0 ms 2.0 ms pass')
  t.true(second?.endsWith('FAIL'))
})

test('an estimate that is under one process of several fails', (t) => {
  const fresh = {
    openMs: 1,
    firstMs: 1,
    warmMs: 1,
    verifyMs: 1,
    batchMs: 12,
    fileBytes: 2 ** 20,
    estimatedBytes: 100,
    riseBytes: 95,
    isLimitExact: true,
  }
  const failing = (all: readonly (typeof fresh)[]): string[] =>
    limitsOf('a', medianOf(all))
      .filter((limit) => !isWithin(limit))
      .map(({ name }) => name)

  t.deepEqual(failing([fresh, fresh, fresh]), [])
  t.deepEqual(failing([fresh, fresh, { ...fresh, riseBytes: 101 }]), [
    'a: estimate, of that memory',
  ])
  t.is(failing([fresh, { ...fresh, isLimitExact: false }]).length, 1)
})

test('columns are as wide as their widest cell', (t) => {
  const text = table([
    ['prover', 'ms'],
    ['a', '1234'],
  ])
  t.is(text, 'prover    ms\na       1234\n')
})

test('both kits write the columns that the README of the records explains', (t) => {
  const readme = fs.readFileSync(path.join(root, 'benches/record/README.md'), 'utf8')
  const rust = fs.readFileSync(path.join(root, 'crates/benchkit/src/record.rs'), 'utf8')
  const [, list = ''] = /COLUMNS: \[&str; \d+\] = \[(.*?)\];/s.exec(rust) ?? []

  t.deepEqual(
    [...readme.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name),
    [...COLUMNS],
  )
  t.deepEqual(
    [...list.matchAll(/"(\w+)"/g)].map(([, name]) => name),
    [...COLUMNS],
  )
})

test('every record that is kept has these columns in every line', (t) => {
  const folder = path.join(root, 'benches/record')
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.csv'))

  t.true(files.length > 0)
  for (const file of files) {
    const [header, ...lines] = fs.readFileSync(path.join(folder, file), 'utf8').trim().split('\n')
    t.is(header, COLUMNS.join(','), file)
    for (const line of lines) {
      const cells = line.match(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)?.filter((cell) => cell !== '')
      t.is(cells?.length, COLUMNS.length, line)
    }
  }
})

test('a record gets its header once and cells with commas are quoted', (t) => {
  const folder = temporaryFolder(t)
  const cases = [
    { name: 'a', results: [{ name: 'b', settings: 'c', summary: summarize(samples(1, 2)) }] },
  ]

  record('x', MACHINE, cases, folder)
  const file = record('x', MACHINE, cases, folder)

  const line =
    '2026-11-21,abc1234,"a ""CPU"", 2 threads",Node v20,0.13,x,a,b,c,2,ms,1.0000,1.5000,1,10,100'
  t.is(fs.readFileSync(file, 'utf8'), `${[COLUMNS.join(','), line, line].join('\n')}\n`)
})

test('a machine is described by what the kernel shows, as the Rust kit describes it', (t) => {
  const folder = temporaryFolder(t)
  const files = {
    'proc/cpuinfo': 'cpu family\t: 25\nmodel\t\t: 17\nmodel name\t: Some CPU 9\nmodel name\t: X\n',
    'proc/meminfo': 'MemTotal:       16252928 kB\nMemFree: 1 kB\n',
    'proc/sys/kernel/osrelease': '6.1.0-x\n',
    'sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n',
  }
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }

  const cpu = 'Some CPU 9 (family 25, model 17)'
  t.is(describe(folder, 8), `${cpu}, 8 threads, 16 GiB, Linux 6.1.0-x, THP madvise`)
})

test('contestants have processes of their own and as many rounds as planned', async (t) => {
  const checked: unknown[] = []
  const results = await runCase({
    contestants: [contestant('one'), contestant('other')],
    details: { depth: 3 },
    check: async (name, result) => void checked.push([name, result]),
    plan: PLAN,
  })

  t.deepEqual(checked, [
    ['one', 'one {"depth":3}'],
    ['other', 'other {"depth":3}'],
  ])
  t.deepEqual(
    results.map(({ name, settings, summary }) => [name, settings, summary.rounds]),
    [
      ['one', 'one, 4 rounds', 3],
      ['other', 'other, 4 rounds', 3],
    ],
  )
  for (const { summary } of results) {
    t.true(summary.minMs > 0 && summary.minMs <= summary.medianMs)
    t.true(summary.residentBytes > 0 && summary.peakBytes > 16 * 2 ** 20)
  }
})

test('a contestant that fails, ends or is wrong stops the run and says who it was', async (t) => {
  const run = (failure: string, check = async (): Promise<void> => undefined) =>
    runCase({ contestants: [contestant('one', failure)], details: {}, check, plan: PLAN })

  await t.throwsAsync(run('prepare'), { message: 'one: prepare: no such case' })
  await t.throwsAsync(run('round'), { message: 'one: round: its process ended with 3' })
  const wrong = async (): Promise<void> => {
    throw new Error('one: expected a valid proof')
  }
  await t.throwsAsync(run('', wrong), { message: 'one: expected a valid proof' })
})
