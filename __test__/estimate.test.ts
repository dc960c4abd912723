import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { ProvingKey, stats } from 'nalloc'
import { estimate } from './_internal.ts'
import { fixtures, semaphore } from './_repository.ts'

const SEMAPHORE = [1, 10, 20, 32].map((depth) => semaphore(depth).zkey)
const MADE = ['no_public', 'one_constraint', 'dense', 'bits', 'many_public', 'chain2000'].map(
  (name) => path.join(fixtures, `${name}.zkey`),
)
/** Arrays of an open key, and what each may lose to pages of 4 KiB. */
const ARRAYS = 27
const ARRAY_SLACK_BYTES = 2 * 4096
/** Smaller ones come from the C library and are not counted. */
const LARGE_BYTES = 64 * 1024
/** Tables take twice this for each row: all of it is shared in lanes, half of it in plain Rust. */
const TABLE_BYTES_OF_ROW = 32

/** Records of section 4, by its length in the table of sections. */
function coefficientsOf(file: string): number {
  const bytes = fs.readFileSync(file)
  let at = 12
  while (bytes.readUInt32LE(at) !== 4) at += 12 + Number(bytes.readBigUInt64LE(at + 4))
  return (Number(bytes.readBigUInt64LE(at + 4)) - 4) / 44
}

test.serial('the counts of a key alone never say too little of what a proof needs', async (t) => {
  for (const file of [...SEMAPHORE, ...MADE]) {
    using key = await ProvingKey.open(file)

    t.true(estimate.estimateOf(key.info).proofBytes >= key.estimate().peakBytes, file)
  }
})

test.serial('an open key takes what it says and the rest of its pages', async (t) => {
  for (const file of [...SEMAPHORE, ...MADE]) {
    // The tables of its domain stay when a key goes, so they are there before and after.
    ;(await ProvingKey.open(file)).dispose()
    const before = stats().liveBytes
    using key = await ProvingKey.open(file)
    const bytes = stats().liveBytes - before

    const { keyBytes } = key.estimate()

    const context = `${file}: ${bytes} bytes, ${keyBytes} estimated`
    const tableBytes = TABLE_BYTES_OF_ROW * key.info.domainSize
    t.true(bytes >= keyBytes - 2 * tableBytes - ARRAYS * LARGE_BYTES, context)
    t.true(bytes <= keyBytes - tableBytes + ARRAYS * ARRAY_SLACK_BYTES, context)
  }
})

test.serial('the counts of a key alone never say too little of what it takes', async (t) => {
  for (const file of [...SEMAPHORE, ...MADE]) {
    using key = await ProvingKey.open(file)
    const shape = { ...key.info, nCoefficients: coefficientsOf(file) }

    t.true(estimate.estimateOf(shape).keyBytes >= key.estimate().keyBytes, file)
  }
})

test.serial(
  'tables take what the estimate says within their limit, and change no proof',
  async (t) => {
    const { zkey, wasm, input } = semaphore(10)
    const unsafeBlinding = { r: 3, s: 4 }
    const prove = async (options: Parameters<typeof ProvingKey.open>[1]) => {
      using key = await ProvingKey.open(zkey, options)
      const { proof } = await key.fullProve(input, wasm, { unsafeBlinding })
      return { proof, keyBytes: key.estimate().keyBytes }
    }

    const [without, zero, with8M] = [
      await prove({}),
      await prove({ tableLimit: 0 }),
      await prove({ tableLimit: '8M' }),
    ]

    t.deepEqual(zero, without)
    t.deepEqual(with8M.proof, without.proof)
    const tableBytes = with8M.keyBytes - without.keyBytes
    t.true(tableBytes > 0 && tableBytes <= 2 ** 23, `${tableBytes} bytes`)
    await t.throwsAsync(prove({ tableLimit: -1 }), {
      instanceOf: RangeError,
      message: /^tableLimit: /,
    })
  },
)

test('an estimate of the largest counts is finite', (t) => {
  const max = 2 ** 32 - 1
  const shape = { nVars: max, nPublic: max, domainSize: max, nCoefficients: max }

  const { keyBytes, proofBytes } = estimate.estimateOf(shape)

  t.true(Number.isFinite(keyBytes) && keyBytes > 64 * max)
  t.true(Number.isFinite(proofBytes) && proofBytes > 32 * max)
})
