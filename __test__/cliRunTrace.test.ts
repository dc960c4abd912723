// `nalloc run --trace`: every process leaves a file, and the program's is where the user wants it.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { assertEnding } from './_child.ts'
import { runCli } from './_cli.ts'
import { countOf, readTrace } from './_recorded.ts'
import { root, semaphore } from './_repository.ts'
import { temporaryFolder } from './_temporary.ts'
import { testIf } from './_testIf.ts'

const MIB = 2 ** 20
const hasCompiler = spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0

/** A Node program's arguments that allocate so many MiB in one block. */
function filling(mib: number): readonly string[] {
  return ['-e', `Buffer.alloc(${mib * MIB}, 1)`]
}

/** Every file of a folder whose name begins with that of the trace. */
function tracesIn(folder: string): string[] {
  return fs.readdirSync(folder).filter((name) => name.startsWith('t.nltrace'))
}

function compiled(t: ExecutionContext): string {
  const file = path.join(temporaryFolder(t), 'traced')
  const source = path.join(root, '__test__/programs/traced.c')
  const { status, stderr } = spawnSync('cc', ['-O1', '-pthread', source, '-o', file])
  t.is(status, 0, String(stderr))
  return file
}

test("a program's trace is put in its place, over an older one", async (t) => {
  const file = path.join(temporaryFolder(t), 't.nltrace')
  fs.writeFileSync(file, 'an older one')

  const run = ['run', '--require', '--trace', file, '--', process.execPath]
  const ending = await runCli([...run, ...filling(33)])

  assertEnding(t, ending, 0)
  t.true(ending.stderr.includes(`nalloc: trace: ${file}\n`), ending.stderr)
  const trace = readTrace(file)
  t.is(countOf(trace, 'zeroed', 33 * MIB) + countOf(trace, 'alloc', 33 * MIB), 1)
  t.true(fs.readdirSync(root).includes(trace.recorder), trace.recorder)
  t.regex(trace.recorder, /^libnalloc_preload\./)
  t.regex(trace.program, /^node/)
  t.true(countOf(trace, 'sample') >= 2 && countOf(trace, 'exit') === 1)
  t.deepEqual(tracesIn(path.dirname(file)), ['t.nltrace'])
})

testIf(hasCompiler, 'no C compiler')(
  'start-up, threads, forks and exit handlers are in it',
  async (t) => {
    const folder = temporaryFolder(t)
    const file = path.join(folder, 't.nltrace')

    const ending = await runCli(['run', '--require', '--trace', file, '--', compiled(t)])

    assertEnding(t, ending, 0)
    t.is(ending.stdout, 'ok\n')
    const parent = readTrace(file)
    for (const bytes of [1_000_001, 2_000_003, 4_000_037, 5_000_011]) {
      t.is(countOf(parent, 'alloc', bytes), 1, `${bytes} bytes`)
    }
    const threadOf = (bytes: number) => parent.records.find((it) => it.bytes === bytes)?.thread
    t.not(threadOf(2_000_003), threadOf(1_000_001))
    t.is(countOf(parent, 'alloc', 3_000_017), 0)
    const [other = ''] = tracesIn(folder).filter((name) => name !== 't.nltrace')
    const child = readTrace(path.join(folder, other))
    t.is(other, `t.nltrace.${child.pid}`)
    t.is(child.forkedFrom, parent.pid)
    t.is(countOf(child, 'alloc', 3_000_017), 1)
    t.is(countOf(child, 'alloc', 5_000_011), 1)
    t.is(countOf(child, 'alloc', 1_000_001), 0)
  },
)

test('the only trace of another process takes the place of one that is missing', async (t) => {
  const folder = temporaryFolder(t)
  const file = path.join(folder, 't.nltrace')
  const node = [process.execPath, ...filling(35)].map((word) => `'${word}'`).join(' ')

  const ending = await runCli(['run', '--trace', file, '--', 'sh', '-c', `${node}; exit 3`])

  assertEnding(t, ending, 3)
  t.regex(readTrace(file).program, /^node/)
  t.deepEqual(tracesIn(folder), ['t.nltrace'])
})

