// What goes wrong in the first five minutes: each with its code, what the message says, and the
// exit status; the files themselves are tested in malformed.test.ts.

import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { ERROR_CODES } from 'nalloc'
import { assertEnding } from './_child.ts'
import { runCli } from './_cli.ts'
import { exitCodes } from './_internal.ts'
import { fixtures, readJson, semaphore } from './_repository.ts'
import { makeWorkplace, type Workplace } from './_workplace.ts'

const malformed = path.join(fixtures, 'malformed')
const LARGER = semaphore(2)
const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
let place: Workplace

test.before(async () => {
  place = await makeWorkplace()
  const input = readJson<Record<string, unknown>>(place.folder, 'input.json')
  const siblings = input['merkleProofSiblings'] as string[]
  write('short.json', { ...input, merkleProofSiblings: siblings.slice(1) })
  write('unknown.json', { ...input, passphrase: '1' })
  write('wrong.json', { ...input, secret: `${R - 1n}` })
  write('ic.json', { ...input, IC: '1' })
  write('both.json', { proof: {}, publicSignals: [] })
  write('array.json', [1, 2])
  fs.writeFileSync(path.join(place.folder, 'broken.json'), '{"secret": 918273645546372819,}')
  const key = fs.readFileSync(path.join(place.folder, 'circuit.zkey'))
  fs.writeFileSync(path.join(place.folder, 'cut.zkey'), key.subarray(0, key.length - 3112))
})

test.after.always(() => place.remove())

function write(name: string, value: unknown): void {
  fs.writeFileSync(path.join(place.folder, name), JSON.stringify(value))
}

interface Row {
  readonly title: string
  readonly args: readonly string[]
  readonly code: string
  readonly status: number
  readonly message: RegExp
}

const PROVE = ['prove', 'circuit.zkey', 'witness.wtns']
const FULL = ['circuit.wasm', 'circuit.zkey']
const base = path.join(malformed, 'base.wtns')
const ROWS: readonly Row[] = [
  {
    title: 'a PLONK key',
    args: ['prove', path.join(malformed, 'zkey_plonk.zkey'), base],
    code: 'ERR_UNSUPPORTED_PROTOCOL',
    status: 3,
    message: /PLONK/,
  },
  {
    title: 'swapped arguments',
    args: ['fullprove', 'input.json', 'circuit.zkey', 'circuit.wasm'],
    code: 'ERR_BAD_MAGIC',
    status: 3,
    message:
      /argument 2 \(wasm\) is a \.zkey file, argument 3 \(zkey\) is a WebAssembly module: swapped\?/,
  },
  {
    title: 'a witness in the place of the key',
    args: ['prove', 'witness.wtns', 'circuit.zkey'],
    code: 'ERR_BAD_MAGIC',
    status: 3,
    message:
      /argument 1 \(zkey\) is a \.wtns file, argument 2 \(wtns\) is a \.zkey file: swapped\?/,
  },
  {
    title: 'swapped JSON',
    args: ['verify', 'verification_key.json', 'proof.json', 'public.json'],
    code: 'ERR_BAD_MAGIC',
    status: 3,
    message: /argument 2 \(PUBLIC\) is a proof, argument 3 \(PROOF\) is public signals: swapped\?/,
  },
  {
    title: 'a proof as verification key',
    args: ['verify', 'proof.json', 'public.json', 'proof.json'],
    code: 'ERR_BAD_MAGIC',
    status: 3,
    message: /argument 1 \(VK\) is a proof: expected a verification key/,
  },
  {
    title: 'a proving key as verification key',
    args: ['verify', 'circuit.zkey', 'public.json', 'proof.json'],
    code: 'ERR_BAD_MAGIC',
    status: 3,
    message: /argument 1 \(VK\), circuit\.zkey: expected JSON, got a \.zkey file/,
  },
  {
    title: 'a proof as input',
    args: ['fullprove', 'proof.json', ...FULL],
    code: 'ERR_INPUT',
    status: 3,
    message: /argument 1 \(INPUT\) is a proof/,
  },
  {
    title: 'a proof together with its public signals',
    args: ['verify', 'verification_key.json', 'public.json', 'both.json'],
    code: 'ERR_BAD_MAGIC',
    status: 3,
    message: /argument 3 \(PROOF\) is a proof together with its public signals: expected a proof/,
  },
  {
    title: 'an input that is named like a part of a proof',
    args: ['fullprove', 'ic.json', ...FULL],
    code: 'ERR_INPUT',
    status: 3,
    message: /"IC"/,
  },
  {
    title: 'an input that is no object',
    args: ['fullprove', 'array.json', ...FULL],
    code: 'ERR_INPUT',
    status: 3,
    message: /expected an object with the circuit's inputs/,
  },
  {
    title: 'broken JSON',
    args: ['fullprove', 'broken.json', ...FULL],
    code: 'ERR_BAD_MAGIC',
    status: 3,
    message: /argument 1 \(INPUT\), broken\.json: expected JSON, got JSON with a mistake in it/,
  },
  {
    title: 'a cut file',
    args: ['prove', 'cut.zkey', 'witness.wtns'],
    code: 'ERR_TRUNCATED',
    status: 3,
    message: /cut\.zkey.*section \d+.*[\d,]+/,
  },
  {
    title: 'a key that is not the one expected',
    args: [...PROVE, '--sha256', '0'.repeat(64)],
    code: 'ERR_FILE_CHANGED',
    status: 3,
    message: /circuit\.zkey: expected sha256 0{64}, got [0-9a-f]{64}/,
  },
  {
    title: 'a witness of another circuit',
    args: ['prove', LARGER.zkey, 'witness.wtns'],
    code: 'ERR_WITNESS_LENGTH',
    status: 3,
    message: /witness\.wtns.*[\d,]+.*[\d,]+/,
  },
  {
    title: 'an input with too few values',
    args: ['fullprove', 'short.json', ...FULL],
    code: 'ERR_INPUT',
    status: 3,
    message: /signal "merkleProofSiblings": expected 1 value, got 0/,
  },
  {
    title: 'an unknown input',
    args: ['fullprove', 'unknown.json', ...FULL],
    code: 'ERR_INPUT',
    status: 3,
    message: /"passphrase"/,
  },
  {
    title: 'an input that violates the circuit',
    args: ['fullprove', 'wrong.json', ...FULL],
    code: 'ERR_WITNESS',
    status: 3,
    message: /template \w+ line \d+/i,
  },
  {
    title: 'a key without phase 2',
    args: ['prove', path.join(malformed, 'zkey_gamma_is_delta.zkey'), base],
    code: 'ERR_INSECURE_KEY',
    status: 3,
    message: /forge/,
  },
  {
    title: 'too little memory',
    args: [...PROVE, '--memory-limit', '1M'],
    code: 'ERR_LIMIT',
    status: 4,
    message: /needs? .*limit/,
  },
  {
    title: 'a file that is not there',
    args: ['prove', 'absent.zkey', 'witness.wtns'],
    code: 'ERR_IO',
    status: 3,
    message: /absent\.zkey/,
  },
  {
    title: 'a folder',
    args: ['prove', '.', 'witness.wtns'],
    code: 'ERR_IO',
    status: 3,
    message: /directory/,
  },
  {
    title: 'an empty stdin',
    args: ['prove', 'circuit.zkey', '-'],
    code: 'ERR_TRUNCATED',
    status: 3,
    message: /witness, byte 0: .*got 0/,
  },
]

