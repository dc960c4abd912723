import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import type { NallocError } from 'nalloc'
import { runNode } from './_child.ts'
import { native } from './_internal.ts'
import { readJson, root } from './_repository.ts'

const { loadBinding } = native
const ADDON = { name: 'the addon' }

const MACHINES = { x64: 62, arm64: 183 }
const SECTIONS_AT = 40
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
test.after.always(() => fs.rmSync(folder, { recursive: true }))

/** The head of a library of 64 bits whose table of sections ends with the file. */
function library(arch: keyof typeof MACHINES): Buffer {
  const bytes = Buffer.alloc(128)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1])
  bytes.writeUInt16LE(MACHINES[arch], 18)
  bytes.writeBigUInt64LE(64n, SECTIONS_AT)
  bytes.writeUInt16LE(64, 58)
  bytes.writeUInt16LE(1, 60)
  return bytes
}

function fileWith(name: string, bytes: Uint8Array): string {
  const file = path.join(folder, name)
  fs.writeFileSync(file, bytes)
  return file
}

/** A host without any package and without a local build. */
function host(changes: Partial<Parameters<typeof loadBinding>[0]> = {}) {
  return {
    platform: 'linux',
    arch: 'x64',
    isGlibc: true,
    nodeVersion: '20.19.0',
    root: path.join(folder, 'node_modules/nalloc'),
    resolve: (id: string): string => {
      throw Object.assign(new Error(`Cannot find module '${id}'`), { code: 'MODULE_NOT_FOUND' })
    },
    load: () => ADDON,
    ...changes,
  }
}

test('each of the four tuples has its own package', (t) => {
  const tuples = [
    ['x64', true, '@nalloc/linux-x64-gnu'],
    ['x64', false, '@nalloc/linux-x64-musl'],
    ['arm64', true, '@nalloc/linux-arm64-gnu'],
    ['arm64', false, '@nalloc/linux-arm64-musl'],
  ] as const

  for (const [arch, isGlibc, expected] of tuples) {
    const file = fileWith('tuple.node', library(arch))
    const asked: string[] = []
    const resolve = (id: string) => {
      asked.push(id)
      return file
    }
    const load = (id: string) => {
      asked.push(id)
      return ADDON
    }

    t.is(loadBinding(host({ arch, isGlibc, resolve, load })), ADDON as never)
    t.deepEqual(asked, [expected, file])
  }
})

test('the local build beside package.json wins over the package', (t) => {
  const file = fileWith('nalloc.linux-arm64-musl.node', library('arm64'))
  const asked: string[] = []
  const load = (id: string) => asked.push(id)

  loadBinding(host({ root: folder, arch: 'arm64', isGlibc: false, load }))

  t.deepEqual(asked, [file])
})

test('another system or processor is ERR_PLATFORM and says what was found', (t) => {
  for (const [platform, arch] of [
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['linux', 'ia32'],
  ] as const) {
    const error = t.throws<NallocError>(() => loadBinding(host({ platform, arch })))

    t.is(error?.code, 'ERR_PLATFORM')
    t.regex(
      error?.message ?? '',
      new RegExp(`^linux x64/arm64 only \\(found ${platform}-${arch}\\)`),
    )
    t.deepEqual(error?.details, { platform, arch })
  }
})

test('an absent package is ERR_BINARY_MISSING with the command that installs it', (t) => {
  const error = t.throws<NallocError>(() => loadBinding(host({ isGlibc: false })))

  t.is(error?.code, 'ERR_BINARY_MISSING')
  t.is(
    error?.message,
    'no prebuilt for linux-x64-musl in node_modules. Lockfile from another OS? ' +
      'npm i --os=linux --cpu=x64 --libc=musl nalloc',
  )
  t.regex(error?.hint ?? '', /^Lockfile from another OS/)
})

test('an absent package beside those of other systems names them', (t) => {
  const root = path.join(folder, 'other/nalloc')
  for (const tuple of ['linux-x64-musl', 'linux-arm64-gnu']) {
    fs.mkdirSync(path.join(root, '../@nalloc', tuple), { recursive: true })
  }

  const error = t.throws<NallocError>(() => loadBinding(host({ root })))

  t.is(error?.code, 'ERR_BINARY_MISSING')
  t.is(
    error?.message,
    'no prebuilt for linux-x64-gnu in node_modules, only linux-arm64-gnu, linux-x64-musl. ' +
      'Lockfile from another OS? npm i --os=linux --cpu=x64 --libc=glibc nalloc',
  )
})

