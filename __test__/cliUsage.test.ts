// What was typed wrongly, what help says, and that help needs nothing.

import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { assertEnding } from './_child.ts'
import { program, runCli } from './_cli.ts'
import { root, semaphore } from './_repository.ts'
import { packageWithoutAddon, temporaryFolder } from './_temporary.ts'
import { makeWorkplace, runShell } from './_workplace.ts'

/** The commands, as help lists them. */
async function commands(): Promise<string[]> {
  const { stdout } = await runCli(['--help'])
  const [, list = ''] = stdout.split('\nCommands:\n')
  const names = [...list.matchAll(/^ {2}(\w+) /gm)].map(([, name = '']) => name)
  return names.filter((name) => !['help', '0', '1', '2', '3'].includes(name))
}

test('an unknown command or flag names the nearest one, with exit status 2', async (t) => {
  const rows: [args: string[], nearest: string][] = [
    [['prvoe', 'a', 'b'], 'prove'],
    [['fulprove'], 'fullprove'],
    [['verfy'], 'verify'],
    [['verfy', '--help'], 'verify'],
    [['help', 'verfy'], 'verify'],
    [['prove', 'a', 'b', '--jsn'], '--json'],
    [['prove', 'a', 'b', '--memory-limt', '1G'], '--memory-limit'],
    [['prove', 'a', 'b', '--ouput=x'], '--output'],
    [['verify', 'a', 'b', 'c', '--explian'], '--explain'],
    [['--hlep'], '--help'],
  ]
  for (const [args, nearest] of rows) {
    const ending = await runCli(args)

    assertEnding(t, ending, 2)
    t.is(ending.stdout, '')
    t.regex(ending.stderr, new RegExp(`Did you mean ${nearest}\\?`), args.join(' '))
  }
})

test('wrong values and counts are said in words, with exit status 2', async (t) => {
  const rows: [args: string[], message: RegExp][] = [
    [['prove', 'a'], /missing required argument 'WTNS'/],
    [['prove', 'a', 'b', 'c'], /too many arguments/],
    [['prove', '-', '-'], /at most one argument -/],
    [['prove', 'a', 'b', '-o', '-', '--public', '-'], /at most one of them/],
    [['prove', 'a', 'b', '-o', 'x', '--public', './x'], /two files, got one/],
    [['prove', 'a', 'b', '-o', ''], /Expected a path or -/],
    [['prove', 'a', 'b', '--threads', '0'], /whole number in 1\.\.1024/],
    [['prove', 'a', 'b', '--threads', 'two'], /whole number in 1\.\.1024/],
    [['prove', 'a', 'b', '--memory-limit', '1X'], /512M, 2G or 25%/],
    [['prove', 'a', 'b', '--timeout', '5'], /500ms, 30s, 5m or 1h/],
    [['prove', 'a', 'b', '--timeout', '25h'], /1ms to 24h/],
    [['prove', 'a', 'b', '--sha256', 'abc'], /64 hexadecimal digits/],
    [['verify', 'a', 'b', 'c', '--threads', '2'], /unknown option '--threads'/],
    [[], /^Examples:[\s\S]*\nCommands:/],
    [['--no-color'], /^Examples:[\s\S]*\nCommands:/],
  ]
  for (const [args, message] of rows) {
    const ending = await runCli(args)

    assertEnding(t, ending, 2)
    t.regex(ending.stderr, message)
    t.is(ending.stdout, '')
  }
})

test('help starts with examples, and ends with the exit statuses', async (t) => {
  const names = await commands()
  t.true(names.length >= 3, names.join())
  for (const args of [['--help'], ...names.map((name) => [name, '--help']), ['help', 'prove']]) {
    const { status, stdout, stderr } = await runCli(args)

    t.deepEqual([status, stderr], [0, ''])
    t.regex(stdout, /^Examples:\n {2}\$ nalloc /)
    t.regex(stdout, /Exit status:[\s\S]*130 SIGINT, 143 SIGTERM\n$/)
    t.true(
      stdout.split('\n').every((line) => line.length <= 100),
      stdout,
    )
  }
})

test('every example of every help text runs where its files are', async (t) => {
  const place = await makeWorkplace()
  t.teardown(place.remove)
  for (const name of await commands()) {
    const { stdout } = await runCli([name, '--help'])
    const examples = [...stdout.matchAll(/^ {2}\$ (.*)$/gm)].map(([, example = '']) => example)
    t.true(examples.length >= 2, name)
    for (const example of examples) {
      const { status, output } = await runShell(example, place.folder)

      t.is(status, 0, `${example}\n${output}`)
    }
  }
})

