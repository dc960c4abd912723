// Runs every @example of the public API, in a folder that holds the files that they name.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import * as nalloc from 'nalloc'
import ts from 'typescript'
import { assertEnding, runNode } from './_child.ts'
import { calculator } from './_internal.ts'
import { readJson, root, semaphore } from './_repository.ts'
import { WtnsSink } from './_wtns.ts'

const SMALL = semaphore(1)
let folder = ''

interface Example {
  readonly title: string
  readonly code: string
}

/** The @example blocks of a file, without the comment's stars. */
function examplesOf(file: string): Example[] {
  const text = fs.readFileSync(path.join(root, 'ts', file), 'utf8')
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap(([comment], i) => {
    const lines = comment.split('\n').map((line) => line.replace(/^\s*(\*\/|\* ?|\/\*\*)/, ''))
    const start = lines.indexOf('@example')
    if (start < 0) return []
    const code = lines.slice(start + 1).join('\n')
    return [{ title: `${file} comment ${i + 1}`, code }]
  })
}

test.before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  const inFolder = (name: string) => path.join(folder, name)
  fs.mkdirSync(inFolder('node_modules'))
  fs.symlinkSync(root, inFolder('node_modules/nalloc'))
  fs.copyFileSync(SMALL.zkey, inFolder('circuit.zkey'))
  fs.copyFileSync(SMALL.wasm, inFolder('circuit.wasm'))
  fs.copyFileSync(SMALL.vk, inFolder('verification_key.json'))
  fs.writeFileSync(inFolder('input.json'), JSON.stringify(SMALL.input))
  const module = await calculator.compileCalculator('circuit', fs.readFileSync(SMALL.wasm))
  const sink = await calculator.calculate(module, SMALL.input, (length) => new WtnsSink(length))
  fs.writeFileSync(inFolder('witness.wtns'), sink.file)
  const { proof, publicSignals } = await nalloc.groth16.prove(SMALL.zkey, sink.file)
  fs.writeFileSync(inFolder('proof.json'), JSON.stringify(proof))
  fs.writeFileSync(inFolder('public.json'), JSON.stringify(publicSignals))
})

test.after.always(() => fs.rmSync(folder, { recursive: true, force: true }))

const publicFiles = fs.readdirSync(path.join(root, 'ts')).filter((file) => !file.startsWith('_'))
for (const { title, code } of publicFiles.flatMap(examplesOf)) {
  test(`the example in ${title} runs`, async (t) => {
    const { outputText, diagnostics } = ts.transpileModule(code, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
      reportDiagnostics: true,
    })
    const file = path.join(folder, `${title.replaceAll(/\W/g, '_')}.mjs`)
    fs.writeFileSync(file, outputText)

    const ending = await runNode([file], folder)

    t.deepEqual(diagnostics, [])
    assertEnding(t, ending, 0)
    const promised = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, value]) => value)
    for (const value of promised) t.true(ending.stdout.includes(`${value}`), ending.stdout)
  })
}

test('the Semaphore program proves, and what it writes verifies', async (t) => {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(place, { recursive: true }))

  const ending = await runNode([path.join(root, 'build/examples/semaphore.js')], place)

  assertEnding(t, ending, 0)
  t.regex(ending.stdout, /^verification +[0-9.]+ ms: valid$/m)
  t.regex(ending.stdout, /^altered proof +refused$/m)
  t.is(ending.stderr, '', 'progress is for terminals')
  const publicSignals = readJson<string[]>(place, 'out/public.json')
  const proof = readJson<nalloc.Groth16Proof>(place, 'out/proof.json')
  t.true(await nalloc.groth16.verify(semaphore(20).vk, publicSignals, proof))
})

test('every value of the entry point has an example', (t) => {
  const source = publicFiles
    .map((file) => fs.readFileSync(path.join(root, 'ts', file), 'utf8'))
    .join()

  for (const name of Object.keys(nalloc)) {
    const declaration = new RegExp(
      `(/\\*\\*(?:(?!\\*/)[^])*\\*/)\\nexport (?:class|function|const) ${name}\\b`,
    )
    const [, comment = ''] = declaration.exec(source) ?? []
    const isDocumented = comment.includes('@example') || name === 'groth16'
    t.true(isDocumented, `${name}: ${comment}`)
  }
})

test('the declarations that ship name nothing that does not', (t) => {
  for (const file of fs.readdirSync(path.join(root, 'dist'))) {
    if (!file.endsWith('.d.ts')) continue
    const text = fs.readFileSync(path.join(root, 'dist', file), 'utf8')
    t.false(text.includes('../'), file)
  }
})
