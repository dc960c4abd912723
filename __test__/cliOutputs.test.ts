// Files and streams that cannot be written, and what stops a command: nothing half done is left.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { assertEnding } from './_child.ts'
import { program, runCli } from './_cli.ts'
import { root, semaphore } from './_repository.ts'
import { makeWorkplace, runShell, type Workplace } from './_workplace.ts'

const PROVE = ['prove', 'circuit.zkey', 'witness.wtns']
/** A proof that takes long enough to be stopped. */
const SLOW = semaphore(32)
const NOBODY = 65534
/** What must end by itself. */
const EXIT_MS_MAX = 10_000
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

  const ending = await run(...PROVE, '-o', folder)

  assertEnding(t, ending, 5)
  t.regex(ending.stderr, /EISDIR/)
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

test('who may not write a file does not replace it', (t) => {
  if (process.getuid?.() !== 0) {
    t.log('skipped: only root can become somebody else')
    t.pass()
    return
  }
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

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} stops the proof, leaves no file and returns ${status}`, async (t) => {
    const folder = emptyFolder(t)
    const target = path.join(folder, 'proof.json')
    fs.writeFileSync(path.join(folder, 'input.json'), JSON.stringify(SLOW.input))
    const args = ['fullprove', 'input.json', SLOW.wasm, SLOW.zkey, '-o', target, '-v']

    const ending = await runCli(args, {
      cwd: folder,
      onStart: (child) => {
        // The first phase that is reported: the key is being read.
        child.stderr?.once('data', () => child.kill(signal))
      },
    })

    assertEnding(t, ending, status)
    t.regex(ending.stderr, new RegExp(`error CLI_STOPPED: stopped by ${signal}`))
    t.is(ending.stdout, '')
    t.deepEqual(fs.readdirSync(folder), ['input.json'])
  })
}

test('a second SIGINT ends at once what the first one did not', async (t) => {
  const deaf = `
    const { interruptible } = require('${root}/dist/cli/interruption.js')
    const talk = (text) => console.log(text)
    interruptible(undefined, { talk }, () => new Promise(() => setInterval(() => {}, 1000)))
    console.log('ready')`

  const child = spawn(process.execPath, ['-e', deaf], { stdio: ['ignore', 'pipe', 'inherit'] })
  // Each line that it says is answered with a signal.
  child.stdout.on('data', () => child.kill('SIGINT'))

  t.deepEqual(await once(child, 'close', { signal: AbortSignal.timeout(EXIT_MS_MAX) }), [130, null])
})

test('--timeout gives up, and says so', async (t) => {
  const folder = emptyFolder(t)
  const target = path.join(folder, 'proof.json')

  const ending = await run('prove', SLOW.zkey, 'witness.wtns', '-o', target, '--timeout', '1ms')

  assertEnding(t, ending, 5)
  t.regex(ending.stderr, /error CLI_STOPPED: --timeout: not done after 1 ms/)
  t.deepEqual(fs.readdirSync(folder), [])
})

test('progress is drawn on a terminal, and only there', async (t) => {
  const command = `nalloc ${PROVE.join(' ')} -o proof2.json --public public2.json`
  if (spawnSync('script', ['--version']).status !== 0) {
    t.log('skipped: there is no script(1) to make a terminal with')
    t.pass()
    return
  }
  const drawn = async (env: string, flags = '') => {
    const line = `${env} TERM=xterm script -qec '${command} ${flags}' /dev/null`
    return (await runShell(line, place.folder)).output.split(CLEAR_LINE)
  }

  const shown = await drawn('env -u CI -u NO_COLOR')
  t.true(shown.some((line) => /^#+\.* +\d+ % {2}\w+/.test(line)))
  t.true(shown.at(-1)?.startsWith('proved circuit.zkey'))
  for (const [env, flags] of [
    ['env CI=1', ''],
    ['env -u CI', '--quiet'],
    ['env -u CI', '--json'],
  ] as const) {
    t.is((await drawn(env, flags)).length, 1, `${env} ${flags}`)
  }
})
