// Commits to polynomials, opens them and verifies that, with timings: node
// build/examples/kzg_commit_open_verify.js [LOG2 [POLYNOMIALS]]
//
// One polynomial is in memory at a time, whatever their number is; Ctrl-C stops after the step that
// runs. The SRS is made from a tau that everybody knows, for tests alone.

import { stats } from 'nalloc'
import { FrVector, Kzg, type KzgOpening, Polynomial, Srs } from 'nalloc/bn254'

const TAU = 123_456_789n
const POINT = 987_654_321n
const MIB = 2 ** 20

async function main(log2: number, count: number): Promise<void> {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort(new Error('stopped')))
  const { signal } = stop
  const length = 2 ** log2

  const [srsMs, srs] = await timed(() => Srs.unsafeForTests(TAU, length - 1, { signal }))
  using _ = srs
  const kzg = new Kzg(srs)

  const openings: KzgOpening[] = []
  const commitMs: number[] = []
  const openMs: number[] = []
  for (let index = 0; index < count; index += 1) {
    using polynomial = await polynomialOf(length, index, signal)
    const [ms, commitment] = await timed(() => kzg.commit(polynomial, { signal }))
    commitMs.push(ms)
    const [ms2, opening] = await timed(() =>
      kzg.open(polynomial, POINT + BigInt(index), { commitment, signal }),
    )
    openMs.push(ms2)
    openings.push(opening)
  }

  const [first] = openings
  if (first === undefined) throw new Error('expected one polynomial at least')
  const [verifyMs, isValid] = await timed(() => kzg.verify(first))
  const isForgeryValid = await kzg.verify({ ...first, value: first.value ^ 1n })
  const [batchMs, isBatchValid] = await timed(() => kzg.verifyBatch(openings))

  print([
    ['polynomials', `${count} of ${length} coefficients`],
    ['SRS', ms(srsMs)],
    ['commit', `${ms(median(commitMs))} (median)`],
    ['open', `${ms(median(openMs))} (median)`],
    ['verify', `${ms(verifyMs)}: ${isValid ? 'valid' : 'INVALID'}`],
    ['altered value', isForgeryValid ? 'ACCEPTED' : 'refused'],
    ['verify all', `${ms(batchMs)}: ${isBatchValid ? 'valid' : 'INVALID'}`],
    ['peak memory', `${(stats().peakLiveBytes / MIB).toFixed(1)} MiB`],
  ])
}

/** Coefficients that look like any others: multiples of a number, modulo 2^248. */
async function polynomialOf(
  length: number,
  index: number,
  signal: AbortSignal,
): Promise<Polynomial> {
  const bytes = new Uint8Array(32 * length)
  const words = new DataView(bytes.buffer)
  let state = index + 1
  for (let at = 0; at < bytes.length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    // The highest byte stays 0: below r.
    words.setUint32(at, at % 32 === 28 ? state >>> 8 : state, true)
  }
  using vector = await FrVector.fromBytes(bytes, { signal })
  return await Polynomial.fromCoefficients(vector, { signal })
}

async function timed<T>(work: () => Promise<T>): Promise<[ms: number, result: T]> {
  const startMs = performance.now()
  const result = await work()
  return [performance.now() - startMs, result]
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}

function print(lines: readonly (readonly [name: string, text: string])[]): void {
  for (const [name, text] of lines) console.log(`${name.padEnd(14)} ${text}`)
}

const [, , log2 = '16', count = '8'] = process.argv
main(Number(log2), Number(count)).catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
