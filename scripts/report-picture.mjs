// Takes docs/pictures/report.png, the page of a dozen proofs: `npm run pictures:report`, with
// Chromium installed. Fonts differ from machine to machine, so CI does not take it again.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, root, run } from './steps.mjs'

const PROOFS = 4
const ROUNDS = 3
const PAUSE_MS = 120
const SIZE = '1200,800'
const CIRCUIT = path.join(root, 'node_modules/@zk-kit/semaphore-artifacts/semaphore-32')
const INPUT = path.join(root, 'crates/testkit/golden/semaphore-32.input.json')

/** What is traced: some proofs, a pause, some more. */
async function prove() {
  const { groth16 } = await import('../dist/index.mjs')
  const input = JSON.parse(fs.readFileSync(INPUT, 'utf8'))
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let proof = 0; proof < PROOFS; proof += 1) {
      await groth16.fullProve(input, `${CIRCUIT}.wasm`, `${CIRCUIT}.zkey`)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

function takePicture() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  try {
    const env = { ...process.env, NALLOC_TRACE: path.join(folder, 'proofs-%p') }
    run(process.execPath, [fileURLToPath(import.meta.url), 'prove'], { env })
    const [trace] = fs.readdirSync(folder)
    if (trace === undefined) fail('expected a trace of the proofs, found none')
    fs.renameSync(path.join(folder, trace), path.join(folder, 'proofs.nltrace'))
    const program = path.join(root, 'dist/cli/main.js')
    const report = ['report', 'proofs.nltrace', '-o', 'report.html']
    run(process.execPath, [program, ...report], { cwd: folder })
    const options = [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars'],
      `--user-data-dir=${path.join(folder, 'profile')}`,
      `--window-size=${SIZE}`,
      `--screenshot=${path.join(root, 'docs/pictures/report.png')}`,
    ]
    // It tells of buses that a container does not have.
    run('chromium', [...options, `file://${folder}/report.html`], { stdio: 'ignore' })
  } finally {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

if (process.argv[2] === 'prove') await prove()
else takePicture()
