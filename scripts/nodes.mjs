// Runs the tests of arenas, secrets, witnesses, phases, metrics and of nalloc/register on every Node
// that is supported, and what of the first two does not need ava on Bun and Deno:
// `npm run test:nodes`, or some: `npm run test:nodes -- 24 bun`. The runtimes come from npm and are
// unpacked outside of the repository.

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { BUN, DENO, fromNpm, node } from './runtimes.mjs'
import { fail, orFail, root } from './steps.mjs'

const TESTS = [
  'arena',
  'secretBuf',
  'secretArguments',
  'secretProof',
  'secretExit',
  'externalBuffers',
  'escapes',
  'stalls',
  'workersChurn',
  'register',
  'phase',
  'metrics',
  'calculatorPool',
  'witnessThread',
]
const THEFTS = ['transfer', 'structuredClone', 'worker', 'enqueue']
const STREAMS = ['deflate', 'gzip', 'brotli', 'gunzip', 'unbrotli', 'zstd']
const ENDS = ['reset', 'wipe', 'dispose', 'withBytes', 'withBytesAsync', 'destroy']
/** Programs of __test__/children with their arguments. */
const SCENES = [
  ...['arena', 'secret', 'allocate'].flatMap((scene) =>
    THEFTS.map((theft) => ['escape', scene, theft]),
  ),
  ['escape', 'arena', 'markAsUntransferable'],
  ['escape', 'secret', 'markAsUntransferable'],
  ...[
    'endViews',
    'launder',
    'inFlightReset',
    'inFlightWipe',
    'inFlightDispose',
    'fsInFlight',
    'cryptoInFlight',
    'foreignInFlight',
    'inListenerReset',
    'secretInFlight',
    'workersInFlight',
    'forget',
  ].map((scene) => ['escape', scene]),
  ...STREAMS.flatMap((stream) => ENDS.map((end) => ['stall', stream, end])),
  ['stall', 'deflate', 'processChunk'],
  ['stall', 'gunzip', 'refuse'],
  ['stall', 'gzip', 'queue'],
  ['stall', 'gzip', 'steal'],
  ['stall', 'gzip', 'web'],
  ['churnWorkers', '0'],
  ['overwriteShort'],
]
/** What Node and Deno leave to the C library, where no listener sees it: see secretExit. */
const SCENES_OF_BUN = [['escape', 'wipeAtExit']]
const RUNTIMES = [
  ...[20, 22, 24, 26].map((version) => node('x64', version)),
  { ...BUN, flags: ['--expose-gc'], own: SCENES_OF_BUN },
  { ...DENO, flags: ['run', '-A', '--unstable-detect-cjs', '--v8-flags=--expose-gc'] },
]

/** True when a runtime ends well in every scene, and no thief sees a byte of ours. */
function playScenes({ name, flags, own = [] }, program) {
  const scenes = [...SCENES, ...own]
  const failures = scenes.flatMap((scene) => {
    const [child, ...args] = scene
    const file = path.join(root, `build/__test__/children/${child}.js`)
    const { status, signal, stdout } = spawnSync(program, [...flags, file, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const isGood = status === 0 && stdout !== '' && !stdout.includes(':false')
    return isGood ? [] : [`${name}: ${scene.join(' ')}: ${signal ?? status} ${stdout}`]
  })
  console.log(
    [`${name}: ${scenes.length - failures.length} of ${scenes.length} scenes`, ...failures].join(
      '\n',
    ),
  )
  return failures.length === 0
}

function runTests(name, program) {
  const files = TESTS.map((test) => `build/__test__/${test}.test.js`)
  const args = ['node_modules/ava/entrypoints/cli.mjs', '--tap', ...files]
  const { status, stdout } = spawnSync(program, args, { cwd: root, encoding: 'utf8' })
  const passed = stdout.match(/^ok /gm)?.length ?? 0
  const failures = stdout.match(/^not ok .*/gm) ?? []
  console.log([`Node ${name}: ${passed} tests passed`, ...failures].join('\n'))
  return status === 0 && passed > 0
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !RUNTIMES.some((runtime) => runtime.name === name))
if (unknown.length > 0)
  fail(`no runtime ${unknown.join(', ')}; there are ${RUNTIMES.map((r) => r.name).join(', ')}`)
for (const runtime of RUNTIMES) {
  if (wanted.length > 0 && !wanted.includes(runtime.name)) continue
  const program = orFail(() => fromNpm(runtime))
  const { name, flags } = runtime
  const isGood = flags === undefined ? runTests(name, program) : playScenes(runtime, program)
  if (!isGood) process.exitCode = 1
}
