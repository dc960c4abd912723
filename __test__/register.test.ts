// `nalloc/register`: applications that import snarkjs, with no line of them changed.

import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { assertEnding, type Ending, runNode } from './_child.ts'
import { root, semaphore } from './_repository.ts'
import { packageWithoutAddon, temporaryFolder } from './_temporary.ts'

const IMPORT = ['--import', 'nalloc/register']
const REQUIRE = ['--require', 'nalloc/register']
/** What `describe` says of a groth16 that is ours, and of one that is snarkjs'. */
const OURS = 'ours'
const THEIRS = 'theirs'

/** Shows whose function a `groth16.prove` is: ours refuses such arguments with a code. */
const DESCRIBE = `
  const describe = async ({ prove }) => {
    const outcome = await Promise.resolve().then(() => prove(0, 0)).catch((error) => error.code)
    return outcome === 'ERR_INVALID_ARG' ? '${OURS}' : outcome
  }
`

interface Application {
  readonly folder: string
  /** Writes a file into it. */
  write(name: string, source: string): string
  /** Runs a source in it, as a module or as CommonJS, with nalloc registered. */
  run(source: string, variables?: Readonly<Record<string, string>>): Promise<Ending>
}

/** An application in a folder of its own; `nalloc` is the folder of the package. */
function application(t: ExecutionContext, nalloc = root, flags = IMPORT): Application {
  const folder = temporaryFolder(t)
  fs.mkdirSync(path.join(folder, 'node_modules'))
  fs.symlinkSync(nalloc, path.join(folder, 'node_modules/nalloc'))
  const write = (name: string, source: string): string => {
    const file = path.join(folder, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, source)
    return file
  }
  const run: Application['run'] = (source, variables) => {
    const file = write(source.includes('require(') ? 'app.cjs' : 'app.mjs', source)
    return runNode([...flags, file], folder, variables)
  }
  return { folder, write, run }
}

/** A snarkjs with snarkjs' own layout, whose functions say which copy they are of. */
function installSnarkjs({ write }: Application, place: string, copy: string): void {
  const groth16 = `{ prove: async () => '${THEIRS}', later: () => 'later ${copy}' }`
  const manifest = {
    name: 'snarkjs',
    type: 'module',
    main: './build/main.cjs',
    exports: { '.': { node: { import: './main.js', require: './build/main.cjs' } } },
  }
  write(`${place}/package.json`, JSON.stringify(manifest))
  write(
    `${place}/main.js`,
    `export const groth16 = Object.freeze(${groth16})
     export const plonk = { prove: () => 'plonk ${copy}' }
     export const cut = await Promise.resolve('${copy}')`,
  )
  write(
    `${place}/build/main.cjs`,
    `'use strict'
     Object.defineProperty(exports, '__esModule', { value: true })
     exports.groth16 = Object.freeze(${groth16})
     exports.plonk = { prove: () => 'plonk ${copy}' } // the end of the file`,
  )
}

function assertSaid(t: ExecutionContext, ending: Ending, lines: readonly string[]): void {
  assertEnding(t, ending, 0)
  t.is(ending.stderr, '')
  t.deepEqual(ending.stdout.trim().split('\n'), lines)
}

