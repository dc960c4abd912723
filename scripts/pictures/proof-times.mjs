// One Groth16 proof, with nalloc and with snarkjs.

import { newest, readRecords } from './records.mjs'
import { colour, config } from './style.mjs'

const CIRCUIT = 'semaphore-20'

export function proofTimes(theme) {
  const rows = [...newest(readRecords('groth16.csv'), CIRCUIT).values()]
    .map(({ contestant, median }) => ({ prover: contestant, ms: Number(median) }))
    .sort((a, b) => a.ms - b.ms)
  const y = { field: 'prover', type: 'nominal', title: null, sort: null }
  const x = { field: 'ms', type: 'quantitative' }
  return {
    description:
      'Milliseconds of one warm Groth16 proof: nalloc without and with tables, and snarkjs',
    title: 'One warm proof, Semaphore depth 20, two cores: milliseconds',
    width: 560,
    height: 90,
    background: 'transparent',
    data: { values: rows },
    encoding: { y, x: { ...x, axis: null } },
    layer: [
      {
        mark: { type: 'bar', cornerRadiusEnd: 2 },
        encoding: { color: colour('prover', theme) },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6, color: theme.text, fontSize: 13 },
        encoding: { text: { field: 'ms', format: '.0f' } },
      },
    ],
    config: config(theme),
  }
}
