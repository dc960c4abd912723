// Builds the library that `nalloc run` preloads for musl, and runs C programs on it: `npm run
// test:musl`. What is missing is printed with the command that gets it, and the run is skipped.

import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fail, root, run } from './steps.mjs'

const TRIPLE = 'x86_64-unknown-linux-musl'
const COMPILER = 'musl-gcc'
const PROGRAMS = ['family.c', 'traced.c']

const sysroot = execFileSync('rustc', ['--print', 'sysroot'], {
  cwd: root,
  encoding: 'utf8',
}).trim()
if (!fs.existsSync(path.join(sysroot, 'lib', 'rustlib', TRIPLE))) {
  skip("the target's standard library", `rustup target add ${TRIPLE}`)
}
if (process.arch !== 'x64') skip('an x86-64 processor', 'running it on one')
const { status } = spawnSync(COMPILER, ['--version'], { stdio: 'ignore' })
if (status !== 0) skip(COMPILER, 'apt-get install musl-tools')

const target = path.join(root, 'target/musl')
fs.mkdirSync(target, { recursive: true })
// Debian's compiler for musl has no libgcc of its own; Rust brings an unwinder for static programs.
const unwinder = path.join(sysroot, 'lib/rustlib', TRIPLE, 'lib/self-contained/libunwind.a')
fs.writeFileSync(path.join(target, 'libgcc_s.so'), `INPUT(${unwinder})\n`)
run(
  'cargo',
  ['build', '--quiet', '-p', 'nalloc-preload', '--target', TRIPLE, '--target-dir', target],
  {
    env: {
      ...process.env,
      CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER: COMPILER,
      CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS: `-Ctarget-feature=-crt-static -L${target}`,
    },
  },
)
const library = path.join(target, TRIPLE, 'debug/libnalloc_preload.so')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-musl-'))
try {
  for (const name of PROGRAMS) check(name)
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}

/** Compiles a program against musl and runs it on the library, which must serve it. */
function check(name) {
  const file = path.join(folder, path.parse(name).name)
  const source = path.join(root, '__test__/programs', name)
  run(COMPILER, ['-O1', '-w', '-pthread', source, '-o', file])
  const stats = `${file}.json`
  const env = { ...process.env, LD_PRELOAD: library, NALLOC_STATS: stats, NALLOC_TRACE: file }
  const { status, stdout, stderr } = spawnSync(file, { encoding: 'utf8', env })
  if (status !== 0 || !stdout.endsWith('ok\n')) {
    fail(`${name} on musl: expected "ok", found status ${status}: ${stdout}${stderr}`)
  }
  const { allocations } = JSON.parse(fs.readFileSync(stats, 'utf8').split('\n')[0])
  const traces = fs
    .readdirSync(folder)
    .filter((found) => found.startsWith(`${path.basename(file)}.`))
  const traced = traces.filter((found) => /\.\d+$/.test(found))
  if (!(allocations > 0) || traced.length === 0) {
    fail(`${name} on musl: expected large blocks and a trace, found ${allocations}, ${traces}`)
  }
  console.log(`${name} on musl: ok, ${allocations} large blocks, ${traced.length} traces`)
}

/** Ends the process, without an error. */
function skip(what, command) {
  console.log(`skipped: expected ${what}, found none; get it by: ${command}`)
  process.exit(0)
}
