// Makes the circuits of `npm run bench` that no package ships, in target/circuits/: compiled with
// circom and its library, which are GPL and of which nothing is committed, or built by testkit. Their
// keys are testkit's, from toxic waste that is public. A step runs only when its inputs changed.

import fs from 'node:fs'
import path from 'node:path'
import { root, run, step } from './steps.mjs'

/** A point of the curve of circomlib's EdDSA, as key and as part of the signature. */
const BASE_8 = [
  '5299619240641551281634865583518297030282874472190772894086521144482721001553',
  '16950150798460657717958625567821834550301663161624707787222815936182638968203',
]
const CIRCUITS = [
  {
    name: 'eddsa',
    level: '--O2',
    // Not enabled: the circuit computes all that it would, and does not insist on the result.
    input: {
      enabled: 0,
      Ax: BASE_8[0],
      Ay: BASE_8[1],
      S: String(2n ** 250n + 12_345n),
      R8x: BASE_8[0],
      R8y: BASE_8[1],
      M: 1234,
    },
  },
  { name: 'poseidon', level: '--O2', input: { x: 5 } },
  {
    name: 'sha256',
    level: '--O1',
    input: { message: [1n, 3n, 5n, 7n].map((k) => String((2n ** 128n / 11n) * k)) },
  },
]
/** Steps of the chain x^5 + 7: three constraints each, and one more, just fit 2^16. */
const CHAIN_STEPS = 21_840

for (const { name, level, input } of CIRCUITS) {
  const folder = `target/circuits/${name}`
  const source = `benches/node/circuits/${name}.circom`
  step({
    title: `compiling the circuit ${name}`,
    stamp: `${folder}/.compiled`,
    inputs: [source, 'node_modules/circom2/package.json', 'node_modules/circomlib/package.json'],
    outputs: [`${folder}/circuit.r1cs`, `${folder}/circuit.wasm`],
    work: () => compile(source, folder, level),
  })
  step({
    title: `calculating a witness of the circuit ${name}`,
    stamp: `${folder}/.calculated`,
    inputs: [`${folder}/circuit.wasm`, 'scripts/circuits.mjs'],
    outputs: [`${folder}/circuit.wtns`],
    work: () => calculate(input, folder),
  })
  step({
    title: `making a key for the circuit ${name}`,
    stamp: `${folder}/.set-up`,
    inputs: [`${folder}/circuit.r1cs`, `${folder}/circuit.wtns`, 'crates/testkit/src'],
    outputs: [`${folder}/circuit.zkey`, `${folder}/verification_key.json`],
    work: () => setUp(folder),
  })
}
step({
  title: 'making a chain of powers and a key for it',
  stamp: 'target/circuits/chain/.set-up',
  inputs: ['crates/testkit/src'],
  outputs: ['target/circuits/chain/circuit.zkey', 'target/circuits/chain/circuit.wtns'],
  work: () => setUp('target/circuits/chain', String(CHAIN_STEPS)),
})

function compile(source, folder, level) {
  const made = path.join(root, folder, 'made')
  fs.mkdirSync(made, { recursive: true })
  const output = ['--output', `${folder}/made`]
  run('node', [
    'node_modules/circom2/cli.js',
    source,
    '--r1cs',
    '--wasm',
    level,
    '-l',
    'node_modules',
    ...output,
  ])
  const stem = path.basename(source, '.circom')
  for (const file of [`${stem}.r1cs`, `${stem}_js/${stem}.wasm`]) {
    fs.renameSync(path.join(made, file), path.join(root, folder, `circuit${path.extname(file)}`))
  }
  fs.rmSync(made, { recursive: true })
}

function calculate(input, folder) {
  const file = path.join(root, folder, 'input.json')
  fs.writeFileSync(file, JSON.stringify(input))
  const snarkjs = 'node_modules/snarkjs/build/cli.cjs'
  run('node', [
    snarkjs,
    'wtns',
    'calculate',
    `${folder}/circuit.wasm`,
    file,
    `${folder}/circuit.wtns`,
  ])
}

function setUp(...args) {
  const setup = ['run', '--release', '--quiet', '--locked', '-p', 'testkit', '--bin', 'setup']
  run('cargo', [...setup, '--', ...args])
}
