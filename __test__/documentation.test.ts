// Runs every @example of the public API, in a folder that holds the files that they name.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import * as nalloc from 'nalloc'
import * as bn254 from 'nalloc/bn254'
import { assertEnding, runNode } from './_child.ts'
import { readJson, root, semaphore } from './_repository.ts'
import { makeWorkplace, promisesOf, type Workplace, writeModule } from './_workplace.ts'

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

let place: Workplace

test.before(async () => {
  place = await makeWorkplace()
})

test.after.always(() => place.remove())

const publicFiles = ['', 'bn254/'].flatMap((folder) =>
  fs
    .readdirSync(path.join(root, 'ts', folder))
    .filter((file) => file.endsWith('.ts') && !file.startsWith('_'))
    .map((file) => folder + file),
)
for (const { title, code } of publicFiles.flatMap(examplesOf)) {
  test(`the example in ${title} runs`, async (t) => {
    const file = writeModule(place.folder, title, code)

    const ending = await runNode([file], place.folder)

    assertEnding(t, ending, 0)
    for (const value of promisesOf(code)) t.true(ending.stdout.includes(value), ending.stdout)
  })
}

test('the Semaphore program proves, and what it writes verifies', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))

  const ending = await runNode([path.join(root, 'build/examples/semaphore.js')], folder)

  assertEnding(t, ending, 0)
  t.regex(ending.stdout, /^verification +[0-9.]+ ms: valid$/m)
  t.regex(ending.stdout, /^altered proof +refused$/m)
  t.is(ending.stderr, '', 'progress is for terminals')
  const publicSignals = readJson<string[]>(folder, 'out/public.json')
  const proof = readJson<nalloc.Groth16Proof>(folder, 'out/proof.json')
  t.true(await nalloc.groth16.verify(semaphore(20).vk, publicSignals, proof))
})

test('every value of the entry points has an example', (t) => {
  const source = publicFiles
    .map((file) => fs.readFileSync(path.join(root, 'ts', file), 'utf8'))
    .join()

  for (const name of [...Object.keys(nalloc), ...Object.keys(bn254)]) {
    const declaration = new RegExp(
      `(/\\*\\*(?:(?!\\*/)[^])*\\*/)\\nexport (?:class|(?:async )?function|const) ${name}\\b`,
    )
    const [, comment = ''] = declaration.exec(source) ?? []
    const isDocumented = comment.includes('@example') || name === 'groth16'
    t.true(isDocumented, `${name}: ${comment}`)
  }
})

test('the declarations that ship name nothing that does not', (t) => {
  for (const folder of ['', 'bn254']) {
    for (const file of fs.readdirSync(path.join(root, 'dist', folder))) {
      if (!file.endsWith('.d.ts')) continue
      const text = fs.readFileSync(path.join(root, 'dist', folder, file), 'utf8')
      t.false(text.replaceAll("'../", folder === '' ? "'../" : "'./").includes('../'), file)
      t.false(text.includes('index.js'), file)
    }
  }
})