test('help, version and usage need no addon; a command says that it is missing', async (t) => {
  const folder = packageWithoutAddon(t)
  const bare = { program: path.join(folder, 'dist/cli/main.js'), cwd: folder }
  fs.writeFileSync(path.join(folder, 'x'), '')

  assertEnding(t, await runCli(['--version'], bare), 0)
  assertEnding(t, await runCli(['prove', '--help'], bare), 0)
  assertEnding(t, await runCli(['prove'], bare), 2)
  const ending = await runCli(['prove', 'x', 'x'], bare)
  assertEnding(t, ending, 5)
  t.regex(ending.stderr, /^error ERR_BINARY_MISSING: .*npm i --os=linux --cpu=/)
})

test('on another system a command says what it needs', async (t) => {
  const folder = temporaryFolder(t)
  const disguise = path.join(folder, 'darwin.cjs')
  fs.writeFileSync(disguise, "Object.defineProperty(process, 'platform', { value: 'darwin' })")

  for (const args of [
    ['prove', program, program],
    ['fullprove', path.join(root, 'package.json'), semaphore(1).wasm, program],
  ]) {
    const ending = await runCli(args, { node: ['--require', disguise] })

    assertEnding(t, ending, 5)
    t.regex(ending.stderr, /^error ERR_PLATFORM: linux x64\/arm64 only \(found darwin-/)
  }
})

test('what nobody expected is exit status 70, and how to report it', async (t) => {
  const folder = temporaryFolder(t)
  const preload = path.join(folder, 'defect.cjs')
  fs.writeFileSync(preload, "setImmediate(() => { throw new TypeError('unexpected') })")
  // It waits for a witness that nobody writes, so that nothing ends it before the defect does.
  const silence = `mkfifo '${folder}/pipe'; exec 3<>'${folder}/pipe'`
  const command = [process.execPath, '--require', preload, program, 'prove', semaphore(1).zkey, '-']
    .map((word) => `'${word}'`)
    .join(' ')

  const { status, output } = await runShell(`${silence}; ${command} <&3`, folder)

  t.is(status, 70, output)
  t.regex(output, /^error ERR_INTERNAL: unexpected\nThis is a defect of nalloc\. Please report/)
})

test('a mistake is an object with --json, wherever that stands', async (t) => {
  const rows: [args: string[], message: RegExp, hint: RegExp][] = [
    [['prvoe', '--json'], /unknown command 'prvoe' \(Did you mean prove\?\)/, /usage: nalloc /],
    [['help', 'prvoe', '--json'], /unknown command 'prvoe'/, /usage: nalloc /],
    [['prove', '--json', 'a'], /missing required argument 'WTNS'/, /usage: nalloc prove .*ZKEY/],
    [['verify', '-', '-', 'a', '--json'], /at most one argument -/, /usage: nalloc verify .*VK/],
  ]
  for (const [args, message, hint] of rows) {
    const ending = await runCli(args)

    assertEnding(t, ending, 2)
    const answer = JSON.parse(ending.stdout) as Record<string, string>
    t.like(answer, { schema: 'nalloc/error@1', code: 'CLI_USAGE' })
    t.regex(answer['message'] ?? '', message)
    t.regex(answer['hint'] ?? '', hint)
  }
})

test('it runs through a link and from anywhere, as npx has it', async (t) => {
  const folder = temporaryFolder(t)
  const link = path.join(folder, 'nalloc')
  fs.symlinkSync(program, link)
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))

  const ending = await runCli(['--version'], { program: link, cwd: folder })

  assertEnding(t, ending, 0)
  t.is(ending.stdout, `nalloc ${version}\n`)
  t.true(fs.readFileSync(program, 'utf8').startsWith('#!/usr/bin/env node\n'))
})

test('colours follow NO_COLOR, FORCE_COLOR and --no-color', async (t) => {
  const colored = (text: string) => text.includes('\x1b[')
  const rows: [env: Record<string, string>, args: string[], isColored: boolean][] = [
    [{}, [], false],
    [{ FORCE_COLOR: '1' }, [], true],
    [{ FORCE_COLOR: '0' }, [], false],
    [{ FORCE_COLOR: '1' }, ['--no-color'], false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, [], false],
  ]
  for (const [env, args, isColored] of rows) {
    const { stderr } = await runCli(['prove', 'absent', 'absent', ...args], { env })

    t.is(colored(stderr), isColored, JSON.stringify([env, args]))
  }
})