for (const [name, flags] of [
  ['--import', IMPORT],
  ['--require', REQUIRE],
  ['both', [...IMPORT, ...REQUIRE]],
] as const) {
  test(`${name}: whatever way a module imports snarkjs, its groth16 is ours`, async (t) => {
    const app = application(t, root, [...flags])
    installSnarkjs(app, 'node_modules/snarkjs', 'one')
    app.write('wrapper.cjs', "module.exports = require('snarkjs')")

    const ending = await app.run(`${DESCRIBE}
      import { createRequire } from 'node:module'
      import { groth16 } from 'snarkjs'
      import * as namespace from 'snarkjs'
      import { groth16 as required } from './wrapper.cjs'
      import wrapper from './wrapper.cjs'
      import { groth16 as direct } from './node_modules/snarkjs/build/main.cjs'
      const dynamic = await import('snarkjs')
      const resolved = await import(import.meta.resolve('snarkjs'))
      const cjs = createRequire(import.meta.url)('snarkjs')
      for (const found of [groth16, namespace.groth16, dynamic.groth16, resolved.groth16]) {
        console.log(await describe(found), found === groth16)
      }
      for (const found of [required, wrapper.groth16, direct, cjs.groth16]) {
        console.log(await describe(found), found === cjs.groth16)
      }
      console.log(Object.keys(namespace).join(), namespace.cut, Object.keys(cjs).join())
    `)

    const each = Array.from({ length: 8 }, () => `${OURS} true`)
    assertSaid(t, ending, [...each, 'cut,groth16,plonk one groth16,plonk'])
  })

  test(`${name}: whatever way CommonJS requires snarkjs, its groth16 is ours`, async (t) => {
    const app = application(t, root, [...flags])
    installSnarkjs(app, 'node_modules/snarkjs', 'one')

    const ending = await app.run(`${DESCRIBE}
      const snarkjs = require('snarkjs')
      const { groth16 } = require('snarkjs')
      // What TypeScript makes of an import of everything, and of a default.
      const everything = Object.assign({ default: snarkjs }, snarkjs)
      const direct = require('./node_modules/snarkjs/build/main.cjs')
      async function main() {
        const imported = await import('snarkjs')
        for (const found of [snarkjs, { groth16 }, everything, everything.default, direct]) {
          console.log(await describe(found.groth16), found.groth16 === groth16)
        }
        console.log(await describe(imported.groth16), imported.plonk.prove(), snarkjs.__esModule)
      }
      main()
    `)

    const each = Array.from({ length: 5 }, () => `${OURS} true`)
    assertSaid(t, ending, [...each, `${OURS} plonk one true`])
  })
}

test('of several copies each importer keeps its own, but for groth16', async (t) => {
  const app = application(t)
  installSnarkjs(app, 'node_modules/snarkjs', 'outer')
  installSnarkjs(app, 'node_modules/library/node_modules/snarkjs', 'inner')
  installSnarkjs(app, 'node_modules/snarkjs-old', 'alias')
  app.write('node_modules/library/package.json', '{"name":"library"}')
  app.write('node_modules/library/module.mjs', "export * from 'snarkjs'")
  app.write('node_modules/library/common.cjs', "module.exports = require('snarkjs')")

  const ending = await app.run(`${DESCRIBE}
    import { createRequire } from 'node:module'
    import * as inner from 'library/module.mjs'
    import common from 'library/common.cjs'
    import * as outer from 'snarkjs'
    import * as alias from 'snarkjs-old'
    const require_ = createRequire(import.meta.url)
    for (const found of [inner, common, outer, require_('snarkjs'), alias]) {
      const { groth16, plonk } = found
      console.log(await describe(groth16), plonk.prove(), groth16.later())
    }
  `)

  const copies = ['inner', 'inner', 'outer', 'outer', 'alias']
  const lines = copies.map((copy) => `${OURS} plonk ${copy} later ${copy}`)
  assertSaid(t, ending, lines)
})

test('what is no entry of a snarkjs is left alone', async (t) => {
  const app = application(t)
  installSnarkjs(app, 'node_modules/snarkjs', 'one')
  const groth16 = `{ prove: async () => '${THEIRS}' }`
  app.write('node_modules/snarkjs/src/main.js', `export const groth16 = ${groth16}`)
  app.write('node_modules/snarkjs/build/cli.cjs', `exports.groth16 = ${groth16}`)
  app.write('node_modules/not-snarkjs/package.json', '{"name":"not-snarkjs"}')
  app.write('node_modules/not-snarkjs/index.js', `exports.groth16 = ${groth16}`)
  app.write('node_modules/snarkjs-cut/package.json', '{"name":"snarkjs", ')
  app.write('node_modules/snarkjs-cut/inner/file.mjs', `export const groth16 = ${groth16}`)
  app.write('node_modules/snarkjs-page/package.json', '{"name":"snarkjs","main":"page.js"}')
  app.write('node_modules/snarkjs-page/page.js', 'globalThis.page = 1')

  const ending = await app.run(`${DESCRIBE}
    import * as source from './node_modules/snarkjs/src/main.js'
    import * as cli from './node_modules/snarkjs/build/cli.cjs'
    import * as other from 'not-snarkjs'
    import page from 'snarkjs-page'
    for (const { groth16 } of [source, cli, other]) console.log(await describe(groth16))
    console.log(globalThis.page, Object.keys(page).length)
  `)

  assertSaid(t, ending, [THEIRS, THEIRS, THEIRS, '1 0'])
})

