// export: verification keys and calldata that are those of snarkjs, and what is refused.

import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { VerifyingKey } from 'nalloc'
import { assertEnding, runNode } from './_child.ts'
import { runCli } from './_cli.ts'
import { fixtures, readJson, root, semaphore } from './_repository.ts'
import { makeWorkplace, runShell, type Workplace } from './_workplace.ts'

const snarkjs = path.join(root, 'node_modules/snarkjs/cli.js')
let place: Workplace

test.before(async () => {
  place = await makeWorkplace()
})

test.after.always(() => place.remove())

/** Runs a command in the workplace; paths are relative to it. */
function run(args: readonly string[], stdin?: Uint8Array | string) {
  return runCli(args, { cwd: place.folder, ...(stdin !== undefined && { stdin }) })
}

function read(name: string): string {
  return fs.readFileSync(path.join(place.folder, name), 'utf8')
}

const FIXTURES = ['bits', 'no_public', 'many_public', 'setup_order', 'reordered']
const KEYS: readonly (readonly [name: string, zkey: string])[] = [
  ['semaphore', semaphore(1).zkey],
  ...FIXTURES.map((name) => [name, path.join(fixtures, `${name}.zkey`)] as const),
]

for (const [name, zkey] of KEYS) {
  test(`the verification key of ${name} is the one that snarkjs exports`, async (t) => {
    const [ours, theirs] = [`${name}.ours.json`, `${name}.theirs.json`]

    assertEnding(t, await run(['export', 'vk', zkey, '-o', ours]), 0)
    const args = [snarkjs, 'zkey', 'export', 'verificationkey', zkey, theirs]
    assertEnding(t, await runNode(args, place.folder), 0)

    t.is(read(ours).trimEnd(), read(theirs).trimEnd())
    t.truthy(readJson<Record<string, unknown>>(place.folder, ours)['vk_alphabeta_12'])
    t.notThrows(() => VerifyingKey.from(path.join(place.folder, ours)))
  })
}

test('snarkjs verifies with the verification key that is exported', async (t) => {
  assertEnding(t, await run(['export', 'vk', 'circuit.zkey', '-o', 'vk.json']), 0)

  const args = [snarkjs, 'groth16', 'verify', 'vk.json', 'public.json', 'proof.json']
  const said = await runNode(args, place.folder)

  assertEnding(t, said, 0)
  t.regex(said.stdout, /OK!/)
})

test('calldata is what snarkjs exports, byte by byte', async (t) => {
  const ours = await run(['export', 'verifier-calldata', 'proof.json', 'public.json'])
  const args = [snarkjs, 'zkey', 'export', 'soliditycalldata', 'public.json', 'proof.json']
  const theirs = await runNode(args, place.folder)

  assertEnding(t, ours, 0)
  t.is(ours.stderr, '')
  t.is(ours.stdout, theirs.stdout)
})

test('files, stdin and --json are taken', async (t) => {
  const calldata = ['export', 'verifier-calldata']
  const plain = await run([...calldata, 'proof.json', 'public.json'])
  const piped = await run([...calldata, '-', 'public.json'], read('proof.json'))
  const filed = await run([...calldata, 'proof.json', 'public.json', '-o', 'calldata.txt'])
  const json = await run([...calldata, 'proof.json', 'public.json', '--json'])
  const bytes = fs.readFileSync(path.join(place.folder, 'circuit.zkey'))
  const key = await run(['export', 'vk', '-', '--json'], bytes)

  t.is(piped.stdout, plain.stdout)
  t.deepEqual([filed.stdout, read('calldata.txt')], ['', plain.stdout])
  t.deepEqual(JSON.parse(json.stdout), {
    schema: 'nalloc/export-verifier-calldata@1',
    calldata: plain.stdout.trimEnd(),
  })
  const { schema, verificationKey } = JSON.parse(key.stdout) as Record<string, unknown>
  t.is(schema, 'nalloc/export-vk@1')
  t.deepEqual(verificationKey, readJson(semaphore(1).vk))
})

