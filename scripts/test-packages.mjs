// Tries the packages as a stranger would: each is installed from a registry on the loopback interface
// into an empty folder, without install scripts and without a compiler on PATH, and smoke.cjs and
// `nalloc doctor` run there on every runtime that the platform has. `npm run test:packages`, after
// `npm run build:all`; only some rows: `npm run test:packages -- musl bun`.
//
// Other processors are emulated by QEMU: arm64, and x64 without some of its instructions, so that
// every choice of arithmetic makes the same proof, bit for bit. What cannot run here says why. Prints
// one table; exits 1 when a row fails.

import fs from 'node:fs'
import path from 'node:path'
import {
  choiceOf,
  hostTarget,
  installedTuples,
  makeFolder,
  makeFolders,
  npm,
  smoke,
  start,
} from './installed.mjs'
import { MENDS } from './mends.mjs'
import { packAll, TARBALLS } from './pack-all.mjs'
import { serveTarballs } from './registry.mjs'
import { BUN, DENO, fromNpm, muslNode, node } from './runtimes.mjs'
import { fail, orFail } from './steps.mjs'
import { TARGETS } from './targets.mjs'
import { has, needDebian, outputOf } from './tools.mjs'

/** Letters of a row's last column. */
const NOTES_MAX = 400
const NODES = [20, 22, 24, 26]
const RUNTIME_DEPENDENCIES = ['commander', 'picocolors']
const QEMU = { x64: 'qemu-x86_64-static', arm64: 'qemu-aarch64-static' }
/** What QEMU 7.2 emulates of x86-64: all but AVX-512, of which each model takes something away. */
const CPU_MODELS = [
  ['without AVX-512', 'max', { NALLOC_CPU: 'avx2' }],
  ['without AVX2', 'max,-avx2'],
  ['without ADX and BMI2', 'max,-avx2,-adx,-bmi2'],
  ['of 2008 (Nehalem)', 'Nehalem'],
]

/** The rows of the table: where, what goes before the program's name, with which settings. */
const ROWS = [
  ...NODES.map((version) =>
    row('linux-x64-gnu', `Node ${version}`, () => [npmNode('x64', version)]),
  ),
  row('linux-x64-gnu', 'Bun', () => [fromNpm(BUN)]),
  row('linux-x64-gnu', 'Deno', () => [fromNpm(DENO), 'run', '-A', '--unstable-detect-cjs']),
  ...['baseline', 'avx2'].map((kernels) =>
    row('linux-x64-gnu', `Node 20, NALLOC_CPU=${kernels}`, () => [npmNode('x64', 20)], {
      NALLOC_CPU: kernels,
    }),
  ),
  ...CPU_MODELS.map(([name, model, env]) =>
    row(
      'linux-x64-gnu',
      `Node 20, CPU ${name}`,
      () => [...cpuModel(model), npmNode('x64', 20)],
      env,
    ),
  ),
  ...[20, 24].map((version) =>
    row('linux-arm64-gnu', `Node ${version}, QEMU`, () => [
      emulator('arm64'),
      npmNode('arm64', version),
    ]),
  ),
  ...[22, 24].map((version) =>
    row('linux-x64-musl', `Node ${version}`, () => muslNode(version, 'x86_64')),
  ),
  ...[22, 24].map((version) =>
    row('linux-arm64-musl', `Node ${version}, QEMU`, () => [
      emulator('arm64', false),
      ...muslNode(version, 'aarch64'),
    ]),
  ),
]

function row(tuple, runtime, command, env = {}) {
  return { tuple, runtime, command, env }
}

function npmNode(cpu, version) {
  return fromNpm(node(cpu, version))
}

function cpuModel(model) {
  return [emulator('x64'), '-cpu', model]
}

/** The emulator of a processor; for arm64 with glibc's libraries, where they are needed. */
function emulator(cpu, isGlibc = true) {
  const libraries = cpu === 'arm64' && isGlibc ? ['libc6:arm64', 'libstdc++6:arm64'] : []
  const areThere = () => libraries.length === 0 || fs.existsSync('/lib/ld-linux-aarch64.so.1')
  needDebian(['qemu-user-static', ...libraries], () => has(QEMU[cpu]) && areThere())
  return QEMU[cpu]
}

