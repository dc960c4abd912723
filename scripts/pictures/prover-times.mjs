// Provers that others wrote, with each allocator: the time of a proof, of stock glibc's.

import { newest, readRecords } from './records.mjs'
import { colour, config } from './style.mjs'

const STOCK = 'glibc'
const PROVERS = {
  'p3-keccak': 'Plonky3, Keccak',
  'p3-poseidon2': 'Plonky3, Poseidon2',
  winterfell: 'winterfell',
  'ark-groth16': 'arkworks Groth16',
}
const ALLOCATORS = {
  nalloc: 'nalloc',
  'jemalloc tuned': 'jemalloc, tuned',
  'mimalloc tuned': 'mimalloc, tuned',
  'glibc tuned': 'glibc, tuned',
  jemalloc: 'jemalloc',
  mimalloc: 'mimalloc',
  [STOCK]: 'glibc',
}

export function proverTimes(theme) {
  const records = readRecords('provers.csv')
  const rows = Object.entries(PROVERS).flatMap(([id, prover]) => {
    const times = newest(records, `${id}: warm`)
    const stockMs = Number(times.get(STOCK)?.median)
    return Object.entries(ALLOCATORS)
      .filter(([contestant]) => times.has(contestant))
      .map(([contestant, allocator]) => {
        const ms = Number(times.get(contestant).median)
        return { prover, allocator, share: ms / stockMs, label: `${ms.toFixed(0)} ms` }
      })
  })
  const y = { field: 'allocator', type: 'nominal', title: null, sort: Object.values(ALLOCATORS) }
  const scale = { domain: [0, 1.3], clamp: true }
  const x = { field: 'share', type: 'quantitative', axis: null, scale }
  return {
    description:
      'Time of a warm proof of provers by others, with each allocator: bars as long as a share of ' +
      "stock glibc's time",
    title: 'One warm proof of provers by others with each allocator, two cores',
    background: 'transparent',
    data: { values: rows },
    facet: { field: 'prover', type: 'nominal', title: null, sort: Object.values(PROVERS) },
    columns: 2,
    spacing: { column: 24, row: 18 },
    spec: {
      width: 230,
      height: 126,
      encoding: { y, x },
      layer: [
        {
          mark: { type: 'bar', cornerRadiusEnd: 2 },
          encoding: { color: colour('allocator', theme) },
        },
        {
          mark: { type: 'text', align: 'left', dx: 6, color: theme.text, fontSize: 12 },
          encoding: { text: { field: 'label' } },
        },
      ],
    },
    config: config(theme),
  }
}
