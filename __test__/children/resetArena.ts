// Resets an arena many times and prints how many full collections there were, as JSON.

import { constants, PerformanceObserver } from 'node:perf_hooks'
import { Arena } from 'nalloc'

const MIB = 2 ** 20
/** What a program has that is not garbage: it makes a full collection cost something. */
const LIVE_OBJECTS = 1_000_000

async function main(resets: number, length: number): Promise<void> {
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
  for (let round = 0; round < resets; round += 1) {
    const view = arena.alloc('u64', length, { zero: false })
    view[0] = 1n
    arena.reset()
    lengths.add(view.length)
    if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise((resolve) => setImmediate(resolve))
  observer.disconnect()
  if (live.length !== LIVE_OBJECTS) throw new Error('the heap is not as it was')
  process.stdout.write(JSON.stringify({ collections, lengths: [...lengths] }))
}

main(Number(process.argv[2]), Number(process.argv[3]))
