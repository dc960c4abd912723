// `nalloc report` and `nalloc convert` as programs: what goes where, and what is said if it cannot.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { assertEnding, type Ending } from './_child.ts'
import { program, runCli } from './_cli.ts'
import { root, semaphore } from './_repository.ts'
import { packageWithoutAddon, temporaryFile, temporaryFolder } from './_temporary.ts'
import { eventOf, example, recordedFile, recordedText, traceOf } from './_trace.ts'
import { runShell } from './_workplace.ts'

const groth16 = recordedFile('groth16')
const winter = recordedFile('winter')

function assertRefusal(t: ExecutionContext, ending: Ending, status: number, said: RegExp): void {
  assertEnding(t, ending, status)
  t.is(ending.stdout, '')
  t.regex(ending.stderr, said)
}

test('-o writes one page, in the place of what was there, and leaves nothing else', async (t) => {
  const file = temporaryFile(t, 'report.html', Buffer.from('before'))

  const ending = await runCli(['report', groth16, '-o', file])

  assertEnding(t, ending, 0)
  t.is(ending.stdout, '')
  t.regex(ending.stderr, /report\.html: 1,744 events/)
  t.regex(fs.readFileSync(file, 'utf8'), /^<!doctype html>.*<\/html>\n$/s)
  t.deepEqual(fs.readdirSync(path.dirname(file)), ['report.html'])
})

test('without -o the page goes to stdout, which is no terminal', async (t) => {
  const ending = await runCli(['report', '-q', groth16])

  assertEnding(t, ending, 0)
  t.regex(ending.stdout, /^<!doctype html>/)
  t.is(ending.stderr, '')
})

test('--json tells of the example what its makers put in', async (t) => {
  const ending = await runCli(['report', '--json', example])

  assertEnding(t, ending, 0)
  const { trace, ...rest } = JSON.parse(ending.stdout)
  t.deepEqual(rest, { schema: 'nalloc/report@1', against: null })
  t.like(trace, { durationUs: 13_100, threads: 2, requests: 8, hits: 1, misses: 6, refusals: 1 })
  t.like(trace, { faults: 2700, peakResidentBytes: 13_926_400, peakCachedBytes: 1_003_520 })
  t.is(trace.peakPagesBytes, 9_830_400)
  t.like(trace.process, { program: 'prover', pid: 4711 })
  t.deepEqual(trace.shortfalls, ['17 records are missing: the disk was slower than the program.'])
  t.regex(ending.stderr, /trace\.nltrace: 17 records are missing/)
})

test('a proof that is traced is a whole report, of this process', async (t) => {
  const folder = temporaryFolder(t)
  const { zkey, wasm, input } = semaphore(20)
  const inputs = path.join(folder, 'input.json')
  fs.writeFileSync(inputs, JSON.stringify(input))
  const env = { NALLOC_TRACE: path.join(folder, 'prove.nltrace') }

  const proof = await runCli(['fullprove', '-q', inputs, wasm, zkey], { env })
  const [file = ''] = fs.readdirSync(folder).filter((name) => name.startsWith('prove.nltrace.'))
  const ending = await runCli(['report', '--json', path.join(folder, file)])

  assertEnding(t, proof, 0)
  assertEnding(t, ending, 0)
  const { trace } = JSON.parse(ending.stdout)
  t.deepEqual(trace.shortfalls, [])
  t.is(trace.process.pid, Number(file.split('.').at(-1)))
  // The key alone has more.
  t.true(trace.peak.bytes > 8 * 2 ** 20 && trace.peakResidentBytes > trace.peak.bytes)
  t.true(trace.hits + trace.misses > 0 && trace.faults > 0)
})

