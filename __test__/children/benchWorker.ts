// A contestant that counts its rounds, and fails, or tells figures, where its argument says so.

import { serve } from '../../benches/node/_bench.ts'

const [name = '', failure = ''] = process.argv.slice(2)
let rounds = 0

serve({
  prepare: async (details) => {
    if (failure === 'prepare') throw new Error('no such case')
    return `${name} ${JSON.stringify(details)}`
  },
  round: async () => {
    if (failure === 'round') process.exit(3)
    rounds += 1
    // Touched, so that the peak is above what stays.
    Buffer.alloc(16 << 20, rounds)
    if (failure !== 'told') return undefined
    return { ms: 7, residentBytes: 8, peakBytes: 8, pageFaults: 9 }
  },
  identity: () => `${name}, ${rounds} rounds`,
})

// A prover's threads keep a process alive too.
setInterval(() => undefined, 1_000)
