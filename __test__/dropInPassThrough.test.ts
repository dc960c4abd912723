// What `nalloc/snarkjs` leaves to the application's own snarkjs, in trees with one, without one,
// and with one that does not work.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import * as dropIn from 'nalloc/snarkjs'
import * as snarkjs from 'snarkjs'
import { assertEnding, runNode } from './_child.ts'
import { root, semaphore } from './_repository.ts'

/** Counts its loads, and says how it was called. */
const FAKE = `
globalThis.loads = (globalThis.loads ?? 0) + 1
exports.plonk = Object.freeze({ prove: async (...args) => ['fake', ...args], setup: () => 0 })
exports.zKey = Object.freeze({ exportJson: () => 'json' })
`

interface Tree {
  readonly folder: string
  run(source: string, cwd?: string): ReturnType<typeof runNode>
}

/** An application in a temporary folder, with a copy of nalloc that sees no other package. */
function tree(t: ExecutionContext, snarkjsSource?: string): Tree {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  const nalloc = path.join(folder, 'node_modules/nalloc')
  fs.cpSync(path.join(root, 'dist'), path.join(nalloc, 'dist'), { recursive: true })
  fs.copyFileSync(path.join(root, 'package.json'), path.join(nalloc, 'package.json'))
  if (snarkjsSource !== undefined) install(folder, snarkjsSource)
  return {
    folder,
    run: (source, cwd = folder) => {
      const file = path.join(folder, source.includes('require(') ? 'app.cjs' : 'app.mjs')
      fs.writeFileSync(file, source)
      return runNode([file], cwd)
    },
  }
}

function install(folder: string, source: string): void {
  const place = path.join(folder, 'node_modules/snarkjs')
  fs.mkdirSync(place, { recursive: true })
  fs.writeFileSync(path.join(place, 'package.json'), '{"name":"snarkjs","main":"index.js"}')
  fs.writeFileSync(path.join(place, 'index.js'), source)
}

test('the parts are those of snarkjs, down to their functions', (t) => {
  const { keyCache: _, ...parts } = dropIn as unknown as Record<string, object>
  const theirs = snarkjs as unknown as Record<string, object>

  t.deepEqual(Object.keys(parts).sort(), Object.keys(theirs).sort())
  for (const [name, part] of Object.entries(parts)) {
    t.deepEqual(Object.keys(part).sort(), Object.keys(theirs[name] ?? {}).sort(), name)
  }
  t.deepEqual(Object.keys(dropIn.keyCache), ['keys', 'keyBytes', 'circuits', 'clear'])
  t.false('default' in parts, 'snarkjs has no default export')
})

test('snarkjs is loaded by the first use of a part, once, and not before', async (t) => {
  const { run } = tree(t, FAKE)

  const ending = await run(`
    import * as snarkjs from 'nalloc/snarkjs'
    import { groth16, plonk, zKey } from 'nalloc/snarkjs'
    import { inspect } from 'node:util'
    const say = (...values) => console.log(JSON.stringify(values))
    await plonk
    inspect(plonk)
    String(Object.prototype.toString.call(plonk))
    say(globalThis.loads, typeof groth16.prove, Object.keys(snarkjs).length)
    say(await plonk.prove(1, 2), globalThis.loads)
    const { exportJson } = zKey
    say(exportJson(), 'prove' in plonk, 'nosuch' in plonk, plonk.nosuch, globalThis.loads)
    say(Object.keys(plonk), Object.keys({ ...plonk }), Object.entries(zKey).length)
    say(Reflect.set(plonk, 'prove', 1), Reflect.deleteProperty(plonk, 'prove'))
    say(JSON.stringify(plonk), Object.hasOwn(plonk, 'setup'))
  `)

  assertEnding(t, ending, 0)
  t.deepEqual(ending.stdout.trim().split('\n'), [
    '[null,"function",9]',
    '[["fake",1,2],1]',
    '["json",true,false,null,1]',
    '[["prove","setup"],["prove","setup"],1]',
    '[false,false]',
    '["{}",true]',
  ])
})

test('a CommonJS application gets the same objects', async (t) => {
  const { run } = tree(t, FAKE)

  const ending = await run(`
    const { plonk } = require('nalloc/snarkjs')
    console.log(globalThis.loads)
    import('nalloc/snarkjs').then(async (imported) => {
      console.log(imported.plonk === plonk, await imported.plonk.prove('x'), globalThis.loads)
    })
  `)

  assertEnding(t, ending, 0)
  t.is(ending.stdout, "undefined\ntrue [ 'fake', 'x' ] 1\n")
})

