// Builds the addon and the library of `nalloc run` for all four targets, from the registries alone,
// on x64 Debian 12 or where rustup has the targets: `npm run build:all`, or some: `npm run build:all
// -- linux-x64-musl`. Each target is built again only when its inputs changed; then all binaries are
// checked (binaries.mjs).
//
// zig links, for it has the libraries of every C library version in one package of PyPI. The
// toolchain of rust-toolchain.toml compiles what it has a standard library for. For the rest Debian's
// rustc is taken: with the library that Debian has for arm64, and with one that cargo builds from
// Debian's sources for musl.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fail, orFail, root, run, step } from './steps.mjs'
import { GLIBC_LINKED, targetsNamed } from './targets.mjs'
import { needDebian, needPython, outputOf } from './tools.mjs'

const ZIG = ['ziglang==0.17.0', 'cargo-zigbuild==0.24.0']
const DEBIAN_RUSTC = '/usr/bin/rustc'
/** Of DEBIAN_RUSTC. */
const DEBIAN_LIBRARY = '/usr/lib/rustlib'
const TARGET_DIR = path.join(root, 'target/packages')
const INPUTS = [
  'Cargo.toml',
  'Cargo.lock',
  'build.rs',
  'rust-toolchain.toml',
  'src',
  ...['nalloc', 'nalloc-bn254', 'nalloc-groth16', 'nalloc-preload'].flatMap((name) => [
    `crates/${name}/Cargo.toml`,
    `crates/${name}/build.rs`,
    `crates/${name}/src`,
  ]),
  'scripts/build-all.mjs',
  'scripts/targets.mjs',
]

const targets = targetsNamed(process.argv.slice(2), fail)
const relative = (file) => path.relative(root, file)
for (const target of targets) {
  step({
    title: `building for ${target.tuple}`,
    stamp: `target/packages/${target.tuple}.stamp`,
    inputs: INPUTS,
    outputs: [relative(target.addon), relative(target.preload)],
    work: () => orFail(() => build(target)),
  })
}
run(
  'node',
  ['scripts/binaries.mjs', ...targets.flatMap(({ addon, preload }) => [addon, preload])],
  {
    stdio: ['ignore', 'inherit', 'inherit'],
  },
)

function build({ triple, libc, addon, preload }) {
  const bin = needPython(ZIG)
  const { env, args } = standardLibrary(triple)
  const linked = libc === 'glibc' ? `${triple}.${GLIBC_LINKED}` : triple
  const packages = ['--package', 'nalloc-addon', '--package', 'nalloc-preload']
  run('cargo', ['zigbuild', '--quiet', '--release', ...packages, '--target', linked, ...args], {
    env: {
      ...process.env,
      ...env,
      PATH: `${bin}:${process.env.PATH}`,
      CARGO_TARGET_DIR: TARGET_DIR,
      CARGO_ENCODED_RUSTFLAGS: flags(libc).join('\x1f'),
    },
  })
  const built = path.join(TARGET_DIR, triple, 'release')
  fs.copyFileSync(path.join(built, 'libnalloc_addon.so'), addon)
  fs.copyFileSync(path.join(built, 'libnalloc_preload.so'), preload)
}

/** What makes a library of musl's, and what keeps this machine's paths out of the messages. */
function flags(libc) {
  const cargoHome = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo')
  return [
    ...(libc === 'musl' ? ['-Ctarget-feature=-crt-static'] : []),
    `--remap-path-prefix=${cargoHome}=/cargo`,
    `--remap-path-prefix=${root}=/nalloc`,
  ]
}

/** What makes cargo find, or build, the target's standard library. */
function standardLibrary(triple) {
  const pinned = path.join(outputOf('rustc', ['--print', 'sysroot']), 'lib/rustlib', triple)
  if (fs.existsSync(pinned)) return { env: {}, args: ['--locked'] }
  if (process.arch !== 'x64') {
    throw new Error(`rustc has no library for ${triple}: rustup target add ${triple}`)
  }
  const env = { RUSTC: DEBIAN_RUSTC }
  if (triple.endsWith('-gnu')) {
    const library = path.join(DEBIAN_LIBRARY, triple)
    needDebian(['rustc-web', 'libstd-rust-web-dev:arm64'], () => areThere(DEBIAN_RUSTC, library))
    return { env, args: ['--locked'] }
  }
  const source = path.join(DEBIAN_LIBRARY, 'src/rust/library')
  needDebian(['rustc-web', 'rust-web-src'], () => areThere(DEBIAN_RUSTC, source))
  return {
    env: { ...env, RUSTC_BOOTSTRAP: '1' },
    args: ['-Zbuild-std=std,panic_abort'],
  }
}

function areThere(...files) {
  return files.every((file) => fs.existsSync(file))
}