test('without an import of snarkjs nothing of nalloc is loaded but the hooks', async (t) => {
  const { run } = application(t)

  const ending = await run(`
    const loaded = Object.keys(require.cache).map((file) => require('node:path').basename(file))
    console.log(loaded.includes('register.js'), loaded.includes('snarkjs.js'))
    process.report.excludeNetwork = true
    const { sharedObjects } = process.report.getReport()
    console.log(sharedObjects.some((file) => file.endsWith('.node')))
  `)

  assertSaid(t, ending, ['true false', 'false'])
})

test('worker threads inherit it', async (t) => {
  const app = application(t)
  installSnarkjs(app, 'node_modules/snarkjs', 'one')
  const body = 'describe(groth16).then((whose) => parentPort.postMessage(whose))'
  app.write(
    'worker.mjs',
    `${DESCRIBE}
     import { parentPort } from 'node:worker_threads'
     import { groth16 } from 'snarkjs'
     ${body}`,
  )
  app.write(
    'worker.cjs',
    `${DESCRIBE}
     const { parentPort } = require('node:worker_threads')
     const { groth16 } = require('snarkjs')
     ${body}`,
  )

  const ending = await app.run(`
    import { Worker } from 'node:worker_threads'
    for (const file of ['./worker.mjs', './worker.cjs']) {
      const worker = new Worker(new URL(file, import.meta.url))
      console.log(await new Promise((resolve) => worker.once('message', resolve)))
    }
    process.stdout.write('done')
  `)

  assertSaid(t, ending, [OURS, OURS, 'done'])
})

/** A program that proves with a Semaphore circuit by snarkjs' names, and says what nalloc opened. */
function proving(head: string): string {
  const { zkey, wasm, vk, input } = semaphore(2)
  return `
    ${head}
    async function main() {
      const vk = JSON.parse(fs.readFileSync(${JSON.stringify(vk)}, 'utf8'))
      const files = ${JSON.stringify([wasm, zkey])}
      const { proof, publicSignals } = await groth16.fullProve(${JSON.stringify(input)}, ...files)
      const text = await groth16.exportSolidityCallData(proof, publicSignals)
      console.log(await groth16.verify(vk, publicSignals, proof), JSON.parse('[' + text + ']').length)
      console.log(keyCache.keys, keyCache.circuits, typeof plonk.setup)
      process.stdout.write('done')
    }
    main()
  `
}

for (const [kind, head] of [
  ['module', (name: string, ids: string) => `import ${ids} from '${name}'`],
  ['CommonJS', (name: string, ids: string) => `const ${ids} = require('${name}')`],
] as const) {
  test(`a ${kind} application of the real snarkjs proves here, and ends by itself`, async (t) => {
    const { folder, run } = application(t)
    fs.symlinkSync(path.join(root, 'node_modules/snarkjs'), `${folder}/node_modules/snarkjs`)
    const heads = [
      head('snarkjs', '{ groth16, plonk }'),
      head('nalloc/snarkjs', '{ keyCache }'),
      head('node:fs', 'fs'),
    ]

    const ending = await run(proving(heads.join('\n')))

    assertSaid(t, ending, ['true 4', '1 1 function', 'done'])
    t.is(ending.killed, undefined)
  })

  test(`@semaphore-protocol/proof proves and verifies here, as ${kind}`, async (t) => {
    const { folder, run } = application(t)
    const linked = ['@semaphore-protocol', '@zk-kit']
    for (const name of linked) {
      fs.symlinkSync(path.join(root, 'node_modules', name), `${folder}/node_modules/${name}`)
    }
    const { wasm, zkey } = semaphore(10)
    const source = `
      ${head('nalloc/snarkjs', '{ keyCache }')}
      ${head('@semaphore-protocol/proof', '{ generateProof, verifyProof }')}
      ${head('@semaphore-protocol/identity', '{ Identity }')}
      ${head('@semaphore-protocol/group', '{ Group }')}
      async function main() {
        const identity = new Identity('a secret of the tests')
        const group = new Group([1n, identity.commitment, 3n])
        const artifacts = ${JSON.stringify({ wasm, zkey })}
        const proof = await generateProof(identity, group, 'message', 'scope', 10, artifacts)
        console.log(await verifyProof(proof), keyCache.keys, keyCache.circuits)
        console.log(await verifyProof({ ...proof, message: String(BigInt(proof.message) + 1n) }))
        process.stdout.write('done')
      }
      main()
    `

    const ending = await run(source)

    assertSaid(t, ending, ['true 1 1', 'false', 'done'])
    t.is(ending.killed, undefined)
  })
}