test('there is no default export, as in snarkjs', async (t) => {
  const { run } = tree(t)

  const ending = await run("import snarkjs from 'nalloc/snarkjs'")

  t.regex(ending.stderr, /does not provide an export named 'default'/)
})

const PRINT_ERROR = `
  import { NallocError } from 'nalloc'
  import { fflonk, groth16 } from 'nalloc/snarkjs'
  const uses = [() => fflonk.prove, () => Object.keys(fflonk), () => 'x' in fflonk]
  for (const use of uses) {
    try {
      use()
    } catch (error) {
      console.log(error instanceof NallocError, error.code, error.message)
    }
  }
  console.log(typeof groth16.prove, await fflonk, fflonk[Symbol.toStringTag])
`

test('without snarkjs a use says what to install, and Groth16 is there', async (t) => {
  const { run } = tree(t)

  const ending = await run(PRINT_ERROR)

  assertEnding(t, ending, 0)
  const message =
    'true ERR_SNARKJS_MISSING nalloc/snarkjs proves Groth16 itself and leaves the rest to ' +
    'snarkjs, which is not installed. Install it: npm install snarkjs'
  const lines = ending.stdout.trim().split('\n')
  t.deepEqual(lines.slice(0, 3), [message, message, message])
  t.regex(lines[3] ?? '', /^function .* undefined$/)
})

test('a snarkjs without that part is named as the reason', async (t) => {
  const { run } = tree(t, FAKE)

  const ending = await run(PRINT_ERROR)

  assertEnding(t, ending, 0)
  t.regex(
    ending.stdout,
    /^true ERR_SNARKJS_MISSING the installed snarkjs has no fflonk\. Install a/,
  )
})

test('a snarkjs that fails to load fails with its own error', async (t) => {
  const { run } = tree(t, "throw new Error('their own')")

  const ending = await run(PRINT_ERROR)

  assertEnding(t, ending, 0)
  t.regex(ending.stdout, /^false undefined their own\n/)
})

test('the application comes first, then the working directory, then the place of nalloc', async (t) => {
  const said = (word: string) => `exports.plonk = { prove: () => '${word}' }`
  const program = `
    import { plonk } from 'nalloc/snarkjs'
    console.log(plonk.prove())
  `
  const withOwn = tree(t, said('application'))
  const other = tree(t, said('working directory'))
  const without = tree(t)
  install(path.join(without.folder, 'node_modules/nalloc'), said('beside nalloc'))

  t.is((await withOwn.run(program, other.folder)).stdout, 'application\n')
  t.is((await without.run(program, other.folder)).stdout, 'working directory\n')
  t.is((await without.run(program)).stdout, 'beside nalloc\n')
})

for (const [kind, head] of [
  ['module', "import { groth16 } from 'snarkjs'\nimport fs from 'node:fs'"],
  ['CommonJS', "const { groth16 } = require('snarkjs')\nconst fs = require('fs')"],
] as const) {
  test(`a ${kind} application that changes its import line alone ends by itself`, async (t) => {
    const { zkey, wasm, vk, input } = semaphore(2)
    const body = `
      async function main() {
        const vk = JSON.parse(fs.readFileSync(${JSON.stringify(vk)}, 'utf8'))
        const input = ${JSON.stringify(input)}
        const files = ${JSON.stringify([wasm, zkey])}
        const { proof, publicSignals } = await groth16.fullProve(input, ...files)
        if (!(await groth16.verify(vk, publicSignals, proof))) throw new Error('not valid')
        process.stdout.write('done')
      }
      main()
    `
    const program = `${head}\n${body}`.replace("'snarkjs'", "'nalloc/snarkjs'")
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
    t.teardown(() => fs.rmSync(folder, { recursive: true }))
    fs.mkdirSync(path.join(folder, 'node_modules'))
    fs.symlinkSync(root, path.join(folder, 'node_modules/nalloc'))
    const file = path.join(folder, kind === 'module' ? 'app.mjs' : 'app.cjs')
    fs.writeFileSync(file, program)

    const ending = await runNode([file], folder)

    assertEnding(t, ending, 0)
    t.is(ending.stdout, 'done')
    t.is(ending.killed, undefined)
  })
}
