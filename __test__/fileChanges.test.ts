// Key files that change under an open key, while a key is opened, and while one is proved once: an
// error that says so, or a proof that verifies.

import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { groth16, NallocError, type OpenOptions, type Progress, ProvingKey } from 'nalloc'
import { writeLongFile } from './_longFile.ts'
import { fixtures, sha256 } from './_repository.ts'
import { temporaryFolder } from './_temporary.ts'

const wtns = path.join(fixtures, 'bits.wtns')
const zkey = fs.readFileSync(path.join(fixtures, 'bits.zkey'))
const other = fs.readFileSync(path.join(fixtures, 'dense.zkey'))
/** A section that nobody reads makes the file long, so that it changes before it was read. */
const PADDING_BYTES = 2 ** 26
const ATTEMPTS_MAX = 20

/** Ways to change a file in place, and one to put another in its place. */
const CHANGES = {
  truncated: (file: string) => fs.truncateSync(file, zkey.length / 2),
  emptied: (file: string) => fs.truncateSync(file, 0),
  grown: (file: string) => fs.appendFileSync(file, Buffer.alloc(1)),
  overwritten: (file: string) => writeAt(file, Buffer.alloc(zkey.length, 0xff), 0),
  rewritten: (file: string) => fs.writeFileSync(file, other),
  replaced: (file: string) => {
    fs.writeFileSync(`${file}.new`, other)
    fs.renameSync(`${file}.new`, file)
  },
  removed: (file: string) => fs.rmSync(file),
} satisfies Record<string, (file: string) => void>
const NAMES = Object.keys(CHANGES) as (keyof typeof CHANGES)[]
/** What a file that is already open does not notice. */
const UNSEEN = ['replaced', 'removed']

function writeAt(file: string, bytes: Uint8Array, position: number): void {
  const descriptor = fs.openSync(file, 'r+')
  fs.writeSync(descriptor, bytes, 0, bytes.length, position)
  fs.closeSync(descriptor)
}

/** Calls `change` once, at the first report about the file. */
function atFirstReport(change: () => void): OpenOptions {
  let isChanged = false
  const onProgress = ({ phase }: Progress): void => {
    if (phase !== 'load' || isChanged) return
    isChanged = true
    change()
  }
  return { onProgress }
}

async function provesWith(key: ProvingKey): Promise<boolean> {
  const { proof, publicSignals } = await key.prove(wtns)
  return key.verifyingKey.verify(proof, publicSignals)
}

for (const name of NAMES) {
  test(`a key whose file is ${name} while it is open goes on proving`, async (t) => {
    const file = path.join(temporaryFolder(t), 'key.zkey')
    fs.writeFileSync(file, zkey)
    using key = await ProvingKey.open(file)
    const digest = key.info.sha256

    const running = key.prove(wtns)
    CHANGES[name](file)

    const { proof, publicSignals } = await running
    t.true(await key.verifyingKey.verify(proof, publicSignals))
    t.true(await provesWith(key))
    t.is(key.info.sha256, digest)
  })

  const expected = UNSEEN.includes(name) ? 'a proof' : 'ERR_FILE_CHANGED'

  test(`a key whose file is ${name} while it is opened: ${expected}`, async (t) => {
    const file = path.join(temporaryFolder(t), 'key.zkey')
    const open = async (): Promise<string> => {
      writeLongFile(file, zkey, PADDING_BYTES)
      const key = await ProvingKey.open(
        file,
        atFirstReport(() => CHANGES[name](file)),
      )
      const isValid = await provesWith(key)
      key.dispose()
      return isValid ? 'a proof' : 'an invalid proof'
    }

    await reaches(t, expected, open)
  })

  test(`a key whose file is ${name} in a call that proves once: ${expected}`, async (t) => {
    const file = path.join(temporaryFolder(t), 'key.zkey')
    const vk = path.join(fixtures, 'bits_vk.json')
    const prove = async (): Promise<string> => {
      writeLongFile(file, zkey, PADDING_BYTES)
      const options = atFirstReport(() => CHANGES[name](file))
      const { proof, publicSignals } = await groth16.prove(file, wtns, options)
      const isValid = await groth16.verify(vk, publicSignals, proof)
      return isValid ? 'a proof' : 'an invalid proof'
    }

    await reaches(t, expected, prove)
  })
}

