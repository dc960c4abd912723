// Compiles programs of users against the declarations that ship, with nothing skipped.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import ts from 'typescript'
import { root } from './_repository.ts'

const BODY = `
export async function use(): Promise<void> {
  using key: ProvingKey = await ProvingKey.open('x.zkey', { memoryLimit: '512M' })
  const circuit = await Circuit.open(new URL('file:///x.wasm'), { signal: AbortSignal.timeout(9) })
  using witness: Witness = await circuit.witness({ a: 1n, b: ['2', [3, '0x4']] })
  const { timings, proof }: ProofResult = await key.prove(witness, {
    onProgress: ({ phase, ratio }) => console.log(phase === 'msm', ratio.toFixed()),
    unsafeBlinding: { r: 1n, s: '2' },
  })
  const isValid: boolean = await groth16.verify('vk.json', ['1'], proof)
  console.log(timings.msm?.toFixed(), isValid, stats().memoryLimitBytes ?? 0)
  const outcome: VerifyOutcome = await key.verifyingKey.explain(proof, ['1'])
  console.log(outcome.valid ? 'valid' : outcome.reason + ': ' + outcome.detail)
  const batch: readonly ProofItem[] = [{ proof, publicSignals: ['1'] }]
  console.log(await key.verifyingKey.verifyBatch(batch, { signal: AbortSignal.timeout(9) }))
  const pieces: AsyncGenerator<Uint8Array> = setupUnsafeDev('x.r1cs', { memoryLimit: '1G' })
  console.log((await pieces.next()).done, key.info.unsafeDev, key.verifyingKey.isInsecure)
  const vk: VerifyingKey = await VerifyingKey.fromZkey('x.zkey', { allowInsecure: true })
  console.log(vk.toJSON().vk_alphabeta_12?.length)
  configure({ threads: 2 })
  memory.cacheLimit = '25%'
  memory.memoryLimit = null
  const limits: readonly [number, number | null] = [memory.cacheLimit, memory.memoryLimit]
  resetPeak()
  const { thp, cgroupLimitBytes, warnings }: Environment = await environment()
  console.log(thp.obtainedBytes, cgroupLimitBytes ?? 0, warnings[0]?.fix.length)
  console.log(limits, memory.soften() + memory.release(), stats().keys)
  await groth16.prove(Buffer.of(1), { type: 'mem', data: new Uint8Array(1) }, { selfVerify: false })

  using vector: FrVector = await FrVector.from([1n, 2, '3'], { signal: AbortSignal.timeout(9) })
  using points: G1Vector = await G1Vector.fromBytes(new ArrayBuffer(192), { check: 'none' })
  await ntt.forward(FrVector.alloc(4), { coset: 5n, memoryLimit: '1G' })
  const sum: G1 = await msm(points, vector, { onProgress: ({ ratio }) => console.log(ratio) })
  console.log(sum?.x.toString(), sum === null, vector.at(0) + 1n, (await vector.toBytes()).length)
  using polynomial: Polynomial = await Polynomial.fromCoefficients(vector)
  const { quotient, remainder } = await polynomial.divideByLinear('3', { memoryLimit: '1G' })
  console.log((await quotient.mul(polynomial)).degree + 1, remainder + (await polynomial.evaluate(1)))
  using srs: Srs = await Srs.unsafeForTests(5n, 100, { signal: AbortSignal.timeout(9) })
  const kzg: Kzg = new Kzg(srs)
  const opening: KzgOpening = await kzg.open(polynomial, 1, { commitment: await kzg.commit(polynomial) })
  const areRight: boolean = await kzg.verifyBatch([opening, { ...opening, proof: null }])
  console.log(areRight, opening.value + 1n, srs.maxDegree, await kzg.commitEvaluations(vector))
  const atPoint: KzgOpeningAtPoint = await kzg.openAtPoint([polynomial, quotient], '5', {
    commitments: [opening.commitment, null],
    context: new Uint8Array(32),
  })
  const query: KzgQuery = { polynomial, points: [1, 2n, '3'] }
  const atPoints: KzgOpeningAtPoints = await kzg.openAtPoints([query], { memoryLimit: '1G' })
  const claim: KzgClaim | undefined = atPoints.claims[0]
  console.log(claim?.values[0], await kzg.verifyAtPoints(atPoints, { context: Buffer.of(1) }))
  console.log(await kzg.verifyAtPoint(atPoint, { signal: AbortSignal.timeout(9) }))
  using joined: Srs = Srs.fromShared(srs.share())
  // @ts-expect-error no sum keeps its scalars secret
  console.log(joined.maxDegree, await msm(points, vector, { secret: true }))
  // @ts-expect-error a boolean is no element
  await FrVector.from([true])
  // @ts-expect-error a point is compared to null before it has coordinates
  console.log(sum.x)

  // @ts-expect-error a hash is text
  const wrongField: number = key.info.sha256
  // @ts-expect-error a number is no source
  const wrongSource: Source = 5
  // @ts-expect-error there is no such phase
  const wrongPhase: ProgressPhase = 'cooking'
  // @ts-expect-error there is no such unit
  const wrongSize: Size = '12Q'
  // @ts-expect-error a witness is not made by hand
  const wrongWitness = new Witness()
  // @ts-expect-error a boolean is no signal
  await circuit.witness({ a: true })
  // @ts-expect-error there is no such code
  const wrongCode: ErrorCode = 'ERR_NOPE'
  // @ts-expect-error there is no such reason
  const wrongReason: VerifyFailure = 'nope'
  // @ts-expect-error a number of threads is no text
  configure({ threads: '2' })
  // @ts-expect-error there is no such warning
  const wrongWarning: EnvironmentWarning['id'] = 'too-slow'
  // @ts-expect-error a cache has a limit
  memory.cacheLimit = null
  // @ts-expect-error figures are read
  stats().keys = 1
  console.log(wrongField, wrongSource, wrongPhase, wrongSize, wrongWitness, wrongCode, wrongReason)
  console.log(wrongWarning)
}
`
const HEADS = {
  'user.mts': `
import { configure, environment, groth16, memory, resetPeak, stats, Witness } from 'nalloc'
import type { ErrorCode, ProgressPhase, ProofResult, Size, Source } from 'nalloc'
import type { Environment, EnvironmentWarning, ProofItem } from 'nalloc'
import type { VerifyFailure, VerifyOutcome } from 'nalloc'
import { Circuit, ProvingKey, setupUnsafeDev, VerifyingKey } from 'nalloc/groth16'
import { FrVector, type G1, G1Vector, msm, ntt, Polynomial } from 'nalloc/bn254'
import { Kzg, type KzgOpening, Srs } from 'nalloc/bn254'
import type { KzgClaim, KzgOpeningAtPoint, KzgOpeningAtPoints, KzgQuery } from 'nalloc/bn254'
`,
  'user.cts': `
import nalloc = require('nalloc')
import type { ErrorCode, ProgressPhase, ProofResult, Size, Source } from 'nalloc'
import type { Environment, EnvironmentWarning, ProofItem } from 'nalloc'
import type { VerifyFailure, VerifyOutcome } from 'nalloc'
import groth16Entry = require('nalloc/groth16')
import bn254 = require('nalloc/bn254')
const { FrVector, G1Vector, Kzg, msm, ntt, Polynomial, Srs } = bn254
type Kzg = bn254.Kzg
type KzgClaim = bn254.KzgClaim
type KzgOpening = bn254.KzgOpening
type KzgOpeningAtPoint = bn254.KzgOpeningAtPoint
type KzgOpeningAtPoints = bn254.KzgOpeningAtPoints
type KzgQuery = bn254.KzgQuery
type Srs = bn254.Srs
type Polynomial = bn254.Polynomial
type FrVector = bn254.FrVector
type G1Vector = bn254.G1Vector
type G1 = bn254.G1
const { configure, environment, groth16, memory, resetPeak, stats, Witness } = nalloc
const { Circuit, ProvingKey, setupUnsafeDev, VerifyingKey } = groth16Entry
type ProvingKey = nalloc.ProvingKey
type VerifyingKey = nalloc.VerifyingKey
type Witness = nalloc.Witness
`,
}

for (const [name, head] of Object.entries(HEADS)) {
  test(`the types hold for a ${name.endsWith('.mts') ? 'module' : 'CommonJS'} user`, (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
    t.teardown(() => fs.rmSync(folder, { recursive: true }))
    fs.mkdirSync(path.join(folder, 'node_modules'))
    fs.symlinkSync(root, path.join(folder, 'node_modules/nalloc'))
    const file = path.join(folder, name)
    fs.writeFileSync(file, head + BODY)

    const program = ts.createProgram([file], {
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      typeRoots: [path.join(root, 'node_modules/@types')],
      strict: true,
      noEmit: true,
    })
    const messages = ts.getPreEmitDiagnostics(program).map(({ file: where, messageText }) => {
      return `${where?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })

    t.deepEqual(messages, [])
  })
}
