// Uses arenas and secrets where the runtime refuses native memory in ArrayBuffers, and prints what
// became of it as JSON.

import { Arena, type NallocError, SecretBuf, stats } from 'nalloc'

function failureOf(call: () => unknown): string {
  try {
    call()
    return 'none'
  } catch (error) {
    const { code, message } = error as NallocError
    return `${code}: ${message}`
  }
}

function main(): void {
  const arena = new Arena('1M')
  const secret = SecretBuf.adopt(Uint8Array.of(1, 2, 3))
  const failures = [
    failureOf(() => arena.alloc('u8', 1)),
    failureOf(() => arena.alloc('u8', 1)),
    failureOf(() => secret.withBytes(() => 1)),
    failureOf(() => secret.withBytes(() => 1)),
  ]
  const isWhole = secret.equals(Uint8Array.of(1, 2, 3))
  const { usedBytes } = arena
  arena.dispose()
  secret.dispose()
  const { arenas, escapes } = stats()
  const left = { usedBytes, isWhole, arenas, escapes }
  process.stdout.write(`${JSON.stringify({ failures, left })}\n`)
}

main()
