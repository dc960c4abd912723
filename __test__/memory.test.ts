// Figures and limits are the process's, so these tests run one after another.

import { execFileSync } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { Circuit, memory, NallocError, ProvingKey, resetPeak, type Size, stats } from 'nalloc'
import { fixtures, root, semaphore } from './_repository.ts'

const zkey = path.join(fixtures, 'chain2000.zkey')
const wtns = path.join(fixtures, 'chain2000.wtns')
const SMALL = semaphore(5)
const MIB = 2 ** 20
/** The largest page that Linux has on our targets. */
const PAGE_BYTES_MAX = 64 * 1024

test.afterEach.always(() => {
  memory.memoryLimit = null
  memory.cacheLimit = 64 * MIB
})

/** The bytes that admission counts. */
function usedBytes(): number {
  const { liveBytes, secretBytes } = stats()
  return liveBytes + secretBytes
}

async function limitError(t: ExecutionContext, call: () => Promise<unknown>): Promise<string> {
  const error = await t.throwsAsync<NallocError>(call, { instanceOf: NallocError })
  t.is(error?.code, 'ERR_LIMIT', error?.message)
  return error?.message ?? ''
}

test.serial('a witness is secret memory until it is disposed', async (t) => {
  const circuit = await Circuit.open(SMALL.wasm)
  const before = stats()

  const witness = await circuit.witness(SMALL.input)
  const held = stats()
  witness.dispose()
  const after = stats()

  const secretBytes = held.secretBytes - before.secretBytes
  const lockedBytes = held.lockedBytes - before.lockedBytes
  t.true(secretBytes >= 32 * witness.length && secretBytes <= 32 * witness.length + PAGE_BYTES_MAX)
  t.true(lockedBytes === secretBytes || lockedBytes === 0, `${lockedBytes} of ${secretBytes}`)
  t.is(held.liveBytes, before.liveBytes, 'a witness has a mapping of its own')
  t.like(after, { secretBytes: before.secretBytes, lockedBytes: before.lockedBytes })
  t.is(after.escapes, 0)
})

test.serial('a key counts until it is disposed and its last proof has ended', async (t) => {
  const { keys } = stats()
  const key = await ProvingKey.open(semaphore(20).zkey)
  const other = await ProvingKey.open(zkey)
  t.is(stats().keys, keys + 2)
  other.dispose()
  t.is(stats().keys, keys + 1)
  const circuit = await Circuit.open(semaphore(20).wasm)
  using witness = await circuit.witness(semaphore(20).input)

  let during: number | undefined
  const proof = key.prove(witness, {
    onProgress: () => {
      during ??= stats().keys
    },
  })
  key.dispose()
  t.is(stats().keys, keys + 1, 'the proof leases it')
  await proof

  t.is(during, keys + 1)
  t.is(stats().keys, keys)
})

test.serial('a proof has two secret arenas, and none when it has ended', async (t) => {
  using key = await ProvingKey.open(semaphore(20).zkey)
  const circuit = await Circuit.open(semaphore(20).wasm)
  using witness = await circuit.witness(semaphore(20).input)
  const before = stats()

  const during: { arenas: number; secretBytes: number }[] = []
  await key.prove(witness, {
    onProgress: ({ phase }) => {
      if (phase === 'msm') during.push(stats())
    },
  })

  t.true(during.length > 0)
  const [first] = during
  t.is(first?.arenas, 2)
  t.true((first?.secretBytes ?? 0) > before.secretBytes + 32 * witness.length)
  t.like(stats(), { arenas: 0, secretBytes: before.secretBytes, liveBytes: before.liveBytes })
})

test.serial('resetPeak begins a new peak, which the next proof raises', async (t) => {
  using key = await ProvingKey.open(zkey)
  await key.prove(wtns)
  t.true(stats().peakLiveBytes > stats().liveBytes)

  resetPeak()

  const { liveBytes, peakLiveBytes } = stats()
  t.is(peakLiveBytes, liveBytes)
  const { peakBytes } = await key.prove(wtns)
  t.true(stats().peakLiveBytes > liveBytes && stats().peakLiveBytes <= liveBytes + peakBytes)
})

test.serial('soften and release give up what is cached', async (t) => {
  using key = await ProvingKey.open(zkey)
  await key.prove(wtns)
  const { cachedBytes, softenedBytes } = stats()
  t.true(cachedBytes > 0)

  t.is(memory.soften(), cachedBytes - softenedBytes)
  const softened = stats()
  t.is(softened.softenedBytes, softened.cachedBytes)
  // Whole huge pages are softened, with what was never touched in them.
  t.true(softened.cachedBytes >= cachedBytes)
  t.is(memory.soften(), 0)
  t.is(memory.release(), softened.cachedBytes)
  t.is(stats().cachedBytes, 0)
  t.is(memory.release(), 0)
  await key.prove(wtns)
})

