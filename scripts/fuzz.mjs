// Fuzzes a target of fuzz/ with libFuzzer: `npm run fuzz -- heap 600` for ten minutes of the heap.
// Coverage comes from LLVM's own pass, so the project's stable compiler builds it. What is found goes
// to fuzz/regressions, where the tests run it again for ever.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fail, root, run } from './steps.mjs'

const COVERAGE = [
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
]

/** Bytes of one input: some more than the largest seed has. */
const INPUT_BYTES_MAX = { zkey: 8192, wtns: 1024, r1cs: 2048, ptau: 8192, json: 4096, edits: 128 }
const INPUT_BYTES_DEFAULT = 3200

const [target = 'heap', seconds = '60'] = process.argv.slice(2)
const folder = path.join(root, 'fuzz')
if (target === 'readers') {
  // The readers that are TypeScript: libFuzzer cannot see into them.
  run('node', ['scripts/prepare.mjs'])
  const program = path.join(root, 'build/__test__/children/fuzzReaders.js')
  run('node', [program, 'Infinity', seconds, String(Date.now() % 2 ** 32)])
  process.exit(0)
}
if (!fs.existsSync(path.join(folder, `${target}.rs`))) {
  fail(`${target}: expected the name of a file in fuzz/ without .rs`)
}
if (!/^[1-9][0-9]*$/.test(seconds)) fail(`${seconds}: expected a number of seconds`)

const output = path.join(root, 'target', 'fuzz')
const corpus = path.join(output, 'corpus', target)
const found = path.join(folder, 'regressions', target)
fs.mkdirSync(corpus, { recursive: true })
fs.mkdirSync(found, { recursive: true })

// With a target that is named, programs that run during the build are built without the flags.
const rustc = execFileSync('rustc', ['-vV'], { cwd: root, encoding: 'utf8' })
const triple = /^host: (.*)$/m.exec(rustc)?.[1] ?? fail('rustc: expected a line "host: ..."')

run('cargo', ['build', '--release', '--locked', '--bin', target, '--target', triple], {
  cwd: folder,
  env: {
    ...process.env,
    CARGO_TARGET_DIR: output,
    RUSTFLAGS: ['--cfg=fuzzing', '-Ccodegen-units=1', ...COVERAGE].join(' '),
  },
})
run(path.join(output, triple, 'release', target), [
  corpus,
  found,
  `-artifact_prefix=${found}/`,
  `-max_total_time=${seconds}`,
  `-max_len=${INPUT_BYTES_MAX[target] ?? INPUT_BYTES_DEFAULT}`,
  '-len_control=0',
  '-rss_limit_mb=8192',
  '-timeout=60',
  '-seed=1',
  '-print_final_stats=1',
])