test('what cannot be exported is refused by its code, and leaves no file', async (t) => {
  const bytes = fs.readFileSync(path.join(place.folder, 'circuit.zkey'))
  fs.writeFileSync(path.join(place.folder, 'cut.zkey'), bytes.subarray(0, 1000))
  const outside = { ...readJson<object>(place.folder, 'proof.json'), pi_a: ['0', '1', '0'] }
  fs.writeFileSync(path.join(place.folder, 'infinite.json'), JSON.stringify(outside))
  const calldata = ['export', 'verifier-calldata']
  const rows: [args: string[], status: number, message: RegExp][] = [
    [['export', 'vk', 'absent.zkey'], 3, /^error ERR_IO: absent\.zkey: /],
    [['export', 'vk', 'cut.zkey'], 3, /^error ERR_TRUNCATED: cut\.zkey, section /],
    [['export', 'vk', 'witness.wtns'], 3, /^error ERR_BAD_MAGIC: .*is a \.wtns file/],
    [[...calldata, 'public.json', 'proof.json'], 3, /^error ERR_BAD_MAGIC: .*: swapped\?/],
    [[...calldata, 'infinite.json', 'public.json'], 3, /^error ERR_INVALID_ARG: proof\.pi_a: /],
    [[...calldata, 'proof.json'], 2, /missing required argument 'PUBLIC'/],
    [['export', 'vkey', 'circuit.zkey'], 2, /unknown command 'vkey' \(Did you mean vk\?\)/],
    [['export'], 2, /^Examples:[\s\S]*\nCommands:[\s\S]* vk ZKEY /],
  ]
  for (const [args, status, message] of rows) {
    const output = status === 3 ? ['-o', 'refused.out'] : []
    const ending = await run([...args, ...output])

    assertEnding(t, ending, status)
    t.regex(ending.stderr, message)
    t.is(ending.stdout, '')
    t.false(fs.existsSync(path.join(place.folder, 'refused.out')))
  }
})

test('a key without a phase 2 is refused unless it is allowed, and then said', async (t) => {
  const zkey = path.join(place.folder, 'insecure.zkey')
  const bytes = fs.readFileSync(path.join(fixtures, 'bits.zkey'))
  // File header, section 1, head of section 2: then gamma2 at 340 and delta2 at 532 of the header.
  const header = 12 + 16 + 12
  bytes.copyWithin(header + 532, header + 340, header + 468)
  fs.writeFileSync(zkey, bytes)

  const refused = await run(['export', 'vk', zkey])
  const allowed = await run(['export', 'vk', zkey, '--allow-insecure', '-q', '-o', 'weak.json'])
  const verified = await run(['verify', 'weak.json', 'public.json', 'proof.json', '-q'])

  assertEnding(t, refused, 3)
  t.regex(refused.stderr, /^error ERR_INSECURE_KEY: .*anybody can forge/)
  assertEnding(t, allowed, 0)
  t.regex(allowed.stderr, /^warning .*insecure\.zkey .*anybody can forge proofs for it/)
  t.true(VerifyingKey.from(path.join(place.folder, 'weak.json')).isInsecure)
  assertEnding(t, verified, 1)
  t.regex(verified.stderr, /^warning weak\.json .*anybody can forge proofs for it/)
  t.false(VerifyingKey.from(semaphore(1).vk).isInsecure)
})

test('every example of the help of its commands runs where its files are', async (t) => {
  for (const name of ['vk', 'verifier-calldata']) {
    const { stdout } = await run(['help', 'export', name])
    const examples = [...stdout.matchAll(/^ {2}\$ (.*)$/gm)].map(([, example = '']) => example)
    t.is(examples.length, 2, name)
    for (const example of examples) {
      const { status, output } = await runShell(example, place.folder)

      t.is(status, 0, `${example}\n${output}`)
    }
  }
})
