// Runs every test, Rust and TypeScript, and counts what really ran. Ends with
// 'N passed, N failed, N skipped' and exits 1 on any failure.

import { spawn } from 'node:child_process'
import path from 'node:path'
import { root, run, step } from './steps.mjs'

const total = { passed: 0, failed: 0, skipped: 0 }

const arithmetic = ['curve', 'curve.rs', 'encoding', 'encoding.rs', 'field', 'field.rs']
step({
  title: 'making fixtures',
  stamp: 'build/fixtures/.stamp',
  inputs: ['crates/testkit', ...arithmetic.map((name) => `crates/nalloc-bn254/src/${name}`)],
  outputs: ['build/fixtures'],
  work: () =>
    run('cargo', ['run', '-q', '-p', 'testkit', '--bin', 'fixtures', '--', 'build/fixtures']),
})

const features = ['--features', 'nalloc-zk/allocator-api2']
await suite('Rust', 'cargo', ['test', '--workspace', ...features, '--no-fail-fast'], countCargo)
await suite('TypeScript', 'node', ['node_modules/ava/entrypoints/cli.mjs', '--tap'], countTap)

console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

/** Streams a suite's output and adds what `count` finds in each line to the total. */
async function suite(name, command, args, count) {
  console.log(`\n== ${name}: ${path.basename(command)} ${args.join(' ')}`)
  const before = { ...total }
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let rest = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text) => {
    process.stdout.write(text)
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(count)
  })
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(signal ?? code))
  })
  count(rest)
  // A suite that died before it could count a failure has failed all the same.
  if (status !== 0 && total.failed === before.failed) total.failed += 1
  if (total.passed === before.passed) total.failed += 1
  console.log(`== ${name}: ended with ${status}`)
}

function countCargo(line) {
  // A test that finds that it cannot run here says so, and passes.
  if (line.startsWith('skipped: ')) {
    total.passed -= 1
    total.skipped += 1
  }
  const found = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/.exec(line)
  if (!found) return
  total.passed += Number(found[1])
  total.failed += Number(found[2])
  total.skipped += Number(found[3])
}

function countTap(line) {
  const found = /^(not ok|ok) \d+ - .*?( # (SKIP|TODO)\b.*)?$/.exec(line)
  if (!found) return
  if (found[2]) total.skipped += 1
  else if (found[1] === 'ok') total.passed += 1
  else total.failed += 1
}
