// Where results go: whole or not at all. Files and streams that cannot be written; progress.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { assertEnding } from './_child.ts'
import { program, runCli } from './_cli.ts'
import { outputs } from './_internal.ts'
import { semaphore } from './_repository.ts'
import { testIf } from './_testIf.ts'
import { makeWorkplace, runShell, type Workplace } from './_workplace.ts'

const PROVE = ['prove', 'circuit.zkey', 'witness.wtns']
const NOBODY = 65534
const CLEAR_LINE = '\r\x1b[K'
let place: Workplace

test.before(async () => {
  place = await makeWorkplace()
})

test.after.always(() => place.remove())

/** An empty folder of the workplace. */
function emptyFolder(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(path.join(place.folder, 'out-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

function run(...args: string[]) {
  return runCli(args, { cwd: place.folder })
}

test('a folder that is not there is noticed before the proof', async (t) => {
  const ending = await run('prove', 'circuit.zkey', 'absent.wtns', '-o', 'absent/proof.json')

  assertEnding(t, ending, 5)
  t.regex(ending.stderr, /^error CLI_OUTPUT: absent\/proof\.json: cannot be written: ENOENT/)
})

test('when one of two files cannot be written, neither is there', async (t) => {
  const folder = emptyFolder(t)

  const ending = await run(
    ...PROVE,
    '-o',
    `${folder}/proof.json`,
    '--public',
    `${folder}/no/p.json`,
  )

  assertEnding(t, ending, 5)
  t.deepEqual(fs.readdirSync(folder), [])
})

test('a folder in the place of a file is an error, not a file in it', async (t) => {
  const folder = emptyFolder(t)

  for (const name of [folder, `${folder}/new/`]) {
    const ending = await run(...PROVE, '-o', name)

    assertEnding(t, ending, 5)
    t.regex(ending.stderr, /cannot be written: it is a folder/)
  }
  t.deepEqual(fs.readdirSync(folder), [])
})

test('a full disk leaves the file that was there', async (t) => {
  const folder = emptyFolder(t)
  const target = path.join(folder, 'proof.json')
  fs.writeFileSync(target, 'before')

  // A limit of no bytes for a file: what a full disk does, without a disk.
  const { status, output } = await runShell(
    `trap '' XFSZ; ulimit -f 0; nalloc ${PROVE.join(' ')} -o '${target}' --public -`,
    place.folder,
  )

  t.is(status, 5, output)
  t.regex(output, /error CLI_OUTPUT: .*proof\.json: cannot be written: EFBIG/)
  t.is(fs.readFileSync(target, 'utf8'), 'before')
  t.deepEqual(fs.readdirSync(folder), ['proof.json'])
})

test('a full disk behind stdout is an error', async (t) => {
  const { status, output } = await runShell(
    `nalloc ${PROVE.join(' ')} -q 2>&1 >/dev/full`,
    place.folder,
  )

  t.is(status, 5, output)
  t.regex(output, /error CLI_OUTPUT: stdout: cannot be written: ENOSPC/)
})

test('a reader that leaves is no error', async (t) => {
  for (const line of [`nalloc ${PROVE.join(' ')} -q | true`, 'nalloc --help | true']) {
    const { status, output } = await runShell(`set -o pipefail; ${line}`, place.folder)

    t.deepEqual([status, output], [0, ''], line)
  }
})

test('a file is replaced as a whole, keeps its mode, and a link stays a link', async (t) => {
  const folder = emptyFolder(t)
  const [target, link] = [path.join(folder, 'proof.json'), path.join(folder, 'link.json')]
  fs.writeFileSync(target, 'before')
  fs.chmodSync(target, 0o640)
  fs.symlinkSync('proof.json', link)

  assertEnding(t, await run(...PROVE, '-o', link), 0)

  t.true(fs.lstatSync(link).isSymbolicLink())
  t.regex(fs.readFileSync(target, 'utf8'), /"pi_a"/)
  t.is(fs.statSync(target).mode & 0o777, 0o640)
  t.deepEqual(fs.readdirSync(folder).sort(), ['link.json', 'proof.json'])
})

test('a file that would replace an input is refused', async (t) => {
  const before = fs.readFileSync(path.join(place.folder, 'circuit.zkey'))

  for (const name of ['circuit.zkey', './witness.wtns', `${place.folder}/circuit.zkey`]) {
    const ending = await run(...PROVE, '--public', name)

    assertEnding(t, ending, 2)
    t.regex(ending.stderr, /expected another file to write to, got an input/)
  }
  t.deepEqual(fs.readFileSync(path.join(place.folder, 'circuit.zkey')), before)
})

test('a file that can no longer be put in place takes the other one back', async (t) => {
  const folder = emptyFolder(t)
  const [proof, signals] = [path.join(folder, 'proof.json'), path.join(folder, 'public.json')]
  for (const before of ['before', undefined]) {
    if (before) fs.writeFileSync(proof, before)
    const files = new outputs.Outputs([proof, signals], [])
    await files.write(['proof', 'signals'], new AbortController().signal)
    fs.mkdirSync(signals)

    const error = t.throws(() => files.place())

    t.regex(error?.message ?? '', /public\.json: cannot be written: EISDIR/)
    fs.rmdirSync(signals)
    const left = fs.readdirSync(folder).map((name) => fs.readFileSync(`${folder}/${name}`, 'utf8'))
    t.deepEqual(left, before ? [before] : [])
    if (before) fs.rmSync(proof)
  }
})

test('/dev/stdout is stdout, also where that is a file with something in it', async (t) => {
  const copy = path.join(emptyFolder(t), 'copy')

  const { status, output } = await runShell(
    `echo before > '${copy}'; nalloc ${PROVE.join(' ')} -q -o /dev/stdout >> '${copy}'`,
    place.folder,
  )

  t.deepEqual([status, output], [0, ''])
  t.regex(fs.readFileSync(copy, 'utf8'), /^before\n{\n "pi_a"/)
})

test('a device or a pipe is written as it is', async (t) => {
  const folder = emptyFolder(t)
  const line = `mkfifo pipe; cat pipe > copy & nalloc ${PROVE.join(' ')} -q -o pipe > signals; wait`

  const { status, output } = await runShell(
    `ln -s '${place.folder}'/*.zkey '${place.folder}'/*.wtns '${folder}'; cd '${folder}'; ${line}`,
    place.folder,
  )

  t.deepEqual([status, output], [0, ''])
  t.regex(fs.readFileSync(path.join(folder, 'copy'), 'utf8'), /"pi_a"/)
  t.true(fs.statSync(path.join(folder, 'pipe')).isFIFO())
})

test('a pipe takes more than it holds, and a reader that leaves it is no error', async (t) => {
  const folder = emptyFolder(t)
  const [whole, cut] = [path.join(folder, 'whole'), path.join(folder, 'cut')]
  const readers = spawnSync('mkfifo', [whole, cut])
  t.is(readers.status, 0)
  const text = 'x'.repeat(2 ** 20)
  const reading = runShell(`wc -c < '${whole}'; head -c 1 '${cut}'`, folder)
  const files = new outputs.Outputs([whole, cut], [])

  await files.write([text, text], new AbortController().signal)
  files.place()

  t.is((await reading).output, `${text.length}\nx`)
})

const isRoot = process.getuid?.() === 0
const ifRoot = testIf(isRoot, 'only root can become somebody else')

ifRoot('who may not write a file does not replace it', (t) => {
  const folder = emptyFolder(t)
  fs.chmodSync(place.folder, 0o755)
  fs.chmodSync(folder, 0o777)
  const target = path.join(folder, 'proof.json')
  fs.writeFileSync(target, 'before', { mode: 0o644 })

  const { status, stderr } = spawnSync(process.execPath, [program, ...PROVE, '-o', target], {
    cwd: place.folder,
    uid: NOBODY,
    gid: NOBODY,
    encoding: 'utf8',
  })

  t.is(status, 5, stderr)
  t.regex(stderr, /EACCES/)
  t.is(fs.readFileSync(target, 'utf8'), 'before')
})

const hasTerminal = spawnSync('script', ['--version']).status === 0
const ifTerminal = testIf(hasTerminal, 'there is no script(1) to make a terminal with')

ifTerminal('progress is drawn on a terminal, and only there', async (t) => {
  const folder = emptyFolder(t)
  // Large enough to be seen at work.
  const { zkey, wasm, input } = semaphore(32)
  fs.writeFileSync(path.join(folder, 'input.json'), JSON.stringify(input))
  const command = `nalloc fullprove "${folder}/input.json" "${wasm}" "${zkey}" -o "${folder}/proof.json" --public "${folder}/public.json"`
  const drawn = async (env: string, flags = '') => {
    const line = `${env} TERM=xterm script -qec '${command} ${flags}' /dev/null`
    return (await runShell(line, place.folder)).output.split(CLEAR_LINE)
  }

  const shown = await drawn('env -u CI -u NO_COLOR')
  t.true(shown.some((line) => /^#+\.* +\d+ % {2}\w+/.test(line)))
  t.true(shown.at(-1)?.startsWith('proved '))
  for (const [env, flags] of [
    ['env CI=1', ''],
    ['env -u CI', '--quiet'],
    ['env -u CI', '--json'],
  ] as const) {
    t.is((await drawn(env, flags)).length, 1, `${env} ${flags}`)
  }
})
