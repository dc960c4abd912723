// prove, fullprove and verify: what they print, where, and what they return.

import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { type Groth16Proof, groth16 } from 'nalloc'
import { assertEnding, runNode } from './_child.ts'
import { runCli } from './_cli.ts'
import { readJson, root } from './_repository.ts'
import { makeWorkplace, type Workplace } from './_workplace.ts'

let place: Workplace

test.before(async () => {
  place = await makeWorkplace()
})

test.after.always(() => place.remove())

interface Both {
  readonly proof: Groth16Proof
  readonly publicSignals: string[]
}

/** Runs a command in the workplace; paths are relative to it. */
function run(args: readonly string[], stdin?: Uint8Array | string) {
  return runCli(args, { cwd: place.folder, ...(stdin !== undefined && { stdin }) })
}

function isValid({ proof, publicSignals }: Both): Promise<boolean> {
  return groth16.verify(path.join(place.folder, 'verification_key.json'), publicSignals, proof)
}

test('both results go to the files that are named, and one line to stderr', async (t) => {
  const ending = await run([
    'prove',
    'circuit.zkey',
    'witness.wtns',
    '-o',
    'a.json',
    '--public',
    'b.json',
  ])

  assertEnding(t, ending, 0)
  t.is(ending.stdout, '')
  t.regex(
    ending.stderr,
    /^proved circuit\.zkey \([\d,]+ constraints\) in \d+ ms, peak [\d.]+ MiB, self-verified\n$/,
  )
  const proof = readJson<Groth16Proof>(place.folder, 'a.json')
  t.true(await isValid({ proof, publicSignals: readJson(place.folder, 'b.json') }))
})

test('what no file is named for goes to stdout', async (t) => {
  const both = await run(['prove', 'circuit.zkey', 'witness.wtns', '-q'])
  const signals = await run(['prove', 'circuit.zkey', 'witness.wtns', '-o', 'c.json'])
  const proof = await run(['prove', 'circuit.zkey', 'witness.wtns', '--public', 'd.json'])
  const named = await run(['prove', 'circuit.zkey', 'witness.wtns', '-o', '-'])

  t.is(both.stderr, '', 'quiet')
  t.true(await isValid(JSON.parse(both.stdout) as Both))
  const publicSignals = JSON.parse(signals.stdout) as string[]
  t.deepEqual(publicSignals, readJson(place.folder, 'd.json'))
  t.true(await isValid({ proof: readJson(place.folder, 'c.json'), publicSignals }))
  t.true(await isValid({ proof: JSON.parse(proof.stdout) as Groth16Proof, publicSignals }))
  t.true(await isValid({ proof: JSON.parse(named.stdout) as Groth16Proof, publicSignals }))
})

test('--json prints one object with a schema', async (t) => {
  const proved = await run(['prove', 'circuit.zkey', 'witness.wtns', '--json'])
  const args = ['verify', 'verification_key.json', 'public.json', 'proof.json', '--json']
  const verified = await run(args)

  const answer = JSON.parse(proved.stdout) as Both & Record<string, unknown>
  t.is(answer['schema'], 'nalloc/prove@1')
  t.true(await isValid(answer))
  t.deepEqual(Object.keys(answer['key'] as object), ['nConstraints', 'nPublic', 'sha256'])
  t.true(Number(answer['peakBytes']) > 0)
  t.deepEqual(JSON.parse(verified.stdout), { schema: 'nalloc/verify@1', valid: true })
})