test('a binary that is cut short, no library, or for another processor is never loaded', (t) => {
  const whole = library('x64')
  const rows: [bytes: Uint8Array, problem: string][] = [
    [whole.subarray(0, 100), 'expected 128 bytes, found 100: cut short'],
    [whole.subarray(0, 20), 'expected a library of 64 bits, found 20 bytes of something else'],
    [new Uint8Array(0), 'expected a library of 64 bits, found 0 bytes of something else'],
    [Buffer.alloc(128, 'x'), 'expected a library of 64 bits, found 128 bytes of something else'],
    [library('arm64'), 'expected a library for x64, found one for arm64'],
  ]

  for (const [bytes, problem] of rows) {
    const file = fileWith('damaged.node', bytes)
    const load = () => t.fail(problem)
    const error = t.throws<NallocError>(() => loadBinding(host({ resolve: () => file, load })))

    t.is(error?.code, 'ERR_BINARY_MISSING')
    t.is(
      error?.message,
      `${file} is there and does not load: ${problem}. Install it again: rm -r '${folder}' && ` +
        'npm i --os=linux --cpu=x64 --libc=glibc nalloc',
    )
  }
})

test('a local build that is damaged is built again, not installed', (t) => {
  const file = fileWith('nalloc.linux-x64-gnu.node', library('x64').subarray(0, 100))

  const error = t.throws<NallocError>(() => loadBinding(host({ root: folder })))

  t.true(error?.message.endsWith(`Build it again: rm '${file}' && npm run prepare:all`))
})

test('a package that is there and fails to load says why', (t) => {
  const file = fileWith('failing.node', library('x64'))
  const load = () => {
    throw new Error('version GLIBC_2.99 not found')
  }
  const error = t.throws<NallocError>(() => loadBinding(host({ resolve: () => file, load })))

  t.is(error?.code, 'ERR_BINARY_MISSING')
  t.regex(error?.message ?? '', /does not load: version GLIBC_2\.99 not found/)
})

test('a Node that is too old is ERR_PLATFORM, before any binary is looked for', (t) => {
  for (const nodeVersion of ['18.20.8', '20.18.3']) {
    const error = t.throws<NallocError>(() => loadBinding(host({ nodeVersion })))

    t.is(error?.code, 'ERR_PLATFORM')
    t.is(
      error?.message,
      `Node 20.19 or newer only (found ${nodeVersion}). Install a newer one: nvm install --lts`,
    )
  }
  const { engines } = readJson<{ engines: { node: string } }>(root, 'package.json')
  t.is(engines.node, `>= ${native.NODE_MIN.join('.')}`)
})

test('what npm put there for another system is one line, with the command that mends it', async (t) => {
  const nodeModules = path.join(folder, 'installed/node_modules')
  const nalloc = path.join(nodeModules, 'nalloc')
  fs.cpSync(path.join(root, 'dist'), path.join(nalloc, 'dist'), { recursive: true })
  fs.copyFileSync(path.join(root, 'package.json'), path.join(nalloc, 'package.json'))
  const own = native.hostTuple()
  const other = own.endsWith('musl') ? own.replace('musl', 'gnu') : own.replace('gnu', 'musl')
  const program = "require('nalloc').stats()"

  const lines: string[] = []
  for (const [tuple, bytes] of [
    [other, library('x64')],
    [own, library(process.arch === 'x64' ? 'arm64' : 'x64')],
    [own, fs.readFileSync(path.join(root, `nalloc.${own}.node`)).subarray(0, 100_000)],
  ] as const) {
    fs.rmSync(path.join(nodeModules, '@nalloc'), { recursive: true, force: true })
    const platform = path.join(nodeModules, '@nalloc', tuple)
    fs.mkdirSync(platform, { recursive: true })
    fs.copyFileSync(
      path.join(root, 'npm', tuple, 'package.json'),
      path.join(platform, 'package.json'),
    )
    fs.writeFileSync(path.join(platform, `nalloc.${tuple}.node`), bytes)

    const ending = await runNode(['-e', program], path.dirname(nodeModules))
    t.is(ending.status, 1)
    lines.push(/^NallocError: (.*)$/m.exec(ending.stderr)?.[1] ?? ending.stderr)
  }

  const command = / npm i --os=linux --cpu=\w+ --libc=\w+ nalloc$/
  for (const line of lines) t.regex(line, command)
  t.regex(lines[0] ?? '', new RegExp(`^no prebuilt for ${own} in node_modules, only ${other}\\.`))
  t.regex(lines[1] ?? '', /does not load: expected a library for \w+, found one for \w+\. Install/)
  t.regex(lines[2] ?? '', /does not load: expected \d+ bytes, found 100000: cut short\. Install/)
})
