// `nalloc run`: programs that know nothing of nalloc run on it, and their output is unchanged.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { assertEnding } from './_child.ts'
import { type CliOptions, runCli } from './_cli.ts'
import { root, semaphore } from './_repository.ts'
import { packageWithoutAddon, temporaryFolder } from './_temporary.ts'
import { testIf } from './_testIf.ts'

const programs = path.join(root, '__test__/programs')
function has(...tools: readonly string[]): boolean {
  return tools.every((tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0)
}

/** Compiles a program of `programs`; its path. */
function compiled(t: ExecutionContext, name: string, ...flags: readonly string[]): string {
  const file = path.join(temporaryFolder(t), path.parse(name).name)
  const compiler = name.endsWith('.cc') ? 'c++' : 'cc'
  const args = ['-O1', '-pthread', ...flags, path.join(programs, name), '-o', file, '-ldl']
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' })
  t.is(status, 0, stderr)
  return file
}

/** Runs a program alone and under `nalloc run`: both say the same, and large blocks are nalloc's. */
async function assertUnchanged(
  t: ExecutionContext,
  command: readonly string[],
  options: CliOptions = {},
): Promise<void> {
  const [program = '', ...args] = command
  const alone = spawnSync(program, args, {
    cwd: options.cwd ?? root,
    encoding: 'utf8',
    env: { ...process.env, ...options.env },
    maxBuffer: 1 << 28,
  })
  const stats = path.join(temporaryFolder(t), 'stats.json')
  const env = { ...options.env, NALLOC_STATS: stats }

  const ending = await runCli(['run', '--require', '-v', '--', ...command], { ...options, env })

  assertEnding(t, ending, alone.status ?? -1)
  t.is(ending.stdout, alone.stdout)
  t.regex(ending.stderr, /nalloc: served the program/)
  const { allocations } = JSON.parse(fs.readFileSync(stats, 'utf8').split('\n')[0] ?? '')
  t.true(allocations > 0, `${allocations} large blocks`)
}

testIf(has('cc'), 'no C compiler')(
  'every function of the malloc family keeps its word',
  async (t) => {
    await assertUnchanged(t, [compiled(t, 'family.c')])
  },
)

testIf(has('c++'), 'no C++ compiler')(
  'new, aligned new, threads and fork of C++ work',
  async (t) => {
    await assertUnchanged(t, [compiled(t, 'objects.cc')])
  },
)

testIf(has('python3'), 'no python3')('python3 says the same', async (t) => {
  const script = 'b = bytearray(10**7); l = list(range(10**6)); print(len(b), sum(l))'
  await assertUnchanged(t, ['python3', '-c', script])
})

testIf(has('gcc'), 'no gcc')('gcc makes the same file', async (t) => {
  const folder = temporaryFolder(t)
  const args = ['-O2', '-S', path.join(programs, 'family.c'), '-o', '-']
  await assertUnchanged(t, ['gcc', ...args], { cwd: folder })
})

testIf(has('git'), 'no git')('git finds the same differences', async (t) => {
  const folder = temporaryFolder(t)
  const lines = (step: number) => Array.from({ length: 200_000 }, (_, at) => `${at * step}\n`)
  const file = path.join(folder, 'lines')
  fs.writeFileSync(file, lines(1).join(''))
  for (const args of [
    ['init', '-q'],
    ['add', 'lines'],
  ]) {
    t.is(spawnSync('git', args, { cwd: folder }).status, 0)
  }
  fs.writeFileSync(file, lines(3).join(''))

  await assertUnchanged(t, ['git', 'diff'], { cwd: folder })
})

test('node proves with snarkjs, and the proof is valid', async (t) => {
  const { input, wasm, zkey } = semaphore(5)
  const script = `
    const snarkjs = require('snarkjs')
    const main = async () => {
      const input = JSON.parse(process.argv[1])
      const { proof, publicSignals } = await snarkjs.groth16.fullProve(input, process.argv[2], process.argv[3])
      const key = await snarkjs.zKey.exportVerificationKey(process.argv[3])
      console.log(await snarkjs.groth16.verify(key, publicSignals, proof))
      process.exit(0)
    }
    main()`
  await assertUnchanged(t, [process.execPath, '-e', script, JSON.stringify(input), wasm, zkey])
})

/** A port of the loopback interface that nobody listens on. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

testIf(has('redis-server', 'redis-benchmark'), 'no redis-server: apt-get install redis-server')(
  'redis-server serves a load, and stops when it is told to',
  async (t) => {
    const folder = temporaryFolder(t)
    const port = String(await freePort())
    const address = ['--bind', '127.0.0.1', '--port', port]
    const args = [...address, '--save', '', '--dir', folder]
    let loaded: ReturnType<typeof spawnSync> | undefined
    const ending = await runCli(['run', '--require', '-v', '--', 'redis-server', ...args], {
      onStart: (child) => {
        child.stdout?.on('data', (text: string) => {
          if (loaded !== undefined || !/ready to accept connections/i.test(text)) return
          const load = ['-q', '-n', '2000', '-d', '200000', '-t', 'set,get']
          const to = ['-h', '127.0.0.1', '-p', port]
          loaded = spawnSync('redis-benchmark', [...to, ...load], { encoding: 'utf8' })
          child.kill('SIGTERM')
        })
      },
    })

    t.is(loaded?.status, 0, String(loaded?.stderr))
    assertEnding(t, ending, 0)
    t.regex(ending.stderr, /nalloc: served the program/)
  },
)

test('the status of a program is that of run, and its signal 128 more', async (t) => {
  const ran = (script: string) => runCli(['run', '--', 'sh', '-c', script])

  assertEnding(t, await ran('exit 7'), 7)
  assertEnding(t, await ran('kill -KILL $$'), 137)
  assertEnding(t, await runCli(['run', '--', 'no-such-program']), 127)
  assertEnding(t, await runCli(['run', '--', path.join(programs, 'family.c')]), 126)
  assertEnding(t, await runCli(['run']), 2)
})

test("a flag behind the program is the program's", async (t) => {
  const ending = await runCli(['run', 'sh', '-c', 'echo "$@"', 'sh', '--json', '-v', '--require'])

  assertEnding(t, ending, 0)
  t.is(ending.stdout, '--json -v --require\n')
})

test('limits reach the program', async (t) => {
  const env = { NALLOC_VERBOSE: '1' }
  const limits = ['--cache-limit', '64M', '--memory-limit', '512M']
  const script = 'b = bytearray(10**6)'
  const ending = await runCli(['run', ...limits, '--', 'python3', '-c', script], { env })
  const tooMuch = await runCli(['run', ...limits, '--', 'python3', '-c', 'bytearray(10**9)'])

  assertEnding(t, ending, 0)
  t.regex(ending.stderr, /NALLOC_MEMORY_LIMIT=536870912 /)
  t.regex(ending.stderr, /NALLOC_CACHE_LIMIT=67108864 /)
  assertEnding(t, tooMuch, 1)
  t.regex(tooMuch.stderr, /MemoryError/)
})

const STATIC = 'linked statically'
testIf(has('cc'), 'no C compiler')(
  'what cannot be taken over is named, and refused by --require',
  async (t) => {
    const fixed = compiled(t, 'family.c', '-static')
    const foreign = path.join(temporaryFolder(t), 'foreign')
    const bytes = fs.readFileSync(process.execPath).subarray(0, 4096)
    bytes.writeUInt16LE(243, 18)
    fs.writeFileSync(foreign, bytes, { mode: 0o755 })
    const script = path.join(temporaryFolder(t), 'script')
    fs.writeFileSync(script, `#!${fixed}\n`, { mode: 0o755 })

    for (const [file, said] of [
      [fixed, STATIC],
      [script, STATIC],
      [foreign, 'another architecture'],
    ] as const) {
      const refused = await runCli(['run', '--require', '--', file])
      assertEnding(t, refused, 5)
      t.is(refused.stdout, '', 'it did not run')
      t.regex(refused.stderr, new RegExp(said))
    }
    const ran = await runCli(['run', '--', fixed])
    t.regex(ran.stderr, new RegExp(STATIC))
    t.regex(ran.stdout, /ok|expected/)
  },
)

testIf(process.getuid?.() === 0 && has('cc'), 'only root can make a program of another user')(
  'a program with the rights of another user is named',
  async (t) => {
    const file = compiled(t, 'family.c')
    fs.chownSync(file, 65_534, 65_534)
    fs.chmodSync(file, 0o4755)

    const ending = await runCli(['run', '--require', '--', file])

    assertEnding(t, ending, 5)
    t.regex(ending.stderr, /rights of another user/)
  },
)

test('a library that is missing, no library, or refused by the loader is noticed', async (t) => {
  const folder = packageWithoutAddon(t)
  const program = path.join(folder, 'dist/cli/main.js')
  const name = fs.readdirSync(root).find((file) => file.startsWith('libnalloc_preload.')) ?? ''
  const write = (bytes: string | Uint8Array) => fs.writeFileSync(path.join(folder, name), bytes)
  const missing = await runCli(['run', '--', 'true'], { program })
  write('not a library')
  const other = await runCli(['run', '--', 'true'], { program })
  // Its header speaks against nothing, and there is nothing to load behind it: the loader says so,
  // and goes on without it.
  const header = fs.readFileSync(path.join(root, name)).subarray(0, 64)
  write(header.fill(0, 40, 48).fill(0, 60, 62))
  const ignored = await runCli(['run', '--', 'echo', 'ran'], { program })
  const refused = await runCli(['run', '--require', '--', 'true'], { program })

  for (const ending of [missing, other]) {
    assertEnding(t, ending, 5)
    t.regex(ending.stderr, /ERR_BINARY_MISSING/)
  }
  assertEnding(t, ignored, 0)
  t.is(ignored.stdout, 'ran\n')
  t.regex(ignored.stderr, /ran without nalloc/)
  assertEnding(t, refused, 5)
})

test('run stops a program by SIGTERM, and by --timeout', async (t) => {
  const args = ['--', 'sh', '-c', 'echo started; exec sleep 60']
  const stopped = await runCli(['run', ...args], {
    onStart: (child) => child.stdout?.once('data', () => child.kill('SIGTERM')),
  })
  const timed = await runCli(['run', '--timeout', '300ms', ...args])

  assertEnding(t, stopped, 143)
  assertEnding(t, timed, 5)
  t.regex(timed.stderr, /--timeout: not done after 300 ms/)
})