test('a program that run traced is reported, whoever allocates there', async (t) => {
  const file = path.join(temporaryFolder(t), 'node.nltrace')
  const code = 'for (let i = 0; i < 20; i += 1) Buffer.alloc(5_000_000 + i).fill(1)'

  const run = await runCli(['run', '--trace', file, '--', process.execPath, '-e', code])
  const ending = await runCli(['report', '--json', file])

  assertEnding(t, run, 0)
  assertEnding(t, ending, 0)
  const { trace } = JSON.parse(ending.stdout)
  t.like(trace.process, { program: 'node' })
  t.deepEqual(trace.shortfalls, [])
  const found = trace.sizes.find(({ log2Bytes }: { log2Bytes: number }) => log2Bytes === 22)
  t.true(found.requests >= 20, JSON.stringify(trace.sizes))
})

test('--against puts a second trace beside the first, in every form', async (t) => {
  const file = path.join(temporaryFolder(t), 'both.html')
  const args = ['report', groth16, '--against', winter]

  const json = await runCli([...args, '--json', '-o', file])
  const text = await runCli([...args, '--text'])

  assertEnding(t, json, 0)
  t.like(JSON.parse(json.stdout), { trace: { name: groth16 }, against: { name: winter } })
  t.regex(fs.readFileSync(file, 'utf8'), /<h1>[^<]*groth16[^<]* against [^<]*winter[^<]*<\/h1>/)
  assertEnding(t, text, 0)
  t.regex(text.stdout, /^peak live +66\.5 MiB after 2\.79 s +586\.5 MiB after/m)
})

test('--text draws within the width, and in colours only where they are wanted', async (t) => {
  const plain = await runCli(['report', '--text', groth16])
  const colored = await runCli(['report', '--text', groth16], { env: { FORCE_COLOR: '1' } })
  const refused = await runCli(['report', '--text', groth16], {
    env: { FORCE_COLOR: '1', NO_COLOR: '1' },
  })

  assertEnding(t, plain, 0)
  t.regex(plain.stdout, /█/)
  t.regex(plain.stdout, /^ +prove +▬+/m)
  t.regex(plain.stdout, /^prove +2 +3\.89 s +66\.5 MiB +776 +700\.0 MiB$/m)
  t.true(plain.stdout.split('\n').every((line) => line.length <= 100))
  t.false(plain.stdout.includes('\x1b'))
  t.true(colored.stdout.includes('\x1b['))
  t.is(refused.stdout, plain.stdout)
})

test('a terminal gets the text, as wide as it is', async (t) => {
  for (const columns of [44, 72, 132]) {
    const command = `stty cols ${columns}; '${process.execPath}' '${program}' report '${groth16}'`

    const { status, output } = await runShell(`NO_COLOR=1 script -qec "${command}" /dev/null`, root)

    t.is(status, 0, output)
    const lines = output.replaceAll('\r', '').split('\n')
    t.regex(output, /memory over time/)
    t.deepEqual(
      lines.filter((line) => line.length > columns),
      [],
    )
  }
})

test('- is stdin, packed or not', async (t) => {
  const bytes = fs.readFileSync(example)
  for (const stdin of [bytes, gzipSync(bytes)]) {
    const ending = await runCli(['report', '--json', '-'], { stdin })

    assertEnding(t, ending, 0)
    t.like(JSON.parse(ending.stdout), { trace: { name: 'stdin', events: 15 } })
  }
})

test('--timeout ends the wait for a pipe that never ends', async (t) => {
  const nobody = '<(exec sleep 20 2> /dev/null)'
  const command = `'${process.execPath}' '${program}' report - --timeout 300ms < ${nobody}`

  const { status, output } = await runShell(command, root)

  t.is(status, 5, output)
  t.regex(output, /CLI_STOPPED: --timeout: not done after 300 ms/)
})

