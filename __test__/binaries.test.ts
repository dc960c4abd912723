// Each check of scripts/binaries.mjs, on a library that was linked to break it.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { native } from './_internal.ts'
import { root } from './_repository.ts'

const TUPLE = native.hostTuple()
const SOURCE = 'void napi_register_module_v1(void) {}\n'
/** What makes a library that may be shipped; each row adds to it. */
const GOOD = ['-s', '-Wl,-z,nodelete', '-Wl,-z,now', '-Wl,-z,relro', '-Wl,-z,noexecstack']
const testOnX64 = TUPLE === 'linux-x64-gnu' ? test : test.skip

interface Fault {
  readonly title: string
  readonly flags: readonly string[]
  readonly source?: string
  readonly problem: RegExp
}

const FAULTS: readonly Fault[] = [
  { title: 'an executable stack', flags: ['-Wl,-z,execstack'], problem: /stack: .* found RWE/ },
  { title: 'lazy binding', flags: ['-Wl,-z,lazy'], problem: /no BIND_NOW/ },
  { title: 'writable relocations', flags: ['-Wl,-z,norelro'], problem: /no GNU_RELRO/ },
  { title: 'a run path', flags: ['-Wl,-rpath,/opt'], problem: /search path: RUNPATH .*\/opt/ },
  {
    title: 'an old run path',
    flags: ['-Wl,--disable-new-dtags,-rpath,/opt'],
    problem: /search path: RPATH .*\/opt/,
  },
  {
    title: 'text relocations',
    flags: ['-Wl,-z,notext'],
    source: `${SOURCE}__asm__(".text\\n.quad napi_register_module_v1");\n`,
    problem: /TEXTREL/,
  },
  {
    title: 'a glibc newer than 2.28',
    flags: [],
    source: `${SOURCE}int pthread_once(int *, void (*)(void)); void f(void) { static int o; pthread_once(&o, f); }\n`,
    problem: /needs glibc 2\.3\d, must run on 2\.28/,
  },
  {
    title: 'a library that not every system has',
    flags: ['-Wl,--no-as-needed', '-lgcc_s'],
    problem: /needs libgcc_s\.so\.1/,
  },
  { title: 'no entry', flags: [], source: 'void f(void) {}\n', problem: /does not export napi_/ },
  {
    title: 'paths of the machine that built it',
    flags: [],
    source: `${SOURCE}const char place[] = "/home/somebody/nalloc/src/lib.rs";\n`,
    problem: /holds paths/,
  },
]

/** Links a library for this machine, and checks it as one of the shipped ones. */
function check(t: ExecutionContext, flags: readonly string[], source = SOURCE): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  const file = path.join(folder, `nalloc.${TUPLE}.node`)
  const args = ['-shared', '-fPIC', '-x', 'c', '-', '-o', file, ...flags]
  const linked = spawnSync('cc', args, { input: source, encoding: 'utf8' })
  t.is(linked.status, 0, linked.stderr)
  return checkFile(file)
}

function checkFile(file: string): string {
  const script = path.join(root, 'scripts/binaries.mjs')
  const { status, stdout, stderr } = spawnSync('node', [script, file], { encoding: 'utf8' })
  return `${status} ${stdout}${stderr}`
}

testOnX64('a library without a fault may be shipped', (t) => {
  t.regex(check(t, GOOD), /^0 nalloc\.\S+ +\d+ KiB +glibc \S+ +ok$/m)
})

for (const { title, flags, source, problem } of FAULTS) {
  testOnX64(`a library with ${title} may not be shipped`, (t) => {
    const said = check(t, [...GOOD, ...flags], source)

    t.regex(said, /^1 .*FAIL: /)
    t.regex(said, problem)
    t.is(said.split(';').length, 1, `no other fault: ${said}`)
  })
}

testOnX64('a library that dlclose may unload, or with symbols, may not be shipped', (t) => {
  t.regex(
    check(
      t,
      GOOD.filter((flag) => !flag.includes('nodelete')),
    ),
    /FAIL: no NODELETE/,
  )
  t.regex(
    check(
      t,
      GOOD.filter((flag) => flag !== '-s'),
    ),
    /FAIL: not stripped: \.symtab/,
  )
})

testOnX64('a library for another processor may not be shipped under this name', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'nalloc.linux-arm64-gnu.node')
  fs.copyFileSync(path.join(root, `nalloc.${TUPLE}.node`), file)

  t.regex(checkFile(file), /FAIL: machine: expected AArch64, found Advanced Micro Devices X86-64/)
})

test('a name without a target, and a file that is not there, are refused', (t) => {
  t.regex(checkFile('/tmp/library.so'), /^1 .*expected a name such as/)
  t.regex(checkFile('/tmp/none/nalloc.linux-x64-gnu.node'), /^1 .*is missing: npm run build:all/)
})
