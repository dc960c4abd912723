// The program that test-packages.mjs runs wherever it has installed nalloc: memory, secrets, a proof
// that other provers agreed on, workers, and an end by itself. Its argument is the folder of the
// circuit; it prints what it ran on as JSON. In CommonJS, as half of all users are.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const nalloc = require('nalloc')

const WORKERS = 3

async function main(folder) {
  const imported = await import('nalloc')
  assert.equal(imported.ProvingKey, nalloc.ProvingKey, 'import and require share one instance')
  for (const name of ['groth16', 'snarkjs', 'metrics']) require(`nalloc/${name}`)

  checkArena()
  checkSecret()
  await checkProof(folder)
  await Promise.all(Array.from({ length: WORKERS }, () => checkWorker(folder)))
  const { triple, cpu, version } = await nalloc.environment()
  process.stdout.write(`${JSON.stringify({ triple, cpu, version })}\n`)
}

function checkArena() {
  const arena = new nalloc.Arena('16M')
  const view = arena.alloc('u64', 1000)
  assert.ok(view.every((value) => value === 0n))
  view.fill(7n)
  assert.equal(
    view.reduce((sum, value) => sum + value),
    7000n,
  )
  arena.reset()
  assert.equal(view.length, 0)
  arena.dispose()

  const { liveBytes, rssBytes } = nalloc.stats()
  assert.ok(rssBytes > 0 && liveBytes >= 0)
}

function checkSecret() {
  const secret = nalloc.SecretBuf.random(32)
  assert.equal(`${secret}`, 'SecretBuf(32 bytes, sealed)')
  const sum = secret.withBytes((bytes) => bytes.reduce((all, byte) => all | byte))
  assert.notEqual(sum, 0)
  secret.dispose()
  assert.throws(() => secret.withBytes(() => 0), { code: 'ERR_DISPOSED' })
}

/** The proof for fixed blinding is the golden one, bit for bit; a fresh one verifies. */
async function checkProof(folder) {
  const { input, r, s, proof, publicSignals } = readJson(folder, 'golden.json')
  const key = await nalloc.ProvingKey.open(path.join(folder, 'circuit.zkey'))
  const circuit = await nalloc.Circuit.open(path.join(folder, 'circuit.wasm'))

  const fixed = await key.fullProve(input, circuit, { unsafeBlinding: { r, s } })

  assert.deepEqual(fixed.proof, proof)
  assert.deepEqual(fixed.publicSignals, publicSignals)
  const fresh = await key.fullProve(input, circuit)
  assert.notDeepEqual(fresh.proof, proof)
  assert.ok(await key.verifyingKey.verify(fresh.proof, fresh.publicSignals))
  assert.ok(!(await key.verifyingKey.verify(fresh.proof, [...publicSignals].reverse())))
  key.dispose()
}

function checkWorker(folder) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: { folder } })
    let isVerified = false
    worker.once('message', (message) => {
      isVerified = message === true
    })
    worker.once('error', reject)
    worker.once('exit', (code) => {
      if (isVerified && code === 0) resolve()
      else reject(new Error(`a worker ended with ${code}, verified: ${isVerified}`))
    })
  })
}

async function work({ folder }) {
  const { proof, publicSignals } = readJson(folder, 'golden.json')
  const key = nalloc.VerifyingKey.from(path.join(folder, 'verification_key.json'))
  const arena = new nalloc.Arena('1M')
  arena.alloc('u8', 4096).fill(1)
  parentPort.postMessage(await key.verify(proof, publicSignals))
}

function readJson(...parts) {
  return JSON.parse(fs.readFileSync(path.join(...parts), 'utf8'))
}

if (isMainThread) main(process.argv[2])
else work(workerData)
