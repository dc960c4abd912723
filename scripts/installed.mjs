// Folders into which npm installs the packages, and programs that run there: what test-packages.mjs
// and mends.mjs share.

import { execFile, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { root } from './steps.mjs'
import { TARGETS } from './targets.mjs'
import { outputOf } from './tools.mjs'

/** Outside of the repository: npm installs beside the nearest package.json above. */
const FOLDER = path.join(os.tmpdir(), 'nalloc-packages')
const CIRCUIT = path.join(FOLDER, 'circuit')
const MINUTES_MAX = 10
const TALK_LINES_MAX = 12
const execFileAsync = promisify(execFile)

/** Removes what earlier runs left, and lays out the circuit of the smoke test. */
export function makeFolders() {
  fs.rmSync(FOLDER, { recursive: true, force: true })
  writeCircuit()
}

/** An empty folder of this name, with the smoke test in it. */
export function makeFolder(name) {
  const folder = path.join(FOLDER, name)
  fs.mkdirSync(folder, { recursive: true })
  fs.copyFileSync(path.join(root, 'scripts/smoke.cjs'), path.join(folder, 'smoke.cjs'))
  return folder
}

/** What npm is told to choose a target's package, as if this machine were of that kind. */
export function choiceOf({ cpu, libc }) {
  return ['--os=linux', `--cpu=${cpu}`, `--libc=${libc}`]
}

/** The target that this machine is. */
export function hostTarget() {
  const libc = 'glibcVersionRuntime' in process.report.getReport().header ? 'glibc' : 'musl'
  return TARGETS.find((target) => target.cpu === process.arch && target.libc === libc)
}

/** The platform packages in a folder. */
export function installedTuples(folder) {
  const found = path.join(folder, 'node_modules/@nalloc')
  return fs.existsSync(found) ? fs.readdirSync(found) : []
}

/** Runs npm without install scripts, where no program but itself can be started. */
export async function npm(url, folder, args) {
  const settings = ['--ignore-scripts', '--registry', url, '--cache', path.join(FOLDER, 'cache')]
  const quiet = ['--no-audit', '--no-fund', '--fetch-retries=0', '--loglevel=error']
  const cli = outputOf('sh', ['-c', 'readlink -f "$(command -v npm)"'])
  const env = { HOME: FOLDER, PATH: path.join(FOLDER, 'none') }
  const all = [cli, ...args, ...settings, ...quiet]
  try {
    const { stdout, stderr } = await execFileAsync(process.execPath, all, { cwd: folder, env })
    return { status: 0, output: `${stdout}${stderr}`.trim() }
  } catch (error) {
    return { status: error.code, output: `${error.stdout}${error.stderr}`.trim() }
  }
}

/** Runs the smoke test on a runtime: the words before the program's name. */
export function smoke(runtime, folder, env = {}) {
  return start(runtime, folder, env, ['smoke.cjs', CIRCUIT])
}

/** Runs a program of a folder on a runtime; how it ended, and a line that says so. */
export function start([command, ...first], folder, env, args) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, [...first, ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: MINUTES_MAX * 60_000,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...env },
  })
  const talk = `${stderr}${stdout}`.trim().split('\n').slice(0, TALK_LINES_MAX).join(' | ')
  return { status, stdout, stderr, problem: `${error?.message ?? signal ?? status}: ${talk}` }
}

/** The circuit of the smoke test, and the proof that other provers made of it. */
function writeCircuit() {
  const artifacts = path.join(root, 'node_modules/@zk-kit/semaphore-artifacts/semaphore-1')
  const golden = path.join(root, 'crates/testkit/golden')
  const read = (name) => JSON.parse(fs.readFileSync(path.join(golden, name), 'utf8'))
  const { vectors, input } = read('INDEX.json').cases.find(({ name }) => name === 'semaphore-1')
  const [{ r, s, proof, public: signals }] = vectors
  const values = { input: read(input), r, s, proof: read(proof), publicSignals: read(signals) }
  fs.mkdirSync(CIRCUIT, { recursive: true })
  fs.writeFileSync(path.join(CIRCUIT, 'golden.json'), JSON.stringify(values))
  fs.copyFileSync(`${artifacts}.zkey`, path.join(CIRCUIT, 'circuit.zkey'))
  fs.copyFileSync(`${artifacts}.wasm`, path.join(CIRCUIT, 'circuit.wasm'))
  fs.copyFileSync(`${artifacts}.json`, path.join(CIRCUIT, 'verification_key.json'))
}
