// Allocates from arenas and secrets until it is terminated.

import { workerData } from 'node:worker_threads'
import { Arena, SecretBuf } from 'nalloc'
import { randomWords } from '../_random.ts'

const next = randomWords(workerData as number)
const kept: unknown[] = []

function work(): void {
  const arena = new Arena('2M', { secret: next() % 2 === 0 })
  kept.push(arena.alloc('u8', next() % 2 ** 20).fill(1))
  if (next() % 2 === 0) arena.reset()
  if (next() % 3 === 0) arena.dispose()
  const secret = SecretBuf.random(1 + (next() % 100))
  kept.push(secret.withBytes((bytes) => bytes[0]))
  if (next() % 2 === 0) kept.push(secret)
  if (kept.length > 30) kept.length = 0
}

async function main(): Promise<void> {
  for (;;) {
    work()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

main()
