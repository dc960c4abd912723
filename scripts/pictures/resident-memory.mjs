// Resident memory of a prover over time, with four allocators: two proofs, and then nobody calls.

import { readRecords } from './records.mjs'
import { colour, config } from './style.mjs'

const CASE = 'p3-keccak: over time'
const ALLOCATORS = {
  'nalloc, cache limit 64M': 'nalloc, limit 64M',
  glibc: 'glibc',
  'glibc tuned': 'glibc, tuned',
  'jemalloc tuned': 'jemalloc, tuned',
}

export function residentMemory(theme) {
  const records = readRecords('provers.csv').filter((row) => row.case === CASE)
  const { date, commit } = records.at(-1)
  const rows = records
    .filter((row) => row.date === date && row.commit === commit && row.contestant in ALLOCATORS)
    .map(({ contestant, min, resident_bytes }) => ({
      allocator: ALLOCATORS[contestant],
      seconds: Number(min) / 1000,
      mib: Number(resident_bytes) / 2 ** 20,
    }))
  const axis = { values: [0, 2, 4], grid: false, title: 'seconds' }
  return {
    description:
      'Resident memory over time for four allocators: two proofs of Plonky3, then four seconds in ' +
      'which nobody calls',
    title: 'Resident memory in MiB: two proofs of Plonky3 (Keccak), and then nobody calls',
    background: 'transparent',
    data: { values: rows },
    facet: { field: 'allocator', type: 'nominal', title: null, sort: Object.values(ALLOCATORS) },
    columns: 4,
    spacing: 8,
    spec: {
      width: 125,
      height: 130,
      mark: { type: 'area', opacity: 0.75, line: true, interpolate: 'step-after' },
      encoding: {
        x: { field: 'seconds', type: 'quantitative', axis },
        y: { field: 'mib', type: 'quantitative', axis: { title: null, tickCount: 4 } },
        color: colour('allocator', theme),
      },
    },
    config: config(theme),
  }
}
