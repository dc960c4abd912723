// What `npm run bench` says of keys for development: how long one of 2^16 constraints takes.

import fs from 'node:fs'
import path from 'node:path'
import { setupUnsafeDev } from 'nalloc'
import { median, root } from './_bench.ts'
import type { Limit } from './_limits.ts'

/** A chain of 2^16 constraints, less those that its public signals take of the domain. */
export const SETUP_INPUT = 'chain'

const SETUP_MS_MAX = 10_000
const ROUNDS = 3

/** Makes the key of the chain some times, piece by piece; nobody keeps it. */
export async function setupLimit(): Promise<Limit> {
  const r1cs = path.join(root, 'target/circuits', SETUP_INPUT, 'circuit.r1cs')
  const zkey = path.join(root, 'target/circuits', SETUP_INPUT, 'circuit.zkey')
  const all: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMs = performance.now()
    let bytes = 0
    for await (const piece of setupUnsafeDev(r1cs)) bytes += piece.length
    all.push(performance.now() - startMs)
    // That of another setup is as long, but for the section that says which one it is.
    if (bytes < fs.statSync(zkey).size) throw new Error(`expected a whole key, got ${bytes} bytes`)
  }
  const name = `${SETUP_INPUT}: setup --unsafe-dev`
  return { name, unit: 'ms', most: SETUP_MS_MAX, measured: median(all) }
}
