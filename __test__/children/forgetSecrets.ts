// Makes secrets that nobody disposes: here, and in a worker that is terminated. Prints how many bytes
// of them are left after a while, as JSON.

import { Worker } from 'node:worker_threads'
import { SecretBuf, stats } from 'nalloc'

const SECRETS = 50
const TURNS_MAX = 300

function makeAndForget(): void {
  for (let i = 0; i < SECRETS; i += 1) SecretBuf.random(100_000).withBytes((bytes) => bytes[0])
}

async function makeInWorker(): Promise<void> {
  const program = `
    const { SecretBuf } = require('nalloc')
    globalThis.kept = Array.from({ length: ${SECRETS} }, () => SecretBuf.random(100_000))
    kept.forEach((secret) => secret.withBytes((bytes) => bytes[0]))
    require('node:worker_threads').parentPort.postMessage('made')
    setInterval(() => {}, 1000)
  `
  const worker = new Worker(program, { eval: true })
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await worker.terminate()
}

/** Collects until no secret is left, or for many turns. */
async function bytesLeft(): Promise<number> {
  const collect = (globalThis as { gc?: () => void }).gc
  for (let turn = 0; turn < TURNS_MAX && stats().secretBytes > 0; turn += 1) {
    collect?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return stats().secretBytes
}

async function main(): Promise<void> {
  makeAndForget()
  const made = stats().secretBytes
  const left = await bytesLeft()
  await makeInWorker()
  const leftOfWorker = await bytesLeft()
  process.stdout.write(JSON.stringify({ isMade: made > SECRETS * 100_000, left, leftOfWorker }))
}

main()