for (const { title, args, code, status, message } of ROWS) {
  test(`${title}: ${code}, exit status ${status}`, async (t) => {
    const options = { cwd: place.folder, stdin: '' }

    const ending = await runCli(args, options)
    const json = await runCli([...args, '--json', '-q'], options)

    assertEnding(t, ending, status)
    t.is(ending.stdout, '')
    t.true(ending.stderr.startsWith(`error ${code}: `), ending.stderr)
    t.regex(ending.stderr, message)
    t.true(ending.stderr.includes(`docs/errors.md#${code.toLowerCase()}`))
    assertEnding(t, json, status)
    t.like(JSON.parse(json.stdout), { schema: 'nalloc/error@1', code })
  })
}

test('--allow-insecure takes a key without phase 2', async (t) => {
  const args = ['prove', path.join(malformed, 'zkey_gamma_is_delta.zkey'), base]

  const ending = await runCli([...args, '--allow-insecure', '--verbose'])

  // The key itself is damaged otherwise, or proves: it is not refused for its phase.
  t.false(ending.stderr.includes('ERR_INSECURE_KEY'), ending.stderr)
})

test('no message, trace or answer repeats an input', async (t) => {
  for (const name of ['broken.json', 'wrong.json', 'short.json', 'unknown.json']) {
    for (const flags of [[], ['-v'], ['--json', '-v']]) {
      const ending = await runCli(['fullprove', name, ...FULL, ...flags], { cwd: place.folder })
      const said = `${ending.stdout}${ending.stderr}`
      const { secret } = readJson<{ secret: string }>(place.folder, 'input.json')

      t.not(ending.status, 0)
      t.false(said.includes(secret.slice(0, 12)), said)
      t.false(said.includes('918273'), said)
      t.false(said.includes(`${R - 1n}`.slice(0, 12)), said)
    }
  }
})

test('--verbose shows where an error came from', async (t) => {
  const ending = await runCli(['prove', 'absent', 'absent', '-v'])

  t.regex(ending.stderr, /\n\s+at /)
})

test('every code has an exit status, and only defects are 70', (t) => {
  const { EXIT_OF_ERROR } = exitCodes
  t.deepEqual(Object.keys(EXIT_OF_ERROR).sort(), [...ERROR_CODES].sort())
  for (const code of ERROR_CODES) t.true([3, 4, 5, 70].includes(EXIT_OF_ERROR[code]), code)
  const defects = ERROR_CODES.filter((code) => EXIT_OF_ERROR[code] === 70)
  t.deepEqual(defects, ['ERR_BUSY', 'ERR_DISPOSED', 'ERR_INTERNAL'])
})
