// Runs the arithmetic's tests for aarch64 under emulation: `npm run test:aarch64`. There the portable
// kernels run. What is missing is printed with the command that gets it, and the run is skipped.
// Linked statically: with Debian 12's dynamic libraries every thread of a program hangs in its first
// pthread_create (QEMU 7.2).

import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { root, run } from './steps.mjs'

const TRIPLE = 'aarch64-unknown-linux-gnu'
const LINKER = 'aarch64-linux-gnu-gcc'
const EMULATORS = ['qemu-aarch64-static', 'qemu-aarch64']
const has = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0

const sysroot = execFileSync('rustc', ['--print', 'sysroot'], {
  cwd: root,
  encoding: 'utf8',
}).trim()
if (!fs.existsSync(path.join(sysroot, 'lib', 'rustlib', TRIPLE))) {
  skip("the target's standard library", `rustup target add ${TRIPLE}`)
}
if (!has(LINKER)) skip(LINKER, 'apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross')
const emulator = EMULATORS.find(has) ?? skip(EMULATORS[0], 'apt-get install qemu-user-static')

const tests = [
  '-p',
  'nalloc-bn254',
  '-p',
  'nalloc-groth16',
  '--lib',
  '--test',
  'bn254',
  '--test',
  'groth16',
]
run('cargo', ['test', '--release', '--target', TRIPLE, ...tests], {
  env: {
    ...process.env,
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: LINKER,
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER: emulator,
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS: '-Ctarget-feature=+crt-static',
    CARGO_PROFILE_RELEASE_LTO: 'off',
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
    CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS: 'true',
    CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS: 'true',
  },
})

/** Ends the process, without an error. */
function skip(what, command) {
  console.log(`skipped: expected ${what}, found none; get it by: ${command}`)
  process.exit(0)
}
