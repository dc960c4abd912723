// A contestant of groth16.ts: proves with the prover that its argument names, and loads no other.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import readline from 'node:readline'
import { root, type Sample, serve, type Workload } from './_bench.ts'

/** The variable with the path of rapidsnark's `prover`. */
export const RAPIDSNARK_VARIABLE = 'NALLOC_BENCH_RAPIDSNARK'

/** Ours again, with tables of at most so many bytes. */
export const TABLES = 'nalloc, tables'
const TABLE_BYTES_MAX = 32 * 2 ** 20

/** What every contestant starts from. */
export interface Details {
  readonly zkey: string
  readonly wtns: string
}

/** What a contestant answers once it has proven. */
export interface FirstProof {
  /** Absent where the prover has a key of its own and verified its proof itself. */
  readonly proof?: unknown
  readonly publicSignals: readonly string[]
}

const PROVERS: Readonly<Record<string, () => Promise<Workload>>> = {
  nalloc: () => nallocWorkload(0),
  [TABLES]: () => nallocWorkload(TABLE_BYTES_MAX),
  snarkjs: snarkjsWorkload,
  rapidsnark: rapidsnarkWorkload,
  gnark: gnarkWorkload,
}

async function nallocWorkload(tableLimit: number): Promise<Workload> {
  const { ProvingKey, stats } = await import('nalloc')
  let prove: (() => Promise<FirstProof>) | undefined
  let keyBytes = 0
  return {
    prepare: async (details): Promise<FirstProof> => {
      const { zkey, wtns } = details as Details
      const key = await ProvingKey.open(zkey, { tableLimit })
      keyBytes = key.estimate().keyBytes
      const bytes = new Uint8Array(fs.readFileSync(wtns))
      prove = () => key.prove(bytes)
      const { proof, publicSignals } = await prove()
      return { proof, publicSignals }
    },
    round: async () => void (await prove?.()),
    identity: () => {
      const { hits, misses } = stats()
      if (hits + misses === 0 || isSnarkjsAtWork()) {
        throw new Error('expected nalloc alone to prove here')
      }
      const mib = (keyBytes / 2 ** 20).toFixed(1)
      return `nalloc, a key of ${mib} MiB, ${hits} hits and ${misses} misses of its heap`
    },
  }
}

async function snarkjsWorkload(): Promise<Workload> {
  const snarkjs = await import('snarkjs')
  let prove: (() => Promise<FirstProof>) | undefined
  return {
    prepare: async (details): Promise<FirstProof> => {
      const { zkey, wtns } = details as Details
      const [key, witness] = [zkey, wtns].map((file) => new Uint8Array(fs.readFileSync(file)))
      if (key === undefined || witness === undefined) throw new Error('expected two files')
      prove = () => snarkjs.groth16.prove(key, witness)
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

/** A process for each proof, as services that use it start one. */
async function rapidsnarkWorkload(): Promise<Workload> {
  const program = process.env[RAPIDSNARK_VARIABLE] ?? ''
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-rapidsnark-'))
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }))
  const [proof = '', publicSignals = ''] = ['proof.json', 'public.json'].map((name) =>
    path.join(folder, name),
  )
  let args: readonly string[] = []
  const prove = (): void => {
    const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${program}: expected status 0, got ${error ?? stderr}`)
  }
  // The text ends with a zero byte.
  const read = (file: string): unknown =>
    JSON.parse(fs.readFileSync(file, 'utf8').replaceAll('\0', ''))
  return {
    prepare: async (details): Promise<FirstProof> => {
      const { zkey, wtns } = details as Details
      args = [zkey, wtns, proof, publicSignals]
      prove()
      return { proof: read(proof), publicSignals: read(publicSignals) as string[] }
    },
    round: async () => {
      const startMs = performance.now()
      prove()
      const ms = performance.now() - startMs
      return { ms, residentBytes: Number.NaN, peakBytes: Number.NaN, pageFaults: Number.NaN }
    },
    identity: () => `${program}, a process for each proof`,
  }
}

/** benches/peers/gnark-groth16, which proves the chain of powers only. */
async function gnarkWorkload(): Promise<Workload> {
  const program = spawn(gnarkProgram, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = readline.createInterface({ input: program.stdout })[Symbol.asyncIterator]()
  let settings = ''
  const ask = async (request: string): Promise<string> => {
    program.stdin.write(`${request}\n`)
    const { value = 'error: its process ended' } = await lines.next()
    const text = String(value)
    if (!text.startsWith('ok ')) throw new Error(`gnark: ${text}`)
    return text.slice('ok '.length)
  }
  return {
    prepare: async (): Promise<FirstProof> => {
      settings = await ask('prepare')
      return { publicSignals: [] }
    },
    round: async (): Promise<Sample> => {
      const figures = (await ask('round')).split(' ').map(Number)
      const [ms, residentBytes, peakBytes, pageFaults] = figures as [number, number, number, number]
      return { ms, residentBytes, peakBytes, pageFaults }
    },
    identity: () => `${settings}, witness included`,
  }
}

const gnarkProgram = path.join(root, 'target/gnark/prover')

/** Builds gnark's program; why it cannot be had, where that fails. */
export function buildGnark(): string | undefined {
  const cwd = path.join(root, 'benches/peers/gnark-groth16')
  const stdio = ['ignore', 'ignore', 'pipe'] as const
  try {
    execFileSync('go', ['build', '-o', gnarkProgram, '.'], { cwd, stdio: [...stdio] })
    return undefined
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: Buffer }
    return (stderr?.toString().trim() || message).split('\n').at(-1)
  }
}

async function main(name: string): Promise<void> {
  const prover = PROVERS[name]
  if (prover === undefined) throw new Error(`prover: expected a known one, got ${name}`)
  serve(await prover())
}

// groth16.ts takes names from here, too.
if (require.main === module) main(process.argv[2] ?? '')