/** Installs nalloc for a target; what npm has chosen must be that target's package and no other. */
async function install(url, target) {
  const { tuple } = target
  const folder = makeFolder(tuple)
  // npm finds out by itself what this machine is.
  const choice = target === hostTarget() ? [] : choiceOf(target)
  const { status, output } = await npm(url, folder, ['install', ...choice, 'nalloc'])
  const found = installedTuples(folder).join()
  if (status !== 0 || found !== tuple) {
    throw new Error(`npm install: expected @nalloc/${tuple}, found ${found}: ${output}`)
  }
  return { folder, notes: choice.length === 0 ? 'npm chose by itself' : choice.join(' ') }
}

/** Runs the smoke test and the doctor; what they tell, or what went wrong. */
function tryRow({ tuple, command, env }, folder) {
  let program
  try {
    program = command()
  } catch (error) {
    return { verdict: 'not run', notes: error.message }
  }
  const started = performance.now()
  const smoked = smoke(program, folder, env)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (smoked.status !== 0) return { verdict: 'FAIL', notes: smoked.problem }
  const { triple, cpu, version } = JSON.parse(smoked.stdout)
  const doctor = start(program, folder, env, [
    'node_modules/nalloc/dist/cli/main.js',
    'doctor',
    '--json',
  ])
  if (triple !== tuple || doctor.status !== 0) {
    return { verdict: 'FAIL', notes: `found ${triple}, doctor: ${doctor.problem}` }
  }
  return { verdict: 'pass', notes: `${version} ${cpu}, ${seconds} s, ${complaints(doctor)}` }
}

/** What the doctor finds wrong. */
function complaints({ status, stdout }) {
  const { checks } = JSON.parse(stdout)
  const bad = checks.filter((check) => check.status !== 'ok')
  const texts = bad.map((check) => `${check.status} ${check.id}: ${check.message}`)
  return `doctor ${status}${texts.map((text) => `; ${text}`).join('')}`
}

/** All that the registry has: our packages, and what the main one depends on. */
function pack(targets) {
  const ours = packAll(targets).map(({ tarball }) => tarball)
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', TARBALLS]
  const folders = RUNTIME_DEPENDENCIES.map((name) => `./node_modules/${name}`)
  const names = outputOf('npm', [...args, ...folders]).split('\n')
  return [...ours, ...names.map((name) => path.join(TARBALLS, name))]
}

async function main(words) {
  const isWanted = ({ tuple, runtime }) => {
    const name = `${tuple} ${runtime}`.toLowerCase()
    return words.length === 0 || words.some((word) => name.includes(word.toLowerCase()))
  }
  const rows = ROWS.filter(isWanted)
  const mends = MENDS.filter(isWanted)
  if (rows.length + mends.length === 0) fail(`no row has ${words.join(' or ')} in its name`)
  const tuples = [...rows, ...mends].flatMap(({ tuple, also = [] }) => [tuple, ...also])
  const targets = TARGETS.filter(({ tuple }) => tuples.includes(tuple))
  makeFolders()
  const { url, close } = await serveTarballs(orFail(() => pack(targets)))
  for (const target of targets) {
    const { tuple } = target
    const own = rows.filter((entry) => entry.tuple === tuple)
    if (own.length > 0) await tryTarget(url, target, own)
    for (const entry of mends.filter((mend) => mend.tuple === tuple)) {
      say(tuple, entry.runtime, await tryMend(url, entry))
    }
  }
  close()
}

async function tryTarget(url, target, rows) {
  const { tuple } = target
  let installed
  try {
    installed = await install(url, target)
  } catch (error) {
    return say(tuple, 'install', { verdict: 'FAIL', notes: error.message })
  }
  say(tuple, 'install', { verdict: 'pass', notes: installed.notes })
  for (const entry of rows) say(tuple, entry.runtime, tryRow(entry, installed.folder))
}

async function tryMend(url, { work }) {
  try {
    return { verdict: 'pass', notes: await work(url) }
  } catch (error) {
    return { verdict: 'FAIL', notes: error.message }
  }
}

/** Prints a row, and remembers a failure. */
function say(tuple, name, { verdict, notes }) {
  const line = notes.replaceAll(/\s+/g, ' ').slice(0, NOTES_MAX)
  console.log(`${tuple.padEnd(16)} ${name.padEnd(36)} ${verdict.padEnd(7)} ${line}`)
  if (verdict === 'FAIL') process.exitCode = 1
}

main(process.argv.slice(2))