test('with %p in the name every process keeps its number', async (t) => {
  const folder = temporaryFolder(t)
  const run = ['run', '--trace', 't.nltrace-%p', '--', process.execPath]

  const ending = await runCli([...run, ...filling(34)], { cwd: folder })

  assertEnding(t, ending, 0)
  const [name = ''] = tracesIn(folder)
  t.is(name, `t.nltrace-${readTrace(path.join(folder, name)).pid}`)
})

test('the preloaded heap and that of the addon have a trace each', async (t) => {
  const { zkey } = semaphore(5)
  const folder = temporaryFolder(t)
  const file = path.join(folder, 't.nltrace')
  const script = `
    const { ProvingKey } = require(process.argv[1])
    ProvingKey.open(process.argv[2]).then((key) => key.dispose())`
  const run = ['run', '--trace', file, '--', process.execPath, '-e', script]

  const ending = await runCli([...run, path.join(root, 'dist/index.js'), zkey])

  assertEnding(t, ending, 0)
  const traces = tracesIn(folder).map((name) => readTrace(path.join(folder, name)))
  const recorders = traces.map(({ recorder }) => recorder.split('.')[0]).sort()
  t.deepEqual(recorders, ['libnalloc_preload', 'nalloc'])
  const addon = traces.find(({ recorder }) => recorder.startsWith('nalloc.'))
  const names = addon?.records.filter(({ kind }) => kind === 'name').map(({ name }) => name)
  t.true(names?.includes('queue') && names.length > 1, `phases: ${names}`)
})

test('a program without a large block leaves no trace, and run says so', async (t) => {
  const file = path.join(temporaryFolder(t), 't.nltrace')

  const ending = await runCli(['run', '--trace', file, '--', 'true'])

  assertEnding(t, ending, 0)
  t.regex(ending.stderr, /there is no trace: no process had a block of 64 KiB or more/)
  t.false(fs.existsSync(file))
})

test('what cannot be written is said before anything is started', async (t) => {
  const folder = temporaryFolder(t)
  const cases = [
    [path.join(folder, 'nowhere/t.nltrace'), /CLI_OUTPUT: .*ENOENT/, 5],
    [folder, /CLI_OUTPUT: .*it is no file/, 5],
    ['/dev/null', /CLI_OUTPUT: .*it is no file/, 5],
    ['-', /CLI_USAGE: --trace: expected a file, found stdout/, 2],
  ] as const
  for (const [file, said, status] of cases) {
    const ending = await runCli(['run', '--trace', file, '--', 'echo', 'started'])

    assertEnding(t, ending, status)
    t.is(ending.stdout, '')
    t.regex(ending.stderr, said)
  }
})

test('figures of both heaps are added, and both give back what they keep', async (t) => {
  const script = `
    const { environment, memory, resetPeak, stats } = require(process.argv[1])
    const main = async () => {
      const before = stats()
      let block = Buffer.alloc(64 * 2 ** 20, 1)
      const live = stats().liveBytes - before.liveBytes
      const { preloaded } = await environment()
      const peak = stats().peakLiveBytes
      block = undefined
      gc()
      while (stats().liveBytes - before.liveBytes > 2 ** 25) await new Promise(setImmediate)
      const released = memory.release()
      const { cachedBytes, peakLiveBytes } = stats()
      resetPeak()
      const wasReset = stats().peakLiveBytes < peakLiveBytes
      console.log(JSON.stringify({ live, peak, released, preloaded, cachedBytes, wasReset }))
    }
    main()`
  const node = [process.execPath, '--expose-gc', '-e', script, path.join(root, 'dist/index.js')]

  const ending = await runCli(['run', '--require', '--', ...node])
  const alone = spawnSync(node[0] ?? '', node.slice(1), { encoding: 'utf8' })

  assertEnding(t, ending, 0)
  const found = JSON.parse(ending.stdout)
  t.true(found.preloaded && found.wasReset, ending.stdout)
  t.true(found.live >= 64 * MIB && found.peak >= 64 * MIB, ending.stdout)
  t.true(found.released >= 64 * MIB && found.cachedBytes < 64 * MIB, ending.stdout)
  const without = JSON.parse(alone.stdout)
  t.true(!without.preloaded && without.live < MIB && without.released < MIB, alone.stdout)
})
