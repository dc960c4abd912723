// Checks the binaries that are shipped, of those named or of every target: `npm run check:binaries`.
// A row for each: size, newest glibc that it needs, or what is wrong; exits 1 when anything is.
//
// Read with binutils' readelf, which reads every architecture's files.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { orFail } from './steps.mjs'
import { GLIBC_MAX, TARGETS } from './targets.mjs'
import { needDebian, outputOf } from './tools.mjs'

const MACHINES = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' }
const NEEDED = {
  glibc: /^(libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1|ld-linux-.*)$/,
  musl: /^libc\.so$/,
}
/** What the one who loads a file looks for in it. */
const EXPORTS = { '.node': 'napi_register_module_v1', '.so': 'malloc' }

/** What is wrong with a binary of a target: a sentence each, none if it may be shipped. */
export function problemsOf(file, { cpu, libc }) {
  const text = outputOf('readelf', ['-W', '-h', '-l', '-d', '-S', '-V', '--dyn-syms', file], {
    env: { ...process.env, LC_ALL: 'C' },
  })
  const dynamic = (tag) =>
    [...text.matchAll(new RegExp(`^ 0x\\w+ \\(${tag}\\) +(.*)$`, 'gm'))].map(([, value]) => value)
  const problems = []
  const expect = (isGood, problem) => {
    if (!isGood) problems.push(problem)
  }

  const machine = /^ +Machine: +(.*)$/m.exec(text)?.[1]
  expect(machine === MACHINES[cpu], `machine: expected ${MACHINES[cpu]}, found ${machine}`)
  const stack = /^ +GNU_STACK +(?:0x\w+ +){5}([RWE ]{3}) /m.exec(text)?.[1]
  expect(stack?.trim() === 'RW', `stack: expected RW, found ${stack?.trim() ?? 'no GNU_STACK'}`)
  expect(/^ +GNU_RELRO /m.test(text), 'relocations: no GNU_RELRO')
  const flags = [...dynamic('FLAGS'), ...dynamic('FLAGS_1'), ...dynamic('BIND_NOW')].join(' ')
  expect(/\b(BIND_)?NOW\b/.test(flags) || dynamic('BIND_NOW').length > 0, 'no BIND_NOW')
  expect(/\bNODELETE\b/.test(flags), 'no NODELETE: dlclose would take running code away')
  const hasTextRelocations = dynamic('TEXTREL').length > 0 || /\bTEXTREL\b/.test(flags)
  expect(!hasTextRelocations, 'relocations in the text: TEXTREL')
  for (const tag of ['RPATH', 'RUNPATH']) {
    expect(dynamic(tag).length === 0, `a search path: ${tag} ${dynamic(tag).join(' ')}`)
  }
  const debris = text.match(/ \.(symtab|debug_\w+) /g)?.map((name) => name.trim()) ?? []
  expect(debris.length === 0, `not stripped: ${debris.join(' ')}`)

  const needed = dynamic('NEEDED').map((value) => /\[(.*)\]/.exec(value)?.[1] ?? value)
  const strangers = needed.filter((name) => !NEEDED[libc].test(name))
  expect(strangers.length === 0, `needs ${strangers.join(', ')}, which not every system has`)
  const glibc = newestGlibc(text)
  if (libc === 'musl') expect(glibc === undefined, `needs glibc ${glibc}, is for musl`)
  else expect(isAtMost(glibc, GLIBC_MAX), `needs glibc ${glibc}, must run on ${GLIBC_MAX}`)

  const symbol = EXPORTS[path.extname(file)]
  const isExported = new RegExp(`(GLOBAL|WEAK) +DEFAULT +\\d+ ${symbol}(@|$)`, 'm').test(text)
  expect(isExported, `does not export ${symbol}`)
  expect(!holdsPaths(file), 'holds paths of the machine that built it')
  return { problems, glibc }
}

/** The newest version of glibc's that a file needs a symbol of. */
function newestGlibc(text) {
  const versions = [...text.matchAll(/\bName: GLIBC_([\d.]+)/g)].map(([, version]) => version)
  return versions.sort((a, b) => (isAtMost(a, b) ? -1 : 1)).at(-1)
}

function isAtMost(version, bound) {
  const [found = [0], limit] = [version, bound].map((text) => text?.split('.').map(Number))
  const [a, b] = [0, 1, 2].map((i) => [found[i] ?? 0, limit[i] ?? 0]).find(([x, y]) => x !== y) ?? [
    0, 0,
  ]
  return a <= b
}

/** Whether the bytes name a home or temporary folder, as messages of panics would. */
function holdsPaths(file) {
  const bytes = fs.readFileSync(file, 'latin1')
  return /\/(home|root|tmp|work)\/[\w.-]+\/[^\0]{0,80}\.rs/.test(bytes)
}

/** Prints a row for each file; true when all may be shipped. */
export function checkBinaries(files) {
  needDebian(['binutils'], () => outputOf('sh', ['-c', 'command -v readelf || true']) !== '')
  let isGood = true
  for (const file of files) {
    const name = path.basename(file)
    const target = TARGETS.find(({ tuple }) => name.includes(`.${tuple}.`))
    if (target === undefined) throw new Error(`${name}: expected a name such as a.linux-x64-gnu.so`)
    if (!fs.existsSync(file)) throw new Error(`${file} is missing: npm run build:all`)
    const { problems, glibc } = problemsOf(file, target)
    const size = `${(fs.statSync(file).size / 1024).toFixed(0)} KiB`.padStart(9)
    const libc = target.libc === 'musl' ? 'musl' : `glibc ${glibc}`
    const verdict = problems.length === 0 ? 'ok' : `FAIL: ${problems.join('; ')}`
    console.log(`${name.padEnd(42)} ${size}  ${libc.padEnd(10)}  ${verdict}`)
    isGood &&= problems.length === 0
  }
  return isGood
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const named = process.argv.slice(2)
  const all = TARGETS.flatMap(({ addon, preload }) => [addon, preload])
  if (!orFail(() => checkBinaries(named.length > 0 ? named : all))) process.exitCode = 1
}
