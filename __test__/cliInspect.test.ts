import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { type NallocError, ProvingKey } from 'nalloc'
import { containerOf, primeBytes, u32, u64 } from './_container.ts'
import { inspection, inspectionText } from './_internal.ts'
import { artifacts, fixtures, sha256 } from './_repository.ts'
import { temporaryFile } from './_temporary.ts'
import { elementBytes, PRIME, wtnsOf } from './_wtns.ts'

const { inspectFile } = inspection
const BLS12_381 = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n
const GOLDILOCKS = 0xffffffff00000001n

function filesOf(folder: string, extension: string): string[] {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(extension))
  return names.map((name) => path.join(folder, name))
}

const keys = [...filesOf(fixtures, '.zkey'), ...filesOf(artifacts, '.zkey')]

for (const file of keys) {
  test(`${path.basename(file)} is inspected as the library opens it`, async (t) => {
    using key = await ProvingKey.open(file)

    const found = await inspectFile(file, 'the key')

    const { curve, nPublic, nVars, nConstraints, domainSize, bytes, unsafeDev, ...rest } =
      found as typeof found & typeof key.info
    t.deepEqual(
      { curve, nPublic, nVars, nConstraints, domainSize, bytes, unsafeDev, sha256: rest.sha256 },
      key.info,
    )
    t.like(found, { kind: 'zkey', protocol: 'groth16', isInsecure: false, file: 'the key' })
    t.is(rest.sha256, sha256(fs.readFileSync(file)))
    const predicted = found.kind === 'zkey' && found.protocol === 'groth16' && found.predicted
    t.true(predicted && predicted.proofBytes >= key.estimate().peakBytes)
  })
}

for (const file of filesOf(fixtures, '.wtns')) {
  test(`${path.basename(file)} is inspected without its values`, async (t) => {
    const nVars = (fs.statSync(file).size - 76) / 32

    t.like(await inspectFile(file, 'w'), {
      kind: 'wtns',
      version: 2,
      curve: 'bn128',
      prime: PRIME.toString(),
      nVars,
      secretBytes: nVars * 32,
      sha256: sha256(fs.readFileSync(file)),
    })
  })
}

test('an .r1cs predicts the domain of the key that was made of it', async (t) => {
  for (const file of filesOf(fixtures, '.r1cs')) {
    using key = await ProvingKey.open(file.replace('.r1cs', '.zkey'))

    const found = await inspectFile(file, file)

    if (found.kind !== 'r1cs') throw new Error(`${file}: got ${found.kind}`)
    const { nVars, nPublic, nConstraints, domainSize } = key.info
    t.like(found, { nVars, nPublic, nConstraints, predictedDomainSize: domainSize }, file)
    t.true((found.predicted?.proofBytes ?? 0) >= key.estimate().peakBytes, file)
  }
})

test('other primes are named, or shown when they have no name', async (t) => {
  const r1cs = (length: number, prime: bigint) =>
    containerOf({
      magic: 'r1cs',
      version: 1,
      sections: [
        { id: 2, bytes: Buffer.alloc(12) },
        {
          id: 1,
          bytes: Buffer.concat([primeBytes(length, prime), u32(4, 1, 1, 1), u64(4n), u32(1)]),
        },
        { id: 3, bytes: Buffer.alloc(32) },
      ],
    })
  const inspectR1cs = (length: number, prime: bigint) => {
    const file = temporaryFile(t, 'circuit.r1cs', r1cs(length, prime))
    return inspectFile(file, 'circuit.r1cs')
  }

  const bls = await inspectR1cs(32, BLS12_381)
  const goldilocks = await inspectR1cs(8, GOLDILOCKS)

  t.like(bls, { curve: 'bls12381', predicted: null, predictedDomainSize: 4, nPublic: 2 })
  t.like(goldilocks, { curve: 'unknown', prime: GOLDILOCKS.toString(), predicted: null })
  t.regex(inspectionText.inspectionText(goldilocks), /unknown, of the prime 18446744069414584321/)
})

