// Installs and builds what `npm start`, `npm test` and `npm run bench` need, each step only when its
// inputs changed. A second run takes well under a second.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { writeAssets } from './assets.mjs'
import { writeReexports } from './reexports.mjs'
import { fail, root, run, step } from './steps.mjs'

const NODE_MIN = [20, 19]
const tsc = ['node_modules/typescript/bin/tsc', '-p']

checkTools()

step({
  title: 'installing npm packages',
  stamp: 'node_modules/.nalloc-stamp',
  inputs: ['package-lock.json'],
  outputs: ['node_modules'],
  // No install script of any package runs; ours has none.
  work: () => run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']),
})

step({
  title: 'building the native addon',
  stamp: 'build/.addon-stamp',
  inputs: [
    'Cargo.toml',
    'Cargo.lock',
    'build.rs',
    'rust-toolchain.toml',
    'src',
    'crates/nalloc/Cargo.toml',
    'crates/nalloc/src',
    'crates/nalloc-bn254/Cargo.toml',
    'crates/nalloc-bn254/src',
    'crates/nalloc-groth16/Cargo.toml',
    'crates/nalloc-groth16/src',
  ],
  outputs: [addonFile(), 'index.d.ts'],
  work: () =>
    run('node', [
      'node_modules/@napi-rs/cli/dist/cli.js',
      'build',
      '--platform',
      '--release',
      '--no-js',
      '--dts',
      'index.d.ts',
    ]),
})

step({
  title: 'building the library that nalloc run preloads',
  stamp: 'build/.preload-stamp',
  inputs: [
    'Cargo.toml',
    'Cargo.lock',
    'rust-toolchain.toml',
    'crates/nalloc/Cargo.toml',
    'crates/nalloc/src',
    'crates/nalloc-preload',
  ],
  outputs: [preloadFile()],
  work: () => {
    run('cargo', ['build', '--release', '--quiet', '--locked', '--package', 'nalloc-preload'])
    const built = path.join(root, 'target/release/libnalloc_preload.so')
    fs.copyFileSync(built, path.join(root, preloadFile()))
  },
})

step({
  title: 'compiling TypeScript',
  stamp: 'dist/.stamp',
  inputs: [
    'ts',
    'index.d.ts',
    'tsconfig.base.json',
    'tsconfig.json',
    'tsconfig.browser.json',
    'package.json',
    'package-lock.json',
    'scripts',
  ],
  outputs: ['dist/index.js'],
  work: () => {
    fs.rmSync(path.join(root, 'dist'), { recursive: true, force: true })
    run('node', [...tsc, 'tsconfig.json'])
    run('node', [...tsc, 'tsconfig.browser.json'])
    writeAssets()
    writeReexports()
  },
})

step({
  title: 'compiling tests, examples and benchmarks',
  stamp: 'build/.test-stamp',
  inputs: [
    'dist',
    '__test__',
    'examples',
    'benches/node',
    'tsconfig.base.json',
    'tsconfig.test.json',
  ],
  outputs: ['build/__test__', 'build/examples'],
  work: () => {
    // tsc writes ts/ there too, for the types that tests of internals import; nothing loads it.
    for (const folder of ['__test__', 'examples', 'benches', 'ts']) {
      fs.rmSync(path.join(root, 'build', folder), { recursive: true, force: true })
    }
    run('node', [...tsc, 'tsconfig.test.json'])
  },
})

function addonFile() {
  return `nalloc.${tuple()}.node`
}

function preloadFile() {
  return `libnalloc_preload.${tuple()}.so`
}

function tuple() {
  const isGlibc = 'glibcVersionRuntime' in process.report.getReport().header
  return `linux-${process.arch}-${isGlibc ? 'gnu' : 'musl'}`
}

function checkTools() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isOld = major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])
  if (isOld) fail(`Node ${NODE_MIN.join('.')} or newer expected, got ${process.versions.node}`)
  if (process.platform !== 'linux') fail(`Linux expected, got ${process.platform}`)
  const needed = [
    ['cargo', 'Rust: see rust-toolchain.toml for the version'],
    ['cc', 'a C compiler, for linking: gcc or clang'],
  ]
  for (const [tool, what] of needed) {
    const { error } = spawnSync(tool, ['--version'], { stdio: 'ignore' })
    if (error) fail(`${tool} not found on PATH; please install ${what}`)
  }
}