test('no addon is needed to read a trace', async (t) => {
  const folder = packageWithoutAddon(t)
  const bare = { program: path.join(folder, 'dist/cli/main.js'), cwd: folder }

  const page = await runCli(['report', '-q', groth16], bare)
  const csv = await runCli(['convert', '-q', example], bare)

  assertEnding(t, page, 0)
  t.regex(page.stdout, /<\/html>\n$/)
  assertEnding(t, csv, 0)
  t.regex(csv.stdout, /^# t_us,tid,op,id,size,log2align\n20,0,a,0,1048576,4\n/)
})

test('docs/report.md shows what is drawn', async (t) => {
  const text = fs.readFileSync(path.join(root, 'docs/report.md'), 'utf8')
  const [, command = '', shown = ''] =
    /```console\n\$ (nalloc report --text [^\n]*)\n(.*?)```/s.exec(text) ?? []

  const ending = await runCli(command.split(' ').slice(1))

  assertEnding(t, ending, 0)
  t.is(ending.stdout, shown)
})

test('a trace that was cut off is shown as far as it goes, and that is said', async (t) => {
  const events = Array.from({ length: 40_000 }, (_, i) =>
    eventOf({ timeUs: i * 10, block: i, bytes: 65_536, isHit: true }),
  )
  const file = traceOf(events)
  const cut = temporaryFile(t, 'cut.nltrace', file.subarray(0, file.length - 1))
  const packed = temporaryFile(t, 'cut.csv.gz', fs.readFileSync(groth16).subarray(0, 8000))
  const page = path.join(temporaryFolder(t), 'cut.html')

  const ending = await runCli(['report', cut, '--json', '-o', page])
  const gzip = await runCli(['report', packed, '--json'])

  assertEnding(t, ending, 0)
  const { trace } = JSON.parse(ending.stdout)
  t.true(trace.events > 20_000 && trace.events < 40_000)
  t.regex(ending.stderr, /cut\.nltrace: It was cut off: a part of a chunk stands at byte \d+/)
  t.regex(fs.readFileSync(page, 'utf8'), /class="note">[^<]*It was cut off/)
  assertEnding(t, gzip, 0)
  t.regex(gzip.stderr, /cut\.csv\.gz: The gzip file around it was cut off\./)
})

test('a trace of a program without large blocks is a short report', async (t) => {
  const file = temporaryFile(t, 'empty.nltrace', traceOf([]))
  const csv = temporaryFile(t, 'empty.csv', Buffer.from('# t_us,tid,op,id,size,log2align\n'))
  for (const trace of [file, csv]) {
    const text = await runCli(['report', '--text', trace])
    const page = await runCli(['report', trace])

    assertEnding(t, text, 0)
    t.regex(text.stderr, /No block is in it: those of less than 64 KiB are not traced\./)
    t.regex(text.stdout, /^requests +0 for 0 bytes$/m)
    assertEnding(t, page, 0)
    t.regex(page.stdout, /class="note">[^<]*No block is in it/)
  }
})

test('what cannot be a trace ends with 3 and says what to do', async (t) => {
  const folder = temporaryFolder(t)
  const put = (name: string, bytes: Uint8Array | string): string => {
    const file = path.join(folder, name)
    fs.writeFileSync(file, bytes)
    return file
  }
  const fifo = path.join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  const newer = Buffer.from(fs.readFileSync(example))
  newer.writeUInt32LE(2, 8)
  const gzip = fs.readFileSync(groth16)
  gzip[5000] = (gzip[5000] as number) ^ 0xff
  const rows: [file: string, said: RegExp][] = [
    ['/absent.nltrace', /ERR_IO: \/absent\.nltrace: expected a readable file, got "ENOENT/],
    [folder, /ERR_IO: .*expected a regular file/],
    [fifo, /ERR_IO: .*expected a regular file.*Pipes are read from stdin/],
    ['/dev/zero', /ERR_IO: .*expected a regular file/],
    [put('empty', ''), /ERR_BAD_MAGIC: .*expected a trace, got an empty file\. NALLOC_TRACE=FILE/],
    [semaphore(1).zkey, /ERR_BAD_MAGIC: .*expected a trace, got a \.zkey file/],
    [put('newer', newer), /ERR_UNSUPPORTED_VERSION: .*expected a trace of version 1, got 2/],
    [
      put('short', newer.subarray(0, 50)),
      /ERR_TRUNCATED: .*expected the header of a trace, got 50/,
    ],
    [put('bad.csv', '0,0,x,0,1,3\n'), /ERR_BAD_HEADER: .*line 1, byte 0: expected an operation/],
    [put('damaged.gz', gzip), /ERR_BAD_HEADER: .*expected a gzip file, got a damaged one/],
  ]
  for (const [file, said] of rows) {
    assertRefusal(t, await runCli(['report', file]), 3, said)
  }
})

test('what cannot be written, and mistakes in what was typed, cost no reading', async (t) => {
  const folder = temporaryFolder(t)
  const copy = path.join(folder, 'copy.csv.gz')
  fs.copyFileSync(groth16, copy)
  const rows: [args: string[], status: number, said: RegExp][] = [
    [[groth16, '-o', '/absent/report.html'], 5, /CLI_OUTPUT: \/absent\/report\.html: cannot be/],
    [[groth16, '-o', folder], 5, /CLI_OUTPUT: .*it is a folder/],
    [[groth16, '-o', '/proc/report.html'], 5, /CLI_OUTPUT: \/proc\/report\.html: cannot be/],
    [[copy, '-o', copy], 2, /expected another file to write to, got an input/],
    [['-', '--against', '-'], 2, /at most one trace -/],
    [[], 2, /missing required argument 'TRACE'/],
  ]
  for (const [args, status, said] of rows) {
    assertRefusal(t, await runCli(['report', ...args]), status, said)
  }
  t.deepEqual(fs.readFileSync(copy), fs.readFileSync(groth16))

  const both = await runCli(['report', groth16, '--text', '--json'])
  assertEnding(t, both, 2)
  t.like(JSON.parse(both.stdout), { schema: 'nalloc/error@1', code: 'CLI_USAGE' })
})

test('a full disk is told, and what was there stays', async (t) => {
  const ending = await runCli(['report', groth16, '-o', '/dev/full'])

  assertEnding(t, ending, 5)
  t.regex(ending.stderr, /CLI_OUTPUT: \/dev\/full: cannot be written: ENOSPC/)
})

test('CSV becomes a trace and CSV again, in files and through pipes', async (t) => {
  const folder = temporaryFolder(t)
  const [binary, csv] = [path.join(folder, 'w.nltrace'), path.join(folder, 'w.csv')]

  const there = await runCli(['convert', winter, '-o', binary])
  const back = await runCli(['convert', binary, '-o', csv])
  const piped = await runCli(['convert', '-q', '-'], { stdin: fs.readFileSync(binary) })

  for (const ending of [there, back, piped]) assertEnding(t, ending, 0)
  t.is(fs.readFileSync(csv, 'utf8'), recordedText('winter'))
  t.is(piped.stdout, recordedText('winter'))
  t.is(fs.readFileSync(binary).subarray(0, 8).toString(), 'nltrace\n')
  t.deepEqual(fs.readdirSync(folder).sort(), ['w.csv', 'w.nltrace'])
})

test('a conversion that fails half-way leaves what was there', async (t) => {
  const folder = temporaryFolder(t)
  const output = path.join(folder, 'out.nltrace')
  fs.writeFileSync(output, 'before')
  const bad = path.join(folder, 'bad.csv')
  fs.writeFileSync(bad, `${recordedText('winter')}0,0,x,0,0,0\n`)

  const ending = await runCli(['convert', bad, '-o', output])

  assertRefusal(t, ending, 3, /ERR_BAD_HEADER: .*bad\.csv, line 418, byte \d+: expected a time of/)
  t.is(fs.readFileSync(output, 'utf8'), 'before')
  t.deepEqual(fs.readdirSync(folder).sort(), ['bad.csv', 'out.nltrace'])
})