test('the object has its schema, camelCase names and numbers for bytes', async (t) => {
  const found = await inspectFile(path.join(fixtures, 'unknown_sections.zkey'), 'k')
  const { sections, ...others } = JSON.parse(JSON.stringify(found)) as Record<string, unknown>

  t.deepEqual(Object.keys(others).sort(), [
    'bytes',
    'contributions',
    'curve',
    'domainSize',
    'file',
    'isInsecure',
    'kind',
    'nCoefficients',
    'nConstraints',
    'nPublic',
    'nVars',
    'predicted',
    'prime',
    'protocol',
    'schema',
    'sectionCount',
    'sha256',
    'unsafeDev',
    'version',
  ])
  t.is(others['schema'], 'nalloc/inspect@1')
  const rows = sections as { type: number; name: string | null; offset: number; bytes: number }[]
  t.is(others['sectionCount'], rows.length)
  t.deepEqual(rows.slice(0, 3), [
    { type: 4_000_000_000, name: null, offset: 24, bytes: 0 },
    { type: 77, name: null, offset: 36, bytes: 3 },
    { type: 1, name: 'protocol', offset: 51, bytes: 4 },
  ])
})

test('a key without phase 2 is called what it is', async (t) => {
  const file = path.join(fixtures, 'malformed/zkey_gamma_is_delta.zkey')

  const found = await inspectFile(file, 'k')

  t.like(found, { isInsecure: true })
  t.regex(inspectionText.inspectionText(found), /gamma equals delta, everybody can forge/)
})

test('other files are named', async (t) => {
  const name = (bytes: string | Uint8Array) => {
    const file = temporaryFile(t, 'x', Buffer.from(bytes))
    return inspectFile(file, 'x').then(
      ({ kind }) => kind,
      ({ code, message }: NallocError) => `${code}: ${message.replace(/^.*, got /, '')}`,
    )
  }

  t.is(await name(fs.readFileSync(path.join(artifacts, 'semaphore-1.wasm'))), 'wasm')
  t.is(await name(fs.readFileSync(path.join(artifacts, 'semaphore-1.json'))), 'verificationKey')
  t.is(await name('["1","2"]'), 'public')
  t.is(await name('{"pi_a":[],"protocol":"groth16"}'), 'proof')
  t.is(await name('{"secret":"12"}'), 'ERR_BAD_MAGIC: JSON of another shape.')
  t.is(await name('[12]'), 'ERR_BAD_MAGIC: JSON of another shape.')
  t.is(await name('{"'), 'ERR_TRUNCATED: 2: the file was cut off. Download or copy it again.')
  t.is(await name('{"open'), 'ERR_BAD_MAGIC: JSON of another shape.')
  t.is(await name('\x7fELF...'), 'ERR_BAD_MAGIC: a program.')
  t.is(
    await name(Uint8Array.of(0x1f, 0x8b, 8, 0)),
    'ERR_BAD_MAGIC: a gzip archive: unpack it first.',
  )
  t.is(await name('PK\x03\x04....'), 'ERR_BAD_MAGIC: a zip archive: unpack it first.')
  t.is(
    await name(Buffer.alloc(100)),
    'ERR_BAD_MAGIC: zeros: an unfinished download or a sparse copy.',
  )
  t.is(await name('hello world'), 'ERR_BAD_MAGIC: bytes of no known kind of file.')
  t.regex(await name(''), /^ERR_TRUNCATED/)
})

test('no value of a witness occurs in what is said of it', async (t) => {
  const values = [1n, 0xdeadbeefcafebaben, 2n ** 200n + 12345678901234567890n, PRIME - 987654321n]
  const file = temporaryFile(t, 'secret.wtns', wtnsOf(values))

  const found = await inspectFile(file, 'secret.wtns')
  const said = `${JSON.stringify(found)}\n${inspectionText.inspectionText(found)}`

  for (const value of values.slice(1)) {
    const bytes = elementBytes(value)
    for (const form of [
      value.toString(),
      value.toString(16),
      bytes.toString('hex'),
      bytes.toString('base64').slice(0, 10),
      bytes.toString('latin1').replace(/\0+$/, ''),
    ]) {
      t.false(said.toLowerCase().includes(form.toLowerCase()))
    }
  }
  t.true(said.includes('secret.wtns'), 'control: it says something')
})

test('an abort stops it with the reason, and progress goes up to the end', async (t) => {
  const file = path.join(artifacts, 'semaphore-20.zkey')
  const controller = new AbortController()
  const stop = () => controller.abort(new Error('enough'))

  const stopped = inspectFile(file, 'k', { signal: controller.signal, onProgress: stop })
  const before = inspectFile(file, 'k', { signal: AbortSignal.abort(new Error('before')) })
  const seen: number[] = []
  const { bytes } = await inspectFile(file, 'k', { onProgress: (done) => seen.push(done) })

  await t.throwsAsync(stopped, { message: 'enough' })
  await t.throwsAsync(before, { message: 'before' })
  t.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  )
  t.is(seen.at(-1), bytes)
})