test.serial('limits are what they were set to, in bytes', (t) => {
  const constrained = process.constrainedMemory()
  const usable = Math.min(os.totalmem(), constrained > 0 ? constrained : Infinity)
  const sizes: [Size, number][] = [
    [1, 1],
    ['512K', 512 * 1024],
    ['1.5M', 1.5 * MIB],
    ['2G', 2048 * MIB],
    ['25%', Math.floor(usable / 4)],
  ]
  for (const [size, bytes] of sizes) {
    memory.cacheLimit = size
    memory.memoryLimit = size
    t.is(memory.cacheLimit, bytes)
    t.is(memory.memoryLimit, bytes)
    t.like(stats(), { cacheLimitBytes: bytes, memoryLimitBytes: bytes })
  }
  memory.cacheLimit = 0
  memory.memoryLimit = null
  t.deepEqual([memory.cacheLimit, memory.memoryLimit], [0, null])
})

test.serial('a size that is none is refused by name and changes nothing', (t) => {
  memory.cacheLimit = 7
  memory.memoryLimit = 9
  const wrong = [undefined, true, {}, 1n, '', '1', '1Q', '-1M', 'M', 1.5, -1, NaN, 2 ** 53]
  for (const name of ['cacheLimit', 'memoryLimit'] as const) {
    const extra = name === 'memoryLimit' ? [0, '0%'] : [null]
    for (const size of [...wrong, ...extra]) {
      const error = t.throws(() => {
        memory[name] = size as Size
      })
      t.true(error instanceof TypeError || error instanceof RangeError, error?.message)
      t.is((error as NallocError).code, 'ERR_INVALID_ARG')
      t.true(error?.message.startsWith(`${name}: expected `), error?.message)
    }
  }
  t.deepEqual([memory.cacheLimit, memory.memoryLimit], [7, 9])
})

test.serial('a proof above the memory limit is refused before it takes anything', async (t) => {
  using key = await ProvingKey.open(zkey)
  const needed = key.estimate().peakBytes

  memory.memoryLimit = usedBytes() + needed - 1
  resetPeak()
  const { liveBytes } = stats()
  const message = await limitError(t, () => key.prove(wtns))

  t.regex(
    message,
    /^the proof: needs about [0-9.]+ MiB, limit [0-9.]+ MiB \(memory\.memoryLimit\) with [0-9.]+ [KM]iB in use\. Raise it, or dispose keys, witnesses and arenas that are not needed$/,
  )
  t.is(stats().peakLiveBytes, liveBytes)
  memory.memoryLimit = usedBytes() + needed
  await key.prove(wtns)
  t.true(stats().peakLiveBytes <= (memory.memoryLimit ?? 0))
})

test.serial('NALLOC_MEMORY_LIMIT refuses with ERR_LIMIT and ends no process', (t) => {
  const program = `
    const { memory, ProvingKey, stats } = require('nalloc')
    ProvingKey.open(${JSON.stringify(semaphore(20).zkey)}).catch(({ code }) => {
      console.log(JSON.stringify([memory.memoryLimit, stats().memoryLimitBytes, code]))
    })`
  const env = { ...process.env, NALLOC_MEMORY_LIMIT: '1M' }

  const said = execFileSync(process.execPath, ['-e', program], { cwd: root, env, encoding: 'utf8' })

  t.deepEqual(JSON.parse(said), [MIB, MIB, 'ERR_LIMIT'])
})

test.serial('a witness that is held already is not counted twice', async (t) => {
  using key = await ProvingKey.open(semaphore(20).zkey)
  const circuit = await Circuit.open(semaphore(20).wasm)
  using witness = await circuit.witness(semaphore(20).input)
  const rest = key.estimate().peakBytes - 32 * witness.length

  memory.memoryLimit = usedBytes() + rest
  await key.prove(witness)
  // The witness has whole pages, and less than one of them is nobody's.
  memory.memoryLimit = usedBytes() + rest - PAGE_BYTES_MAX
  await limitError(t, () => key.prove(witness))
})

test.serial('a key above the memory limit is refused before it is read', async (t) => {
  const { keys, liveBytes } = stats()
  memory.memoryLimit = usedBytes() + 100_000
  resetPeak()

  const message = await limitError(t, () => ProvingKey.open(zkey))

  t.true(/^opening the key: needs about 1\.\d MiB, limit /.test(message), message)
  t.like(stats(), { keys, liveBytes, peakLiveBytes: liveBytes })
  memory.memoryLimit = null
  const key = await ProvingKey.open(zkey)
  key.dispose()
})

test.serial('the smaller one of two limits is the one that is named', async (t) => {
  using key = await ProvingKey.open(zkey)
  memory.memoryLimit = '1G'
  const asked = await limitError(t, () => key.prove(wtns, { memoryLimit: '1K' }))
  memory.memoryLimit = 2
  const general = await limitError(t, () => key.prove(wtns, { memoryLimit: '1K' }))

  t.regex(asked, /^the proof: expected at most 1024 bytes of memory/)
  t.regex(general, /memory\.memoryLimit/)
})

test.serial('a worker meets the limit of its process', async (t) => {
  memory.memoryLimit = 1
  const program = `
    const { ProvingKey } = require(${JSON.stringify(root)})
    const { parentPort, workerData } = require('node:worker_threads')
    ProvingKey.open(workerData).catch(({ code }) => parentPort.postMessage(code))
  `
  const worker = new Worker(program, { eval: true, workerData: zkey })

  const code = await new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
  })
  await worker.terminate()

  t.is(code, 'ERR_LIMIT')
})
