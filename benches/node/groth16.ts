// Warm Groth16 proofs in one process, ours beside snarkjs: `npm run bench`.
//
// Both are taken at their best: keys and curve are loaded before, snarkjs has its default threads
// and the zkey in memory, both start from the same .wtns bytes. Rounds alternate, so that what the
// machine does meanwhile hits both. Every proof is verified before anything is timed. Ends with 1
// when a target is missed. `-- --record` adds the figures to benches/record/.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Groth16Proof, groth16, ProvingKey } from 'nalloc'
import * as snarkjs from 'snarkjs'

const DEPTH = 20
const ROUNDS = 15
const WARM_UPS = 3
/** How many times faster than snarkjs a warm proof must be. */
const RATIO_MIN = 3
const root = path.resolve(__dirname, '../../..')
const artifacts = path.join(root, 'node_modules/@zk-kit/semaphore-artifacts')

interface Contestant {
  readonly name: string
  readonly prove: () => Promise<{ readonly proof: unknown; readonly publicSignals: string[] }>
  readonly times: number[]
  /** Resident memory after each of its proofs. */
  readonly rssBytes: number[]
}

async function main(): Promise<void> {
  const stem = path.join(artifacts, `semaphore-${DEPTH}`)
  const vk = JSON.parse(fs.readFileSync(`${stem}.json`, 'utf8'))
  const input = path.join(root, `crates/testkit/golden/semaphore-${DEPTH}.input.json`)
  const zkey = new Uint8Array(fs.readFileSync(`${stem}.zkey`))
  const wtns = await witnessBytes(JSON.parse(fs.readFileSync(input, 'utf8')), `${stem}.wasm`)
  const key = await ProvingKey.open(zkey)

  const ours = contestant('nalloc', async () => {
    const { proof, publicSignals } = await key.prove(wtns)
    return { proof, publicSignals: [...publicSignals] }
  })
  const theirs = contestant('snarkjs 0.7.6', () => snarkjs.groth16.prove(zkey, wtns))
  for (const { name, prove } of [ours, theirs]) {
    for (let run = 0; run < WARM_UPS; run += 1) {
      const { proof, publicSignals } = await prove()
      const byUs = await groth16.verify(vk, publicSignals, proof as Groth16Proof)
      const byThem = await snarkjs.groth16.verify(vk, publicSignals, proof as snarkjs.Groth16Proof)
      if (!byUs || !byThem) throw new Error(`${name}: expected a valid proof, got an invalid one`)
    }
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    await measure(ours)
    await measure(theirs)
  }
  const { nConstraints } = key.info
  key.dispose()
  await terminateSnarkjs()

  const machine = describeMachine()
  console.log(machine)
  console.log(
    `Semaphore, depth ${DEPTH}: ${nConstraints} constraints; ${ROUNDS} rounds, alternating\n`,
  )
  console.log('prover         min ms   median ms   largest resident MiB')
  for (const { name, times, rssBytes } of [ours, theirs]) {
    const min = Math.min(...times).toFixed(1)
    const middle = median(times).toFixed(1)
    const rss = (Math.max(...rssBytes) / 2 ** 20).toFixed(0)
    console.log([name.padEnd(13), min.padStart(7), middle.padStart(11), rss.padStart(22)].join(' '))
  }
  console.log(
    'resident: of this one process, which holds both provers; each after its own proofs\n',
  )
  const ratios = [
    ['median', median(theirs.times) / median(ours.times)],
    ['min', Math.min(...theirs.times) / Math.min(...ours.times)],
  ] as const
  const isMet = report(ratios)
  if (process.argv.includes('--record')) record(machine, [ours, theirs])
  process.exitCode = isMet ? 0 : 1
}

function contestant(name: string, prove: Contestant['prove']): Contestant {
  return { name, prove, times: [], rssBytes: [] }
}

async function measure({ prove, times, rssBytes }: Contestant): Promise<void> {
  const startMs = performance.now()
  await prove()
  times.push(performance.now() - startMs)
  rssBytes.push(process.memoryUsage.rss())
}

/** Prints a line for each target and returns whether all are met. */
function report(ratios: readonly (readonly [name: string, ratio: number])[]): boolean {
  const results = ratios.map(([name, ratio]) => {
    const isMet = ratio >= RATIO_MIN
    const target = `>= ${RATIO_MIN.toFixed(1)}x`
    console.log(
      `times faster, ${name.padEnd(7)} target ${target}  measured ${ratio.toFixed(2)}x  ` +
        (isMet ? 'pass' : 'FAIL'),
    )
    return isMet
  })
  return results.every((isMet) => isMet)
}

/** snarkjs makes the .wtns: both provers start from the same bytes. */
async function witnessBytes(input: snarkjs.CircuitSignals, wasm: string): Promise<Uint8Array> {
  const memory: { type: 'mem'; data?: Uint8Array } = { type: 'mem' }
  await snarkjs.wtns.calculate(input, wasm, memory as never)
  if (!memory.data) throw new Error('snarkjs: expected the bytes of a witness, got none')
  return memory.data
}

/** snarkjs keeps its threads for the next proof; without this the process would not end. */
async function terminateSnarkjs(): Promise<void> {
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } }
  await curve?.terminate()
}

function describeMachine(): string {
  const [cpu] = os.cpus()
  const memory = `${(os.totalmem() / 2 ** 30).toFixed(0)} GiB`
  const threads = `${os.availableParallelism()} threads`
  const software = `Linux ${os.release()}, Node ${process.version}`
  return `${cpu?.model ?? 'unknown'}, ${threads}, ${memory}, ${software}`
}

function record(machine: string, contestants: readonly Contestant[]): void {
  const folder = path.join(root, 'benches/record')
  fs.mkdirSync(folder, { recursive: true })
  const file = path.join(folder, 'groth16.csv')
  const isNew = !fs.existsSync(file)
  const date = new Date().toISOString().slice(0, 10)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root })
    .toString()
    .trim()
  const lines = contestants.map(({ name, times, rssBytes }) =>
    [
      date,
      commit,
      `"${machine}"`,
      `semaphore-${DEPTH}`,
      name,
      ROUNDS,
      Math.min(...times).toFixed(2),
      median(times).toFixed(2),
      Math.max(...rssBytes),
    ].join(','),
  )
  const header = 'date,commit,machine,circuit,prover,rounds,min_ms,median_ms,rss_bytes_max'
  fs.appendFileSync(file, `${[...(isNew ? [header] : []), ...lines].join('\n')}\n`)
  console.log(`\nrecorded in ${path.relative(root, file)}`)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[(sorted.length - 1) >> 1] ?? Number.NaN
  const high = sorted[sorted.length >> 1] ?? Number.NaN
  return (low + high) / 2
}

main()
