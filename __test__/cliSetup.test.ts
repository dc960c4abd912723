// setup: keys for development, with what they are said on every use, and none without the flag.

import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { assertEnding, runNode } from './_child.ts'
import { runCli } from './_cli.ts'
import { fixtures, readJson, root } from './_repository.ts'
import { makeWorkplace, type Workplace } from './_workplace.ts'

const snarkjs = path.join(root, 'node_modules/snarkjs/cli.js')
const WARNING = /^warning dev\.zkey is a key for development: anybody can forge proofs for it\./m
let place: Workplace

test.before(async () => {
  place = await makeWorkplace()
  fs.copyFileSync(path.join(fixtures, 'bits.wtns'), inFolder('bits.wtns'))
  await run(['setup', '--unsafe-dev', 'circuit.r1cs', '-o', 'dev.zkey', '--vk', 'dev_key.json'])
})

test.after.always(() => place.remove())

function inFolder(name: string): string {
  return path.join(place.folder, name)
}

/** Runs a command in the workplace; paths are relative to it. */
function run(args: readonly string[], options: object = {}) {
  return runCli(args, { cwd: place.folder, ...options })
}

test('without the flag it refuses, and says that ceremonies make keys and how', async (t) => {
  const ending = await run(['setup', 'circuit.r1cs', '-o', 'none.zkey'])

  assertEnding(t, ending, 2)
  t.regex(ending.stderr, /^error CLI_USAGE: .*ceremony.*snarkjs groth16 setup.*zkey contribute/)
  t.regex(ending.stderr, /docs\/setup\.md\. For development there is --unsafe-dev/)
  t.false(fs.existsSync(inFolder('none.zkey')))
})

test('every use of the key warns, also a quiet one', async (t) => {
  const quiet = ['-q', '-o', 'proof.dev.json', '--public', 'public.dev.json']
  const made = await run(['setup', '--unsafe-dev', 'circuit.r1cs', '-o', 'dev2.zkey', '-q'])
  const proved = await run(['prove', '--allow-insecure', 'dev.zkey', 'bits.wtns', ...quiet])
  const inspected = await run(['inspect', 'dev.zkey', '-q'])
  const exported = await run(['export', 'vk', 'dev.zkey', '--allow-insecure', '-q'])
  const files = ['dev_key.json', 'public.dev.json', 'proof.dev.json']
  const verified = await run(['verify', ...files, '-q'])

  for (const ending of [made, proved, inspected, exported, verified]) assertEnding(t, ending, 0)
  t.regex(made.stderr, /^warning dev2\.zkey .*Never use it in production\.\n$/)
  for (const { stderr } of [proved, inspected, exported]) t.regex(stderr, WARNING)
  t.regex(inspected.stdout, /NONE: made by nalloc setup --unsafe-dev, everybody can forge/)
  t.regex(verified.stderr, /^warning dev_key\.json is a key for development/)
  t.is(verified.stdout, 'valid\n')
  t.deepEqual(fs.readFileSync(inFolder('dev2.zkey')), fs.readFileSync(inFolder('dev.zkey')))
})

test('without --allow-insecure the key is refused by its code', async (t) => {
  for (const args of [
    ['prove', 'dev.zkey', 'bits.wtns'],
    ['export', 'vk', 'dev.zkey'],
  ]) {
    const ending = await run(args)

    assertEnding(t, ending, 3)
    t.regex(ending.stderr, /^error ERR_INSECURE_KEY: dev\.zkey: .*--unsafe-dev.*allowInsecure/)
  }
})

