// Where things are in a checkout, and the golden vectors with their circuits.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import type { CircuitInputs, Groth16Proof } from 'nalloc'

/** The folder of package.json; this file runs from build/__test__. */
export const root = path.resolve(__dirname, '../..')
export const fixtures = path.join(root, 'build/fixtures')
export const golden = path.join(root, 'crates/testkit/golden')
export const artifacts = path.join(root, 'node_modules/@zk-kit/semaphore-artifacts')

/** A circuit with proofs that other provers made for fixed blinding. */
export interface GoldenCase {
  readonly name: string
  readonly kind: 'synthetic' | 'semaphore'
  readonly zkeySha256: string
  readonly wtnsSha256: string
  readonly nPublic: number
  /** The file with the circuit's input, for the Semaphore ones. */
  readonly input?: string
  readonly vectors: readonly {
    readonly r: string
    readonly s: string
    readonly proof: string
    readonly public: string
  }[]
}

export function readJson<T>(...parts: string[]): T {
  return JSON.parse(fs.readFileSync(path.join(...parts), 'utf8')) as T
}

export function goldenCases(kind: GoldenCase['kind']): GoldenCase[] {
  const { cases } = readJson<{ cases: GoldenCase[] }>(golden, 'INDEX.json')
  return cases.filter((candidate) => candidate.kind === kind)
}

export function goldenProof(name: string): Groth16Proof {
  return readJson(golden, name)
}

/** The files of a Semaphore circuit of some depth, and an input that satisfies it. */
export function semaphore(depth: number): {
  readonly zkey: string
  readonly wasm: string
  readonly vk: string
  readonly input: CircuitInputs
} {
  const stem = path.join(artifacts, `semaphore-${depth}`)
  const input = readJson<CircuitInputs>(golden, `semaphore-${depth}.input.json`)
  return { zkey: `${stem}.zkey`, wasm: `${stem}.wasm`, vk: `${stem}.json`, input }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