test('NODE_OPTIONS registers it too, and the process ends by itself', async (t) => {
  const { folder, run } = application(t, root, [])
  fs.symlinkSync(path.join(root, 'node_modules/snarkjs'), `${folder}/node_modules/snarkjs`)
  const heads = [
    "import { groth16, plonk } from 'snarkjs'",
    "import { keyCache } from 'nalloc/snarkjs'",
    "import fs from 'node:fs'",
  ]

  const ending = await run(proving(heads.join('\n')), {
    NODE_OPTIONS: '--import=nalloc/register',
  })

  assertSaid(t, ending, ['true 4', '1 1 function', 'done'])
  t.is(ending.killed, undefined)
})

test('the rest of the real snarkjs is at work as before', async (t) => {
  const { folder, run } = application(t)
  fs.symlinkSync(path.join(root, 'node_modules/snarkjs'), `${folder}/node_modules/snarkjs`)
  const { zkey, vk } = semaphore(1)

  const ending = await run(`
    import fs from 'node:fs'
    import { isDeepStrictEqual } from 'node:util'
    import { zKey } from 'snarkjs'
    const exported = await zKey.exportVerificationKey(${JSON.stringify(zkey)})
    const vk = JSON.parse(fs.readFileSync(${JSON.stringify(vk)}, 'utf8'))
    console.log(isDeepStrictEqual(exported.IC, vk.IC), exported.nPublic === vk.nPublic)
    // snarkjs keeps threads.
    process.exit()
  `)

  assertSaid(t, ending, ['true true'])
})

const PRINT_BOTH = `
  import { groth16 } from 'snarkjs'
  import { groth16 as ours } from 'nalloc/snarkjs'
  for (const prove of [groth16.prove, ours.prove]) {
    console.log(await prove('x.zkey', 'x.wtns').catch((error) => error.code))
  }
`

test('without a binary for the platform a use is the clear error', async (t) => {
  const app = application(t, packageWithoutAddon(t))
  installSnarkjs(app, 'node_modules/snarkjs', 'one')

  assertSaid(t, await app.run(PRINT_BOTH), ['ERR_BINARY_MISSING', 'ERR_BINARY_MISSING'])
  const other = await app.run(PRINT_BOTH, { NALLOC_FALLBACK: '0' })
  assertSaid(t, other, ['ERR_BINARY_MISSING', 'ERR_BINARY_MISSING'])
})

test('with NALLOC_FALLBACK=1 snarkjs proves there, which is said once for all threads', async (t) => {
  const app = application(t, packageWithoutAddon(t))
  installSnarkjs(app, 'node_modules/snarkjs', 'one')
  app.write('worker.mjs', PRINT_BOTH)

  const ending = await app.run(
    `${PRINT_BOTH}
    import { Worker } from 'node:worker_threads'
    const file = new URL('worker.mjs', import.meta.url)
    const workers = [new Worker(file), new Worker(file)]
    await Promise.all(workers.map((worker) => new Promise((end) => worker.once('exit', end))))`,
    { NALLOC_FALLBACK: '1' },
  )

  assertEnding(t, ending, 0)
  t.deepEqual(
    ending.stdout.trim().split('\n'),
    Array.from({ length: 6 }, () => THEIRS),
  )
  t.regex(
    ending.stderr,
    /^nalloc: snarkjs proves instead \(NALLOC_FALLBACK=1\): no prebuilt for .*\n$/,
  )
})

test('with NALLOC_FALLBACK=1 nalloc/snarkjs alone leads to snarkjs too', async (t) => {
  const app = application(t, packageWithoutAddon(t), [])
  installSnarkjs(app, 'node_modules/snarkjs', 'one')
  const source = `
    import { groth16 } from 'nalloc/snarkjs'
    console.log(await groth16.prove('x.zkey', 'x.wtns'), await groth16.prove('x.zkey', 'x.wtns'))
  `

  const ending = await app.run(source, { NALLOC_FALLBACK: '1' })

  assertEnding(t, ending, 0)
  t.is(ending.stdout, `${THEIRS} ${THEIRS}\n`)
  t.is(ending.stderr.match(/\n/g)?.length, 1)
})

test('where there is a binary NALLOC_FALLBACK=1 changes nothing', async (t) => {
  const app = application(t)
  installSnarkjs(app, 'node_modules/snarkjs', 'one')

  const ending = await app.run(
    `${DESCRIBE}
    import { groth16 } from 'snarkjs'
    console.log(await describe(groth16))`,
    { NALLOC_FALLBACK: '1' },
  )

  assertSaid(t, ending, [OURS])
})