test('snarkjs proves with the key, verifies, and adds no contribution to it', async (t) => {
  const program = (...args: string[]) => runNode([snarkjs, ...args], place.folder)

  const proved = await program('groth16', 'prove', 'dev.zkey', 'bits.wtns', 'p.json', 's.json')
  const verified = await program('groth16', 'verify', 'dev_key.json', 's.json', 'p.json')
  const key = await program('zkey', 'export', 'verificationkey', 'dev.zkey', 'theirs.json')
  const contributed = await program('zkey', 'contribute', 'dev.zkey', 'more.zkey', '-e=entropy')

  assertEnding(t, proved, 0)
  assertEnding(t, verified, 0)
  t.regex(verified.stdout, /OK!/)
  assertEnding(t, key, 0)
  t.deepEqual(readJson(place.folder, 'theirs.json'), readJson(place.folder, 'dev_key.json'))
  t.regex(contributed.stdout + contributed.stderr, /Missing section 10/)
  t.false(fs.existsSync(inFolder('more.zkey')))
  assertEnding(t, await run(['verify', 'dev_key.json', 's.json', 'p.json']), 0)
})

test('--json says what it made, and of a proof that its key is unsafe', async (t) => {
  const args = ['setup', '--unsafe-dev', 'circuit.r1cs', '-o', 'json.zkey', '--json']
  const made = JSON.parse((await run(args)).stdout) as Record<string, unknown>
  const proved = await run(['prove', '--allow-insecure', 'dev.zkey', 'bits.wtns', '--json'])
  const { key } = JSON.parse(proved.stdout) as { key: Record<string, unknown> }

  t.is(made['schema'], 'nalloc/setup@1')
  t.is(made['unsafeDev'], true)
  t.is(made['bytes'], fs.statSync(inFolder('json.zkey')).size)
  t.deepEqual(made['verificationKey'], readJson(place.folder, 'dev_key.json'))
  t.is(key['unsafeDev'], true)
})

test('stdin and stdout are taken', async (t) => {
  const stdin = fs.readFileSync(inFolder('circuit.r1cs'))
  const piped = await run(['setup', '--unsafe-dev', '-', '-o', 'piped.zkey'], { stdin })
  const printed = await run(['setup', '--unsafe-dev', 'circuit.r1cs', '-o', '-'])
  const key = await run(['setup', '--unsafe-dev', 'circuit.r1cs', '-o', 'k.zkey', '--vk', '-'])

  assertEnding(t, piped, 0)
  t.deepEqual(fs.readFileSync(inFolder('piped.zkey')), fs.readFileSync(inFolder('dev.zkey')))
  assertEnding(t, printed, 0)
  t.true(printed.stdout.startsWith('zkey'))
  t.regex(printed.stderr, /^warning stdout is a key for development/m)
  t.deepEqual(JSON.parse(key.stdout), readJson(place.folder, 'dev_key.json'))
})

test('what cannot be done is refused by code, and leaves no file', async (t) => {
  fs.writeFileSync(inFolder('cut.r1cs'), fs.readFileSync(inFolder('circuit.r1cs')).subarray(0, 500))
  const rows: [args: string[], status: number, message: RegExp][] = [
    [['absent.r1cs'], 3, /^error ERR_IO: absent\.r1cs: /],
    [['cut.r1cs'], 3, /^error ERR_TRUNCATED: cut\.r1cs, section 2, byte /],
    [['dev.zkey'], 3, /^error ERR_BAD_MAGIC: .*is a \.zkey file/],
    [['circuit.r1cs', '--memory-limit', '1M'], 4, /^error ERR_LIMIT: /],
    [['circuit.r1cs', '--timeout', '1ms'], 5, /^error CLI_STOPPED: --timeout: /],
    [['circuit.r1cs', '--vk', './refused.zkey'], 2, /two files, got one/],
  ]
  for (const [args, status, message] of rows) {
    const ending = await run(['setup', '--unsafe-dev', ...args, '-o', 'refused.zkey'])

    assertEnding(t, ending, status)
    t.regex(ending.stderr, message)
    t.false(fs.existsSync(inFolder('refused.zkey')), args.join(' '))
  }
  const none = await run(['setup', '--unsafe-dev', 'circuit.r1cs'])
  assertEnding(t, none, 2)
  t.regex(none.stderr, /expected -o FILE, or -o - for stdout/)
})
