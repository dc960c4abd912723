import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Environment, environment, ProvingKey } from 'nalloc'
import { environment as internal, native } from './_internal.ts'
import { testBlocks } from './_markdown.ts'
import { fixtures, root } from './_repository.ts'

const { environmentOf } = internal
const MIB = 2 ** 20
const THP = 'sys/kernel/mm/transparent_hugepage/enabled'
const GOOD: Readonly<Record<string, string>> = {
  [THP]: 'always [madvise] never\n',
  'proc/self/limits': limits('8388608'),
  'proc/self/status': 'Name:\tnode\nCapEff:\t0000000000000000\n',
  'proc/self/maps': '7f00-7f10 r-xp 00000000 fe:00 1 /lib/libc.so.6\n',
  'proc/self/smaps': smaps([{ start: 0x1000_0000, rssKib: 200_000, hugeKib: 4096 }]),
}
const SURROUNDINGS = {
  kernel: '6.1.0',
  tuple: 'linux-x64-gnu',
  cpu: 'baseline',
  pageSize: 4096,
  cgroupLimitBytes: undefined as number | undefined,
  heap: { start: 0x1000_0000, end: 0x9000_0000 },
}

function limits(memlock: string): string {
  return [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max cpu time              unlimited            unlimited            seconds   ',
    `Max locked memory         ${memlock.padEnd(20)} unlimited            bytes     `,
    'Max address space         unlimited            unlimited            bytes     ',
    '',
  ].join('\n')
}

function smaps(
  mappings: readonly {
    readonly start: number
    readonly rssKib: number
    readonly hugeKib: number
  }[],
): string {
  const blocks = mappings.map(({ start, rssKib, hugeKib }) => [
    `${start.toString(16)}-${(start + 4096).toString(16)} rw-p 00000000 00:00 0 `,
    'Size:             262144 kB',
    `Rss:              ${`${rssKib}`.padStart(6)} kB`,
    `AnonHugePages:    ${`${hugeKib}`.padStart(6)} kB`,
    'VmFlags: rd wr mr mw me ac hg',
  ])
  return `${blocks.flat().join('\n')}\n`
}

/** The environment of a machine whose files are those of a good one, with changes. */
async function environmentWith(
  t: ExecutionContext,
  changes: Readonly<Record<string, string | undefined>> = {},
  surroundings: Partial<typeof SURROUNDINGS> = {},
): Promise<Environment> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries({ ...GOOD, ...changes })) {
    if (text === undefined) continue
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  return environmentOf({ ...SURROUNDINGS, ...surroundings, root: folder })
}

const idsOf = ({ warnings }: Environment) => warnings.map(({ id }) => id)

test('this process has an environment, and it is JSON', async (t) => {
  using key = await ProvingKey.open(path.join(fixtures, 'chain2000.zkey'))
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))

  const found = await environment()

  t.deepEqual(JSON.parse(JSON.stringify(found)), found)
  t.is(found.version, version)
  t.true(fs.existsSync(path.join(root, `nalloc.${found.triple}.node`)), found.triple)
  t.is(found.kernel, os.release())
  const flags = fs.readFileSync('/proc/cpuinfo', 'utf8')
  const hasIfma = ['avx512f', 'avx512dq', 'avx512ifma', 'avx512_vbmi2'].every((flag) =>
    flags.includes(` ${flag}`),
  )
  const asked = process.env['NALLOC_CPU'] ?? 'auto'
  const chosen = hasIfma ? 'ifma' : 'baseline'
  const cpu: string = found.cpu
  t.is(cpu, asked === 'auto' ? chosen : asked)
  t.true(found.pageSize >= 4096 && found.memlockBytes >= 0)
  t.true(found.thp.obtainedBytes % found.pageSize === 0)
  t.is(found.preloaded, false)
  t.true(key.info.nVars > 0)
})

test('the huge pages of this process are those of the heap alone', async (t) => {
  const { heapStart, heapEnd } = native.binding().host()
  const maps = fs.readFileSync('/proc/self/maps', 'utf8').split('\n')

  const starts = maps.map((line) => Number.parseInt(line, 16))

  const inside = starts.filter((start) => start >= (heapStart ?? 0) && start < (heapEnd ?? 0))
  t.true(inside.length >= 1 && inside.length < starts.length / 2, `${inside.length}`)
  t.true(inside.includes(heapStart ?? 0))
})

test('a good machine has no warning', async (t) => {
  t.deepEqual(await environmentWith(t), {
    version: (await environment()).version,
    triple: 'linux-x64-gnu',
    libc: 'gnu',
    kernel: '6.1.0',
    cpu: 'baseline',
    pageSize: 4096,
    thp: { mode: 'madvise', obtainedBytes: 4 * MIB },
    memlockBytes: 8 * MIB,
    cgroupLimitBytes: null,
    preloaded: false,
    warnings: [],
  })
})

test('musl is told from glibc', async (t) => {
  const { libc } = await environmentWith(t, {}, { tuple: 'linux-arm64-musl' })

  t.is(libc, 'musl')
})