/** The file may have been read when the report arrives; then it must have been the good one. */
async function reaches(
  t: ExecutionContext,
  expected: string,
  work: () => Promise<string>,
): Promise<void> {
  const outcomes = new Set<string>()
  for (let attempt = 0; attempt < ATTEMPTS_MAX && !outcomes.has(expected); attempt += 1) {
    outcomes.add(
      await work().catch((error: unknown) =>
        error instanceof NallocError ? error.code : String(error),
      ),
    )
  }
  const unexpected = [...outcomes].filter((outcome) => ![expected, 'a proof'].includes(outcome))
  t.true(outcomes.has(expected) && unexpected.length === 0, [...outcomes].join(', '))
}

test('a pinned hash refuses another key at the same path, opened or proved once', async (t) => {
  const file = path.join(temporaryFolder(t), 'key.zkey')
  fs.writeFileSync(file, zkey)
  const pinned = { sha256: sha256(zkey) }
  using key = await ProvingKey.open(file, pinned)
  t.true(await provesWith(key))
  t.truthy(await groth16.prove(file, wtns, pinned))

  CHANGES.replaced(file)

  for (const call of [
    () => ProvingKey.open(file, pinned),
    () => groth16.prove(file, wtns, pinned),
    () => ProvingKey.open(other, pinned),
  ]) {
    const error = await t.throwsAsync<NallocError>(call, { code: 'ERR_FILE_CHANGED' })
    t.deepEqual(error?.details, { expected: pinned.sha256, got: sha256(other) })
  }
})

test('a key that everybody can forge is refused unless it is asked for', async (t) => {
  const file = path.join(fixtures, 'malformed/zkey_gamma_is_delta.zkey')
  const witness = path.join(fixtures, 'malformed/base.wtns')
  const bytes = fs.readFileSync(file)

  for (const source of [file, bytes]) {
    await t.throwsAsync(ProvingKey.open(source), { code: 'ERR_INSECURE_KEY' })
    await t.throwsAsync(groth16.prove(source, witness), { code: 'ERR_INSECURE_KEY' })
    await t.throwsAsync(groth16.prove(source, witness, { selfVerify: false }), {
      code: 'ERR_INSECURE_KEY',
    })
    const key = await ProvingKey.open(source, { allowInsecure: true })
    t.is(key.info.nPublic, 2)
    key.dispose()
  }
  const options = { allowInsecure: true, selfVerify: false }
  t.is((await groth16.prove(bytes, witness, options)).proof.protocol, 'groth16')
})

test('a witness file that changes while proofs wait for it is refused or proved', async (t) => {
  const good = fs.readFileSync(wtns)
  const file = path.join(temporaryFolder(t), 'witness.wtns')
  fs.writeFileSync(file, good)
  using key = await ProvingKey.open(zkey)

  const outcomes = Promise.allSettled(Array.from({ length: 40 }, () => key.prove(file)))
  for (let turn = 0; turn < 40; turn += 1) {
    const change = turn % 2 === 0 ? good.length / 2 : good.length
    fs.truncateSync(file, change)
    if (turn % 2 === 1) writeAt(file, good, 0)
    await new Promise((resolve) => setImmediate(resolve))
  }

  for (const outcome of await outcomes) {
    if (outcome.status === 'rejected') {
      const { code } = outcome.reason as NallocError
      // Zeros where the end was cut off and not yet written again satisfy nothing.
      t.true(
        ['ERR_FILE_CHANGED', 'ERR_TRUNCATED', 'ERR_SELF_VERIFY'].includes(code),
        String(outcome.reason),
      )
    } else {
      const { proof, publicSignals } = outcome.value
      t.true(await key.verifyingKey.verify(proof, publicSignals))
    }
  }
})