test('snarkjs takes the files that are written, and its own are taken', async (t) => {
  const snarkjs = path.join(root, 'node_modules/snarkjs/cli.js')
  const files = ['proof.snarkjs.json', 'public.snarkjs.json']
  const theirs = ['groth16', 'prove', 'circuit.zkey', 'witness.wtns', ...files]
  const ours = ['-o', 'proof.nalloc.json', '--public', 'public.nalloc.json']
  assertEnding(t, await run(['prove', 'circuit.zkey', 'witness.wtns', ...ours]), 0)
  assertEnding(t, await runNode([snarkjs, ...theirs], place.folder), 0)

  const said = await runNode(
    [
      ...[snarkjs, 'groth16', 'verify'],
      ...['verification_key.json', 'public.nalloc.json', 'proof.nalloc.json'],
    ],
    place.folder,
  )
  const answer = await run(['verify', 'verification_key.json', files[1] ?? '', files[0] ?? ''])

  assertEnding(t, said, 0)
  t.regex(said.stdout, /OK!/)
  assertEnding(t, answer, 0)
  t.is(answer.stdout, 'valid\n')
})

test('fullprove computes the witness', async (t) => {
  const ending = await run([
    'fullprove',
    'input.json',
    'circuit.wasm',
    'circuit.zkey',
    '--threads',
    '1',
  ])

  assertEnding(t, ending, 0)
  t.true(await isValid(JSON.parse(ending.stdout) as Both))
})

test('any one argument is read from stdin', async (t) => {
  const bytesOf = (name: string) => new Uint8Array(fs.readFileSync(path.join(place.folder, name)))
  const rows: [args: string[], stdin: string][] = [
    [['prove', '-', 'witness.wtns'], 'circuit.zkey'],
    [['prove', 'circuit.zkey', '-'], 'witness.wtns'],
    [['fullprove', '-', 'circuit.wasm', 'circuit.zkey'], 'input.json'],
    [['fullprove', 'input.json', '-', 'circuit.zkey'], 'circuit.wasm'],
    [['fullprove', 'input.json', 'circuit.wasm', '-'], 'circuit.zkey'],
    [['verify', '-', 'public.json', 'proof.json'], 'verification_key.json'],
    [['verify', 'verification_key.json', '-', 'proof.json'], 'public.json'],
    [['verify', 'verification_key.json', 'public.json', '-'], 'proof.json'],
  ]

  for (const [args, stdin] of rows) {
    const ending = await run(args, bytesOf(stdin))

    assertEnding(t, ending, 0)
  }
})

test('an invalid proof is exit status 1, and --explain says why', async (t) => {
  const [first, ...others] = readJson<string[]>(place.folder, 'public.json')
  const write = (name: string, value: unknown) =>
    fs.writeFileSync(path.join(place.folder, name), JSON.stringify(value))
  write('short.json', others)
  write('other.json', ['1', ...others])
  write('numbers.json', [Number(first), ...others])
  const args = (signals: string) => ['verify', 'verification_key.json', signals, 'proof.json']

  const plain = await run(args('other.json'))
  assertEnding(t, plain, 1)
  t.deepEqual([plain.stdout, plain.stderr], ['invalid\n', ''])
  const rows = {
    'short.json': 'public-count',
    'other.json': 'equation',
    'numbers.json': 'public-range',
  }
  for (const [signals, reason] of Object.entries(rows)) {
    const text = await run([...args(signals), '--explain'])
    const json = await run([...args(signals), '--explain', '--json'])

    assertEnding(t, text, 1)
    t.regex(text.stdout, new RegExp(`^invalid: ${reason}: .+\n$`))
    t.like(JSON.parse(json.stdout), { valid: false, reason })
  }
})

test('--verbose names the phases, and nothing that is proved', async (t) => {
  const { input } = { input: readJson<Record<string, unknown>>(place.folder, 'input.json') }

  const ending = await run(['fullprove', 'input.json', 'circuit.wasm', 'circuit.zkey', '-v'])

  assertEnding(t, ending, 0)
  for (const phase of ['witness', 'sums of points', 'verifying'])
    t.true(ending.stderr.includes(phase))
  const secret = String(input['secret'])
  t.true(secret.length > 10, secret)
  t.false(`${ending.stdout}${ending.stderr}`.includes(secret))
})
