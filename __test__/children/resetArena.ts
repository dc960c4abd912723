// Resets an arena a thousand times and prints how many full collections there were, as JSON.
// Arguments: how many views in each round, and how many elements of 8 bytes in each. The event loop
// turns after each reset: then V8 ends the collections that it has begun.

import { constants, PerformanceObserver } from 'node:perf_hooks'
import { Arena } from 'nalloc'

const MIB = 2 ** 20
const RESETS = 1000
/** What a program has that is not garbage: it makes a full collection cost something. */
const LIVE_OBJECTS = 1_000_000

async function main(views: number, length: number): Promise<void> {
  const live = Array.from({ length: LIVE_OBJECTS }, (_, i) => ({ i }))
  let collections = 0
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { detail } = entry as unknown as { readonly detail: { readonly kind: number } }
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections += 1
    }
  })
  observer.observe({ entryTypes: ['gc'] })

  using arena = new Arena(256 * MIB)
  const lengths = new Set<number>()
  for (let round = 0; round < RESETS; round += 1) {
    const held = Array.from({ length: views }, () => arena.alloc('u64', length, { zero: false }))
    for (const view of held) view[0] = 1n
    arena.reset()
    for (const view of held) lengths.add(view.length)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise((resolve) => setImmediate(resolve))
  observer.disconnect()
  if (live.length !== LIVE_OBJECTS) throw new Error('the heap is not as it was')
  process.stdout.write(JSON.stringify({ collections, lengths: [...lengths] }))
}

main(Number(process.argv[2]), Number(process.argv[3]))
