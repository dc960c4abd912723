// What stops a command: the first signal takes back what was begun, the second ends at once.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { assertEnding } from './_child.ts'
import { runCli } from './_cli.ts'
import { root, semaphore } from './_repository.ts'
import { testIf } from './_testIf.ts'
import { calculatorFunctions, wasmModule } from './_wasm.ts'
import { makeWorkplace, runShell, type Workplace } from './_workplace.ts'
import { elementBytes, PRIME } from './_wtns.ts'

/** A proof that takes long enough to be stopped. */
const SLOW = semaphore(32)
/** What must end by itself. */
const EXIT_MS_MAX = 10_000
const STOPS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const
let place: Workplace

test.before(async () => {
  place = await makeWorkplace()
  const init = { parameters: 1, result: 'loop' } as const
  const functions = calculatorFunctions({ init })
  const endless = wasmModule({ exportsMemory: true, data: elementBytes(PRIME), functions })
  fs.writeFileSync(path.join(place.folder, 'endless.wasm'), endless)
  fs.writeFileSync(path.join(place.folder, 'none.json'), '{}')
  fs.writeFileSync(path.join(place.folder, 'slow.json'), JSON.stringify(SLOW.input))
})

test.after.always(() => place.remove())

/** An empty folder of the workplace. */
function emptyFolder(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(path.join(place.folder, 'out-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Kills a command with a signal when it first says something: with -v, the phase it begins. */
function killAtFirstWord(signal: NodeJS.Signals): (child: ChildProcess) => void {
  return (child) => child.stderr?.once('data', () => child.kill(signal))
}

for (const [signal, status] of STOPS) {
  test(`${signal} stops a proof, leaves no file and returns ${status}`, async (t) => {
    const folder = emptyFolder(t)
    const outputs = ['-o', `${folder}/proof.json`, '--public', `${folder}/public.json`]

    for (const args of [
      ['prove', SLOW.zkey, 'witness.wtns'],
      ['fullprove', 'slow.json', SLOW.wasm, SLOW.zkey],
      ['fullprove', 'none.json', 'endless.wasm', SLOW.zkey],
    ]) {
      const onStart = killAtFirstWord(signal)
      const ending = await runCli([...args, ...outputs, '-v'], { cwd: place.folder, onStart })

      assertEnding(t, ending, status)
      t.regex(ending.stderr, new RegExp(`error CLI_STOPPED: stopped by ${signal}`))
      t.is(ending.stdout, '')
      t.deepEqual(fs.readdirSync(folder), [])
    }
  })
}

test('a witness calculator that does not end is stopped by SIGINT and by --timeout', async (t) => {
  const args = ['fullprove', 'none.json', 'endless.wasm', 'circuit.zkey']
  const onStart = (child: ChildProcess): void => {
    child.stderr?.on('data', (text: Buffer) => {
      if (text.includes('witness')) child.kill('SIGINT')
    })
  }

  const stopped = await runCli([...args, '-v'], { cwd: place.folder, onStart })
  const timed = await runCli([...args, '--timeout', '500ms'], { cwd: place.folder })

  assertEnding(t, stopped, 130)
  assertEnding(t, timed, 5)
  t.regex(timed.stderr, /error CLI_STOPPED: --timeout: not done after 500 ms/)
})

/** Runs a line of shell that needs `--timeout` to end, and leaves nothing but its pipe. */
async function assertStopped(t: ExecutionContext, line: (pipe: string) => string): Promise<void> {
  const folder = emptyFolder(t)
  const row = line(path.join(folder, 'pipe'))

  const { status, output } = await runShell(row, place.folder)

  t.is(status, 5, `${row}\n${output}`)
  t.regex(output, /CLI_STOPPED: --timeout: not done after 500 ms/)
  t.deepEqual(fs.readdirSync(folder), ['pipe'])
}

/** Somebody holds the pipe open for writing, and says nothing. */
const silence = (pipe: string) => `mkfifo '${pipe}'; exec 3<>'${pipe}'`

test('what waits for stdin, or for a reader of its output, can be stopped', async (t) => {
  await assertStopped(
    t,
    (pipe) => `${silence(pipe)}; nalloc prove circuit.zkey - --timeout 500ms <&3`,
  )
  await assertStopped(
    t,
    (pipe) =>
      `mkfifo '${pipe}'; nalloc prove circuit.zkey witness.wtns -o '${pipe}' --timeout 500ms`,
  )
})

const hasTerminal = spawnSync('script', ['--version']).status === 0
const ifTerminal = testIf(hasTerminal, 'there is no script(1) to make a terminal with')

ifTerminal('what waits for stdin on a terminal can be stopped', async (t) => {
  await assertStopped(t, (pipe) => {
    const command = 'nalloc prove circuit.zkey - --timeout 500ms'
    return `${silence(pipe)}; script -qec '${command}' /dev/null <&3`
  })
})

test('a second signal ends at once what the first one did not', async (t) => {
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
  const args = ['prove', SLOW.zkey, 'witness.wtns', '-o', `${folder}/proof.json`]

  const ending = await runCli([...args, '--timeout', '1ms'], { cwd: place.folder })

  assertEnding(t, ending, 5)
  t.regex(ending.stderr, /error CLI_STOPPED: --timeout: not done after 1 ms/)
  t.deepEqual(fs.readdirSync(folder), [])
})
