// A contestant of groth16.ts: proves with the prover that its argument names, and loads no other.

import fs from 'node:fs'
import path from 'node:path'
import { root, serve, type Workload } from './_bench.ts'

/** What every contestant starts from. */
export interface Details {
  readonly zkey: Uint8Array
  readonly wtns: Uint8Array
}

/** What a contestant answers once it has proven. */
export interface FirstProof {
  readonly proof: unknown
  readonly publicSignals: readonly string[]
  /** Bytes that a proof was said to need and needed, where the prover tells. */
  readonly peaks?: { readonly predictedBytes: number; readonly measuredBytes: number }
}

async function nallocWorkload(): Promise<Workload> {
  const { ProvingKey, stats } = await import('nalloc')
  let prove: (() => Promise<unknown>) | undefined
  return {
    prepare: async (details): Promise<FirstProof> => {
      const { zkey, wtns } = details as Details
      const key = await ProvingKey.open(zkey)
      prove = () => key.prove(wtns)
      const { proof, publicSignals, peakBytes } = await key.prove(wtns)
      const peaks = {
        predictedBytes: key.estimate().peakBytes,
        measuredBytes: peakBytes,
      }
      return { proof, publicSignals, peaks }
    },
    round: async () => void (await prove?.()),
    identity: () => {
      const { hits, misses } = stats()
      if (hits + misses === 0 || isSnarkjsAtWork()) {
        throw new Error('expected nalloc alone to prove here')
      }
      return `nalloc, ${hits} hits and ${misses} misses of its heap`
    },
  }
}

async function snarkjsWorkload(): Promise<Workload> {
  const snarkjs = await import('snarkjs')
  let prove: (() => Promise<FirstProof>) | undefined
  return {
    prepare: async (details): Promise<FirstProof> => {
      const { zkey, wtns } = details as Details
      prove = () => snarkjs.groth16.prove(zkey, wtns)
      return prove()
    },
    round: async () => void (await prove?.()),
    identity: () => {
      const { sharedObjects } = process.report.getReport() as { sharedObjects: string[] }
      if (!isSnarkjsAtWork() || sharedObjects.some((file) => file.endsWith('.node'))) {
        throw new Error('expected snarkjs alone to prove here')
      }
      const manifest = path.join(root, 'node_modules/snarkjs/package.json')
      const { version } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as { version: string }
      return `snarkjs ${version}, its threads, no addon loaded`
    },
  }
}

/** snarkjs leaves its curve with its threads where every module can see it. */
function isSnarkjsAtWork(): boolean {
  return 'curve_bn128' in globalThis
}

async function main(): Promise<void> {
  serve(await (process.argv[2] === 'nalloc' ? nallocWorkload() : snarkjsWorkload()))
}

main()
