import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import type { NallocError } from 'nalloc'
import { native } from './_internal.ts'

const { loadBinding } = native
const ADDON = { name: 'the addon' }

/** A host whose packages are `packages` and whose local build is there or not. */
function host(changes: Partial<Parameters<typeof loadBinding>[0]> = {}) {
  return {
    platform: 'linux',
    arch: 'x64',
    isGlibc: true,
    root: path.join(os.tmpdir(), 'no such folder'),
    load: (id: string) => {
      throw Object.assign(new Error(`Cannot find module '${id}'`), { code: 'MODULE_NOT_FOUND' })
    },
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
    const asked: string[] = []
    const load = (id: string) => {
      asked.push(id)
      return ADDON
    }

    t.is(loadBinding(host({ arch, isGlibc, load })), ADDON as never)
    t.deepEqual(asked, [expected])
  }
})

test('the local build beside package.json wins over the package', (t) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(root, { recursive: true }))
  const file = path.join(root, 'nalloc.linux-arm64-musl.node')
  fs.writeFileSync(file, '')
  const asked: string[] = []

  loadBinding(host({ root, arch: 'arm64', isGlibc: false, load: (id) => asked.push(id) }))

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

test('a package that is there and fails to load says why', (t) => {
  const load = () => {
    throw new Error('version GLIBC_2.99 not found')
  }
  const error = t.throws<NallocError>(() => loadBinding(host({ load })))

  t.is(error?.code, 'ERR_BINARY_MISSING')
  t.regex(error?.message ?? '', /does not load: version GLIBC_2\.99 not found/)
})
