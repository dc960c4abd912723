// Keys for development: they work everywhere, and nobody takes them for others.

import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { groth16, type Progress, ProvingKey, setupUnsafeDev, VerifyingKey } from 'nalloc'
import * as snarkjs from 'snarkjs'
import { fixtures, sha256 } from './_repository.ts'
import { temporaryFolder } from './_temporary.ts'

const NAMES = ['bits', 'no_public', 'many_public', 'dense', 'chain2000']

test.after.always(async () => {
  // snarkjs keeps its worker threads until they are told to go.
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } }
  await curve?.terminate()
})

function circuit(name: string): string {
  return path.join(fixtures, `${name}.r1cs`)
}

async function make(...args: Parameters<typeof setupUnsafeDev>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of setupUnsafeDev(...args)) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function fails(
  t: ExecutionContext,
  args: Parameters<typeof setupUnsafeDev>,
  code: string,
): Promise<void> {
  await t.throwsAsync(async () => make(...args), { code })
}

for (const name of NAMES) {
  test.serial(`a key for ${name} proves and verifies here and in snarkjs`, async (t) => {
    const zkey = await make(circuit(name))
    const wtns = fs.readFileSync(path.join(fixtures, `${name}.wtns`))

    using key = await ProvingKey.open(zkey, { allowInsecure: true })
    const vk = key.verifyingKey.toJSON() as unknown as object
    const ours = await key.prove(wtns)
    const theirs = await snarkjs.groth16.prove(new Uint8Array(zkey), new Uint8Array(wtns))

    t.deepEqual([key.info.unsafeDev, key.verifyingKey.isInsecure], [true, true])
    t.deepEqual(theirs.publicSignals, ours.publicSignals)
    for (const { proof, publicSignals } of [ours, theirs]) {
      const signals = [...publicSignals]
      t.true(await key.verifyingKey.verify(proof as typeof ours.proof, signals))
      t.true(await snarkjs.groth16.verify(vk, signals, proof as snarkjs.Groth16Proof))
    }
    const wrong = ours.publicSignals.map((signal) => (signal === '1' ? '0' : '1'))
    if (wrong.length > 0) t.false(await key.verifyingKey.verify(ours.proof, wrong))
  })
}

test('such a key is refused unless it is allowed', async (t) => {
  const zkey = await make(circuit('bits'))
  const refusal = { code: 'ERR_INSECURE_KEY', message: /--unsafe-dev.*anybody can forge/ }

  await t.throwsAsync(ProvingKey.open(zkey), refusal)
  await t.throwsAsync(VerifyingKey.fromZkey(zkey), refusal)
  await t.throwsAsync(groth16.prove(zkey, path.join(fixtures, 'bits.wtns')), refusal)
  const key = await VerifyingKey.fromZkey(zkey, { allowInsecure: true })
  t.true(key.isInsecure)
  using other = await ProvingKey.open(path.join(fixtures, 'bits.zkey'))
  t.deepEqual([other.info.unsafeDev, other.verifyingKey.isInsecure], [false, false])
})

test('the same circuit gives the same key, from a file and from bytes', async (t) => {
  const bytes = fs.readFileSync(circuit('chain2000'))
  const file = path.join(temporaryFolder(t), 'key.zkey')
  await fs.promises.writeFile(file, setupUnsafeDev(circuit('chain2000')))
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)

  const digests = [fs.readFileSync(file), await make(bytes), await make(shared)].map(sha256)

  t.is(new Set(digests).size, 1)
})

test('what is no circuit is refused by its code', async (t) => {
  const bytes = fs.readFileSync(circuit('bits'))
  const changed = (at: number, byte: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] = byte
    return copy
  }
  // 12 bytes of file header, 12 of the head of section 1.
  const header = 12 + 12

  await fails(t, ['absent.r1cs'], 'ERR_IO')
  await fails(t, [path.join(fixtures, 'bits.zkey')], 'ERR_BAD_MAGIC')
  await fails(t, [bytes.subarray(0, 1000)], 'ERR_TRUNCATED')
  await fails(t, [changed(4, 2)], 'ERR_UNSUPPORTED_VERSION')
  await fails(t, [changed(header + 4, 0)], 'ERR_UNSUPPORTED_CURVE')
  await fails(t, [changed(header + 36, 0)], 'ERR_BAD_HEADER')
  await fails(t, [changed(header + 39, 255)], 'ERR_SECTION_LENGTH')
  await fails(t, [circuit('bits'), { memoryLimit: '1M' }], 'ERR_LIMIT')
  t.throws(() => setupUnsafeDev(5 as never), { instanceOf: TypeError, code: 'ERR_INVALID_ARG' })
  const wrongLimit = { memoryLimit: '12Q' } as never
  t.throws(() => setupUnsafeDev('x', wrongLimit), { code: 'ERR_INVALID_ARG' })
})

test('progress rises to its end, in one phase', async (t) => {
  const seen: Progress[] = []

  await make(circuit('chain2000'), { onProgress: (progress) => void seen.push(progress) })

  t.deepEqual([...new Set(seen.map(({ phase }) => phase))], ['setup'])
  t.is(seen.at(-1)?.ratio, 1)
  const ratios = seen.map(({ ratio }) => ratio)
  t.deepEqual(
    ratios,
    ratios.toSorted((a, b) => a - b),
  )
})

test('a setup can be stopped before it begins, between pieces and by leaving it', async (t) => {
  const reason = new Error('enough')
  const stop = new AbortController()

  t.throws(() => setupUnsafeDev(circuit('bits'), { signal: AbortSignal.abort(reason) }), {
    is: reason,
  })
  const stopped = async (): Promise<void> => {
    for await (const _ of setupUnsafeDev(circuit('bits'), stop)) stop.abort(reason)
  }
  t.is(await t.throwsAsync(stopped), reason)
  for await (const piece of setupUnsafeDev(circuit('bits'))) {
    t.true(piece.length > 0)
    break
  }
  t.true((await make(circuit('bits'))).length > 0)
})
