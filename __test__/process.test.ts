import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import { assertEnding, runChild, runNode } from './_child.ts'
import { patterns } from './_processMemory.ts'
import { randomWords } from './_random.ts'
import { golden } from './_repository.ts'
import { temporaryFile, temporaryFolder } from './_temporary.ts'

const ROUNDS = 20
const EXIT_CODE = 7
/** At once, and at each of the first reports. */
const REPORTS_MAX = 4
const SEED = 1
const MOMENTS = 25
/** Longer than the child takes to open, to compute and to prove. */
const MOMENT_MS_MAX = 200

test('the process ends by itself after its last proof', async (t) => {
  const ending = await runChild('proveOnce', [])

  assertEnding(t, ending, 0)
  t.is(ending.stdout, 'done')
})

test('process.exit in the middle of a proof ends with its code, twenty times', async (t) => {
  for (let round = 0; round < ROUNDS; round += 1) {
    assertEnding(t, await runChild('exitInProof', [String(round % REPORTS_MAX)]), EXIT_CODE)
  }
})

test('workers that are terminated in the middle of a proof leave a working process', async (t) => {
  const ending = await runChild('terminateWorkers', [String(ROUNDS)])

  assertEnding(t, ending, 0)
  t.is(ending.stdout, 'done')
})

test('process.exit at any moment ends with its code', async (t) => {
  const random = randomWords(SEED)
  for (let round = 0; round < MOMENTS; round += 1) {
    const ms = random() % MOMENT_MS_MAX
    assertEnding(t, await runChild('exitAtMoment', [String(ms)]), EXIT_CODE)
  }
})

test('workers may be terminated at any moment while others prove', async (t) => {
  const ending = await runChild('terminateAtMoments', [String(MOMENTS), String(SEED)])

  assertEnding(t, ending, 0)
  t.is(ending.stdout, 'done')
})

test('proofs write nothing to any disk, whatever their witness is given as', async (t) => {
  const { file } = await patterns()
  const wtns = temporaryFile(t, 'witness.wtns', file)
  const folder = temporaryFolder(t)
  const input = path.join(golden, 'semaphore-5.input.json')

  const ending = await runChild('proveWithoutTrace', [wtns, input], folder, { TMPDIR: folder })

  assertEnding(t, ending, 0)
  const { calls, disk, files } = JSON.parse(ending.stdout)
  t.deepEqual([disk, files, fs.readdirSync(folder)], [0, [], []])
  // Event loops wake each other with writes of eight bytes; a witness has 50 KiB.
  t.true(calls < file.length / 2, `${calls} bytes written, the witness has ${file.length}`)
})

test('a refusal writes no file and prints nothing', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))

  const ending = await runChild('refusals', [], folder)

  assertEnding(t, ending, 0)
  t.deepEqual([ending.stdout, ending.stderr, fs.readdirSync(folder)], ['', '', []])
})

test('import and require give one instance, of every entry point', async (t) => {
  const program = `
    import { createRequire } from 'node:module'
    import * as imported from 'nalloc'
    import * as groth16 from 'nalloc/groth16'
    import * as bn254 from 'nalloc/bn254'
    const require = createRequire(process.cwd() + '/x.js')
    for (const [one, other] of [
      [imported, require('nalloc')],
      [groth16, require('nalloc/groth16')],
      [bn254, require('nalloc/bn254')],
      [groth16, imported],
    ]) {
      for (const [name, value] of Object.entries(one)) {
        if (name !== 'default' && value !== other[name]) throw new Error(name + ' differs')
      }
    }
    const { ProvingKey, NallocError } = imported
    const error = await ProvingKey.open('absent.zkey').catch((thrown) => thrown)
    if (!(error instanceof require('nalloc').NallocError)) throw error
    if (!(error instanceof NallocError)) throw error
    process.stdout.write(Object.keys(imported).sort().join(' ') + '; ')
    process.stdout.write(Object.keys(bn254).sort().join(' '))
  `

  const ending = await runNode(['--input-type=module', '-e', program])

  assertEnding(t, ending, 0)
  t.is(
    ending.stdout,
    'Arena Circuit ERROR_CODES NallocError ProvingKey SecretBuf VerifyingKey Witness configure ' +
      'environment groth16 memory phase resetPeak setupUnsafeDev stats; FrVector G1Vector Kzg Polynomial ' +
      'Srs msm ntt',
  )
})

test('loading the package loads no addon, and does not keep the process alive', async (t) => {
  const program = `
    const { NallocError } = require('nalloc')
    process.report.excludeNetwork = true
    if (process.report.getReport().sharedObjects.some((file) => file.endsWith('.node'))) {
      throw new Error('an addon is loaded')
    }
    process.stdout.write('done')
  `

  assertEnding(t, await runNode(['-e', program]), 0)
})
