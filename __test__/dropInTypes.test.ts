// Compiles users of `nalloc/snarkjs` against the declarations that ship, beside @types/snarkjs and
// without it, with nothing skipped.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import ts from 'typescript'
import { root } from './_repository.ts'

const ASSIGNABLE = `
export const check: typeof import('snarkjs').groth16 = dropIn.groth16
export const parts: Pick<typeof import('snarkjs'), 'plonk' | 'fflonk' | 'zKey'> = dropIn
export const others: Pick<typeof import('snarkjs'), 'powersOfTau' | 'r1cs' | 'wtns'> = dropIn
const theirs: import('snarkjs').Groth16Proof = {} as Groth16Proof
const ours: Groth16Proof = {} as import('snarkjs').Groth16Proof
const plonkProof: import('snarkjs').PlonkProof = {} as PlonkProof
console.log(theirs, ours, plonkProof)
// @ts-expect-error snarkjs has no such function
console.log(dropIn.plonk.nosuch)
`
const BODY = `
const { groth16, keyCache } = dropIn
export async function use(input: CircuitSignals): Promise<PublicSignals> {
  const { proof, publicSignals } = await groth16.fullProve(input, 'c.wasm', 'c.zkey', console)
  proof.pi_a[0] = '1'
  publicSignals.push('1')
  await groth16.prove('c.zkey', { type: 'mem', data: Uint8Array.of(1) }, null, { singleThread: true })
  await groth16.fullProve(input, 'c.wasm', 'c.zkey', undefined, { memorySize: 0 }, {
    signal: AbortSignal.timeout(9),
    memoryLimit: '1G',
  })
  const vk = JSON.parse('{}')
  const isValid: boolean = await groth16.verify(vk, publicSignals, proof, console)
  const callData: string = await groth16.exportSolidityCallData(proof, [1n, 2, '3'])
  keyCache.clear()
  // @ts-expect-error there is no such option
  await groth16.prove('c.zkey', 'w.wtns', undefined, { threads: 1 })
  // @ts-expect-error options are no logger
  await groth16.prove('c.zkey', 'w.wtns', { singleThread: true })
  // @ts-expect-error it is text
  const wrong: number = callData
  console.log(isValid, wrong, keyCache.keys.toFixed(), await dropIn.curves.getCurveFromName('bn128'))
  return publicSignals
}
`
const HEADS = {
  'user.mts': `
import * as dropIn from 'nalloc/snarkjs'
import type { CircuitSignals, Groth16Proof, PlonkProof, PublicSignals } from 'nalloc/snarkjs'
export type Kept = [Groth16Proof, PlonkProof]
`,
  'user.cts': `
import dropIn = require('nalloc/snarkjs')
import type { CircuitSignals, Groth16Proof, PlonkProof, PublicSignals } from 'nalloc/snarkjs'
export type Kept = [Groth16Proof, PlonkProof]
`,
}

/** What the compiler says of a file in a tree with nalloc, and @types/snarkjs or not. */
function diagnose(t: ExecutionContext, name: string, source: string, hasTypes: boolean): string[] {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  const nalloc = path.join(folder, 'node_modules/nalloc')
  fs.cpSync(path.join(root, 'dist'), path.join(nalloc, 'dist'), { recursive: true })
  fs.copyFileSync(path.join(root, 'package.json'), path.join(nalloc, 'package.json'))
  for (const types of ['node', ...(hasTypes ? ['snarkjs'] : [])]) {
    const place = path.join(folder, 'node_modules/@types', types)
    fs.cpSync(path.join(root, 'node_modules/@types', types), place, { recursive: true })
  }
  const undici = path.join(root, 'node_modules/undici-types')
  fs.cpSync(undici, path.join(folder, 'node_modules/undici-types'), { recursive: true })
  const file = path.join(folder, name)
  fs.writeFileSync(file, source)
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    typeRoots: [path.join(folder, 'node_modules/@types')],
    strict: true,
    noEmit: true,
  })
  return ts.getPreEmitDiagnostics(program).map(({ file: where, messageText }) => {
    return `${where?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}

for (const [name, head] of Object.entries(HEADS)) {
  const user = name.endsWith('.mts') ? 'module' : 'CommonJS'

  test(`the drop-in is assignable to @types/snarkjs for a ${user} user`, (t) => {
    t.deepEqual(diagnose(t, name, head + BODY + ASSIGNABLE, true), [])
  })

  test(`a ${user} user needs no @types/snarkjs`, (t) => {
    t.deepEqual(diagnose(t, name, head + BODY, false), [])
  })
}
