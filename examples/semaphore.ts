// Proves membership in a Semaphore group of up to 2^20 members and tells what it took. `npm start`
// runs it.

import fs from 'node:fs'
import path from 'node:path'
import {
  Circuit,
  type CircuitInputs,
  type Groth16Proof,
  type Progress,
  ProvingKey,
  stats,
  VerifyingKey,
} from 'nalloc'

const DEPTH = 20
const WARM_RUNS = 5
const root = path.resolve(__dirname, '../..')
const artifacts = path.join(root, 'node_modules/@zk-kit/semaphore-artifacts')

async function main(): Promise<void> {
  const stem = path.join(artifacts, `semaphore-${DEPTH}`)
  const inputFile = path.join(root, `crates/testkit/golden/semaphore-${DEPTH}.input.json`)
  const input = JSON.parse(fs.readFileSync(inputFile, 'utf8')) as CircuitInputs

  using key = await ProvingKey.open(`${stem}.zkey`)
  const circuit = await Circuit.open(`${stem}.wasm`)
  const verifyingKey = VerifyingKey.from(`${stem}.json`)

  // The witness stays in native memory; leaving this function wipes it.
  const [witnessMs, witness] = await timed(() => circuit.witness(input))
  using _ = witness
  const [coldMs, { proof, publicSignals }] = await timed(() =>
    key.prove(witness, { onProgress: showProgress }),
  )
  hideProgress()
  const warmMs: number[] = []
  for (let run = 0; run < WARM_RUNS; run += 1) {
    const [ms] = await timed(() => key.prove(witness))
    warmMs.push(ms)
  }

  const [verifyMs, isValid] = await timed(() => verifyingKey.verify(proof, publicSignals))
  const isForgeryValid = await verifyingKey.verify(altered(proof), publicSignals)
  const isOtherValid = await verifyingKey.verify(proof, ['1', ...publicSignals.slice(1)])
  const written = write({ 'proof.json': proof, 'public.json': publicSignals })

  const { nConstraints, nVars, bytes } = key.info
  const { hits, misses, cachedBytes } = stats()
  print([
    ['circuit', `Semaphore, depth ${DEPTH}: ${count(nConstraints)} constraints`],
    ['proving key', `${count(bytes)} bytes`],
    ['witness', `${ms(witnessMs)} (${count(nVars)} signals)`],
    ['proof, cold', ms(coldMs)],
    ['proof, warm', `${ms(median(warmMs))} (median of ${WARM_RUNS})`],
    ['verification', `${ms(verifyMs)}: ${isValid ? 'valid' : 'INVALID'}`],
    ['altered proof', isForgeryValid ? 'ACCEPTED' : 'refused'],
    ['altered public signal', isOtherValid ? 'ACCEPTED' : 'refused'],
    ['peak memory', `${mib(peakResidentBytes())}, the whole process`],
    ['allocator', `${count(hits)} hits, ${count(misses)} misses, ${mib(cachedBytes)} cached`],
    ['written', written.join(', ')],
  ])
  if (!isValid || isForgeryValid || isOtherValid) process.exitCode = 1
}

/** The same proof with A and C exchanged: both are points of the curve. */
function altered(proof: Groth16Proof): Groth16Proof {
  return { ...proof, pi_a: proof.pi_c, pi_c: proof.pi_a }
}

function write(files: Readonly<Record<string, unknown>>): string[] {
  fs.mkdirSync('out', { recursive: true })
  return Object.entries(files).map(([name, value]) => {
    const file = path.join('out', name)
    fs.writeFileSync(file, `${JSON.stringify(value, undefined, 1)}\n`)
    return `./${file}`
  })
}

async function timed<T>(work: () => Promise<T>): Promise<[milliseconds: number, result: T]> {
  const startMs = performance.now()
  const result = await work()
  return [performance.now() - startMs, result]
}

function showProgress({ phase, ratio }: Progress): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${phase} ${Math.round(ratio * 100)} %`)
}

function hideProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}

function print(rows: readonly (readonly [name: string, value: string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, value] of rows) console.log(`${name.padEnd(width)}  ${value}`)
}

/** The most memory that was resident at one time, from the kernel. */
function peakResidentBytes(): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kib) * 1024
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[middle]]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}

const ms = (value: number): string => `${value.toFixed(1)} ms`
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
const count = (value: number): string => value.toLocaleString('en-US')

main()
