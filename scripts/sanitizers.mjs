// Runs the allocator's tests under ThreadSanitizer, AddressSanitizer and Miri: `npm run sanitizers`.
// The sanitizers need flags that a stable compiler takes only with RUSTC_BOOTSTRAP; the standard
// library is the ordinary one, so what happens inside of it is not seen.

import { execFileSync, spawnSync } from 'node:child_process'
import path from 'node:path'
import { fail, root, run } from './steps.mjs'

const rustc = execFileSync('rustc', ['-vV'], { cwd: root, encoding: 'utf8' })
const triple = /^host: (.*)$/m.exec(rustc)?.[1] ?? fail('rustc: expected a line "host: ..."')

sanitize('thread', ['arena', 'census', 'global', 'threads', 'trace'])
// Not those that limit or measure the process's memory: the sanitizer's own tables take terabytes.
const whole = ['arena', 'arena_pages', 'census', 'exit', 'fork', 'global', 'helper', 'trace']
sanitize('address', whole, '--lib')
interpret(['heap::backing', 'heap::bins', 'heap::zero', 'text::', 'config::'])

/** Tests under a sanitizer of LLVM's. */
function sanitize(name, tests, ...options) {
  console.log(`== ${name} sanitizer`)
  const chosen = tests.flatMap((test) => ['--test', test])
  run('cargo', ['test', '-p', 'nalloc-zk', '--target', triple, ...options, ...chosen], {
    env: {
      ...process.env,
      // What only a block of the large heap points to would count as leaked: the search for leaks
      // knows nothing of that memory.
      ASAN_OPTIONS: 'detect_leaks=0',
      CARGO_TARGET_DIR: path.join(root, 'target', `sanitizer-${name}`),
      RUSTC_BOOTSTRAP: '1',
      RUSTFLAGS: `-Zsanitizer=${name} -Cunsafe-allow-abi-mismatch=sanitizer`,
      TSAN_OPTIONS: `suppressions=${path.join(root, 'scripts', 'thread-sanitizer.txt')}`,
    },
  })
}

/** Unit tests under Miri, which knows no mappings, in the parts that need none. */
function interpret(tests) {
  const toolchains = [[], ['+nightly']]
  const has = (toolchain) => spawnSync('cargo', [...toolchain, 'miri', '--version']).status === 0
  const toolchain = toolchains.find(has)
  if (!toolchain) {
    console.log('== skipped: Miri, for no installed toolchain has `cargo miri`')
    return
  }
  console.log('== Miri')
  run('cargo', [...toolchain, 'miri', 'test', '-p', 'nalloc-zk', '--lib', '--', ...tests], {
    env: {
      ...process.env,
      CARGO_TARGET_DIR: path.join(root, 'target', 'miri'),
      MIRIFLAGS: '-Zmiri-strict-provenance',
    },
  })
}