test('only mappings that begin in the heap are counted', async (t) => {
  const all = smaps([
    { start: 0x0fff_f000, rssKib: 8, hugeKib: 1 },
    { start: 0x1000_0000, rssKib: 8, hugeKib: 2048 },
    { start: 0x1100_0000, rssKib: 8, hugeKib: 4096 },
    { start: 0x9000_0000, rssKib: 8, hugeKib: 64 },
    { start: 0x7fff_0000_0000, rssKib: 8, hugeKib: 128 },
  ])

  const { thp } = await environmentWith(t, { 'proc/self/smaps': all })
  const none = await environmentWith(t, { 'proc/self/smaps': all }, { heap: undefined as never })

  t.is(thp.obtainedBytes, 6 * MIB)
  t.is(none.thp.obtainedBytes, 0)
})

test('huge pages that are switched off are a warning', async (t) => {
  const off = await environmentWith(t, { [THP]: 'always madvise [never]\n' })

  t.deepEqual(idsOf(off), ['thp-off'])
  t.is(off.thp.mode, 'never')
  for (const mode of ['[always] madvise never', 'always [madvise] never']) {
    t.deepEqual(idsOf(await environmentWith(t, { [THP]: mode })), [])
  }
})

test('a large heap without huge pages is a warning, a small one is not', async (t) => {
  const heap = (rssKib: number, hugeKib: number) => ({
    'proc/self/smaps': smaps([{ start: 0x1000_0000, rssKib, hugeKib }]),
  })

  const without = await environmentWith(t, heap(65_536, 0))

  t.deepEqual(idsOf(without), ['thp-not-obtained'])
  t.regex(without.warnings[0]?.message ?? '', /expected some in 64\.0 MiB of heap, got none/)
  t.deepEqual(idsOf(await environmentWith(t, heap(65_535, 0))), [])
  t.deepEqual(idsOf(await environmentWith(t, heap(65_536, 2048))), [])
})

test('a small limit of locked memory is a warning, unless it does not hold', async (t) => {
  const small = await environmentWith(t, { 'proc/self/limits': limits('65536') })

  t.deepEqual(idsOf(small), ['memlock-small'])
  t.is(small.memlockBytes, 65_536)
  t.regex(small.warnings[0]?.message ?? '', /got 0\.1 MiB\. Witnesses of more than 2048 signals/)
  const unlimited = await environmentWith(t, { 'proc/self/limits': limits('unlimited') })
  const privileged = await environmentWith(t, {
    'proc/self/limits': limits('0'),
    'proc/self/status': 'CapEff:\t0000000000004000\n',
  })
  const unprivileged = await environmentWith(t, {
    'proc/self/limits': limits('0'),
    'proc/self/status': 'CapEff:\t000001ffffffbfff\n',
  })
  for (const { memlockBytes, warnings } of [unlimited, privileged]) {
    t.is(memlockBytes, Number.MAX_SAFE_INTEGER)
    t.deepEqual(warnings, [])
  }
  t.deepEqual(idsOf(unprivileged), ['memlock-small'])
})

test('a small cgroup is a warning', async (t) => {
  const small = await environmentWith(t, {}, { cgroupLimitBytes: 512 * MIB - 1 })
  const enough = await environmentWith(t, {}, { cgroupLimitBytes: 512 * MIB })

  t.deepEqual(idsOf(small), ['cgroup-small'])
  t.is(small.cgroupLimitBytes, 512 * MIB - 1)
  t.deepEqual(idsOf(enough), [])
})

test('the preloaded library is found where it is mapped', async (t) => {
  const line = (name: string) => ({
    'proc/self/maps': `7f00-7f10 r-xp 00000000 fe:00 1 /opt/${name}\n`,
  })

  t.true((await environmentWith(t, line('libnalloc_preload.so'))).preloaded)
  t.true((await environmentWith(t, line('libnalloc_preload.linux-arm64-musl.so'))).preloaded)
  t.false((await environmentWith(t, line('libnalloc_preload.so.txt'))).preloaded)
  t.false((await environmentWith(t, line('not_libnalloc_preload.so'))).preloaded)
})

test('a machine that shows nothing has an environment without guesses', async (t) => {
  const nothing = Object.fromEntries(Object.keys(GOOD).map((name) => [name, undefined]))

  const found = await environmentWith(t, nothing)

  t.like(found, { thp: { mode: 'unknown', obtainedBytes: 0 }, memlockBytes: 0, preloaded: false })
  t.deepEqual(found.warnings, [])
})

testBlocks('docs/tuning.md')

test('every warning names a heading that docs/tuning.md has', async (t) => {
  const page = fs.readFileSync(path.join(root, 'docs/tuning.md'), 'utf8')
  const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading.toLowerCase().replaceAll(' ', '-'),
  )
  const machines = [
    await environmentWith(t, { [THP]: 'always madvise [never]' }, { cgroupLimitBytes: MIB }),
    await environmentWith(t, {
      'proc/self/smaps': smaps([{ start: 0x1000_0000, rssKib: 100_000, hugeKib: 0 }]),
      'proc/self/limits': limits('0'),
    }),
  ]
  const warnings = machines.flatMap((machine) => machine.warnings)

  t.deepEqual(warnings.map(({ id }) => id).sort(), [
    'cgroup-small',
    'memlock-small',
    'thp-not-obtained',
    'thp-off',
  ])
  for (const { id, message, fix } of warnings) {
    t.regex(message, /^[\w ]+: expected .*, got .*\. .*\.$/, id)
    const [file, anchor = ''] = fix.split('#')
    t.is(file, 'docs/tuning.md')
    t.true(anchors.includes(anchor), `${anchor} of ${anchors.join(' ')}`)
    t.true(page.includes(`\`${id}\``), `${id} is explained`)
  }
})
