// `nalloc inspect` as a program: what it prints where, and how it ends.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ERROR_CODES } from 'nalloc'
import { assertEnding, type Ending, runNode } from './_child.ts'
import { fixtures, root, sha256 } from './_repository.ts'
import { packageWithoutAddon, temporaryFile, temporaryFolder } from './_temporary.ts'
import { elementBytes, PRIME, wtnsOf } from './_wtns.ts'

const program = path.join(root, 'dist/cli/main.js')
const key = path.join(fixtures, 'dense.zkey')
/** Two at a time: each is a process. */
const FILES_AT_ONCE = 2

const run = (...args: string[]): Promise<Ending> => runNode([program, 'inspect', ...args])

/** As `run`, with a file or a pipe for stdin. */
async function runWith(stdin: string, ...args: string[]): Promise<Ending> {
  const command = `${stdin} "${process.execPath}" "${program}" inspect ${args.join(' ')}`
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      texts[stream] += text
    })
  }
  const [status, signal] = await once(child, 'close')
  return { status, signal, ...texts, killed: undefined }
}

function assertRefusal(t: ExecutionContext, ending: Ending, status: number, code: string): void {
  assertEnding(t, ending, status)
  t.is(ending.stdout, '')
  t.true(ending.stderr.includes(code), ending.stderr)
}

test('a key is told in aligned rows on stdout, and nothing else', async (t) => {
  const ending = await run(key)

  assertEnding(t, ending, 0)
  t.is(ending.stderr, '')
  const lines = ending.stdout.split('\n')
  t.is(lines[0], `file           ${key}`)
  t.true(lines.includes('kind           Groth16 proving key (.zkey, version 1)'), ending.stdout)
  t.true(lines.includes('curve          BN254 (bn128)'))
  t.true(lines.includes('constraints    50'))
  t.true(lines.includes(`sha256         ${sha256(fs.readFileSync(key))}`))
  t.regex(ending.stdout, /^section {2}holds +offset +bytes$/m)
  t.regex(ending.stdout, /^ +5 {2}A +[\d,]+ +3,712$/m)
})

test('--json prints one object with its schema', async (t) => {
  const ending = await run('--json', key)

  assertEnding(t, ending, 0)
  t.like(JSON.parse(ending.stdout), {
    schema: 'nalloc/inspect@1',
    file: key,
    kind: 'zkey',
    bytes: fs.statSync(key).size,
  })
})

test('- takes a file, and no pipe', async (t) => {
  const file = await runWith(`< "${key}"`, '--json', '-')
  const pipe = await runWith(`cat "${key}" |`, '-')

  assertEnding(t, file, 0)
  t.like(JSON.parse(file.stdout), { file: 'stdin', sha256: sha256(fs.readFileSync(key)) })
  assertRefusal(t, pipe, 2, 'name the file')
})

test('every fixture and every malformed file ends with 0, or with 3 and a code', async (t) => {
  const folders = [fixtures, path.join(fixtures, 'malformed')]
  const files = folders.flatMap((folder) =>
    fs
      .readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(folder, entry.name)),
  )

  for (let i = 0; i < files.length; i += FILES_AT_ONCE) {
    const some = files.slice(i, i + FILES_AT_ONCE)
    for (const [j, ending] of (await Promise.all(some.map((file) => run(file)))).entries()) {
      const said = `${some[j]}: ${JSON.stringify(ending)}`
      t.true(ending.status === 0 || ending.status === 3, said)
      const code = /error (ERR_\w+): /.exec(ending.stderr)?.[1]
      t.is(
        ERROR_CODES.some((known) => known === code),
        ending.status === 3,
        said,
      )
    }
  }
})

test('what is no regular file ends with 3 at once', async (t) => {
  const fifo = path.join(temporaryFolder(t), 'fifo')
  execFileSync('mkfifo', [fifo])

  for (const file of [fifo, '/dev/zero', '/', '/absent.zkey']) {
    assertRefusal(t, await run(file), 3, 'ERR_IO')
  }
})

test('no value of a witness is printed, in any form', async (t) => {
  const values = [1n, 0xdeadbeefcafebaben, 2n ** 200n + 12345678901234567890n, PRIME - 987654321n]
  const file = temporaryFile(t, 'secret.wtns', wtnsOf(values))
  const cut = temporaryFile(t, 'cut.wtns', wtnsOf(values).subarray(0, -1))

  for (const args of [[file], ['--json', file], ['-v', file], [cut], ['--json', cut]]) {
    const { stdout, stderr } = await run(...args)
    const said = `${stdout}${stderr}`.toLowerCase()
    t.regex(said, /wtns/, 'control: it says something')
    for (const value of values.slice(1)) {
      const bytes = elementBytes(value)
      const forms = [value.toString(), value.toString(16), bytes.toString('hex')]
      for (const form of [...forms, bytes.toString('latin1').replace(/\0+$/, '').toLowerCase()]) {
        t.false(said.includes(form), args.join(' '))
      }
    }
  }
})

test('without an addon everything is told but the memory', async (t) => {
  const folder = packageWithoutAddon(t)
  const args = [path.join(folder, 'dist/cli/main.js'), 'inspect', key]

  const json = await runNode([...args, '--json'], folder)
  const text = await runNode(args, folder)

  assertEnding(t, json, 0)
  t.like(JSON.parse(json.stdout), { nConstraints: 50, nVars: 58, predicted: null })
  t.regex(text.stdout, /^memory +unknown: the addon does not load here$/m)
})

test('SIGINT and --timeout stop the reading of a large file', async (t) => {
  const large = path.join(temporaryFolder(t), 'large.wtns')
  const values = 2 ** 27
  const start = wtnsOf([])
  start.writeUInt32LE(values, 60)
  start.writeBigUInt64LE(BigInt(32 * values), 68)
  fs.writeFileSync(large, start)
  // The values are a hole of 4 GiB.
  fs.truncateSync(large, start.length + 32 * values)

  const late = await run('--timeout', '200ms', large)
  const child = spawn(process.execPath, [program, 'inspect', '-v', large], { stdio: 'pipe' })
  child.stderr.once('data', () => child.kill('SIGINT'))
  const [status] = await once(child, 'exit')

  assertRefusal(t, late, 5, '--timeout')
  t.is(status, 130)
})
