// Files that are meant to break a reader: each gives a result or one of the library's codes.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { NallocError, ProvingKey } from 'nalloc'
import { assertEnding, runChild } from './_child.ts'
import { containerOf, type MadeContainer, primeBytes, sectionsOf, u32, u64 } from './_container.ts'
import { inspection } from './_internal.ts'
import { randomWords } from './_random.ts'
import { fixtures } from './_repository.ts'
import { temporaryFile, temporaryFolder } from './_temporary.ts'
import { PRIME } from './_wtns.ts'

const folder = path.join(fixtures, 'malformed')
const base = fs.readFileSync(path.join(folder, 'base.zkey'))
const COUNT_MAX = 2 ** 32 - 1
/** What concerns values, points or more than one file, which are not looked at. */
const NOT_LOOKED_AT = [
  'ERR_NON_CANONICAL',
  'ERR_NOT_ON_CURVE',
  'ERR_POINT_AT_INFINITY',
  'ERR_NOT_IN_SUBGROUP',
  'ERR_INSECURE_KEY',
  'ERR_SELF_VERIFY',
  'ERR_WITNESS_ONE',
  'ERR_WITNESS_LENGTH',
  'ERR_PRIME_MISMATCH',
  'ERR_UNSUPPORTED_CURVE',
]

/** The kind of file, or the code of the error; anything else that is thrown comes out. */
async function outcome(file: string): Promise<string> {
  try {
    return (await inspection.inspectFile(file, path.basename(file))).kind
  } catch (error) {
    if (error instanceof NallocError) return error.code
    throw error
  }
}

function outcomeOf(t: ExecutionContext, made: MadeContainer | Uint8Array): Promise<string> {
  const bytes = made instanceof Uint8Array ? made : containerOf(made)
  return outcome(temporaryFile(t, 'file', bytes))
}

for (const line of fs
  .readFileSync(path.join(folder, 'INDEX.tsv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)) {
  const [name = '', zkey = '', wtns = '', verdict = '', codes = ''] = line.split('\t')
  const file = zkey === 'base.zkey' ? wtns : zkey
  test(`malformed ${name}: the library's code, where the file's form is wrong`, async (t) => {
    const allowed = codes.split('|')
    const found = await outcome(path.join(folder, file))

    const [, other] = /_is_a_(zkey|wtns)$/.exec(name) ?? []
    if (other !== undefined) t.is(found, other)
    else if (verdict === 'accept') t.is(found, path.extname(file).slice(1))
    else if (allowed.includes('ERR_UNSUPPORTED_PROTOCOL')) {
      // It reads PLONK keys, and these have only the number of the protocol.
      t.regex(found, /^ERR_SECTION_(LENGTH|MISSING)$/)
    } else if (/_n8[qr]?_is_/.test(name)) {
      // It reads other fields, whose length must fit their section.
      t.true([...allowed, 'ERR_SECTION_LENGTH'].includes(found), found)
    } else if (allowed.some((code) => NOT_LOOKED_AT.includes(code))) t.regex(found, /^(zkey|wtns)$/)
    else t.true(allowed.includes(found), found)
  })
}

test('a key that ends at any byte is truncated, and says so', async (t) => {
  const file = temporaryFile(t, 'cut.zkey', base)

  for (let length = base.length - 1; length >= 0; length -= 1) {
    fs.truncateSync(file, length)
    t.is(await outcome(file), 'ERR_TRUNCATED', `${length} bytes`)
  }
})

test('a key with any byte of its table or header changed gives what the library gives', async (t) => {
  const next = randomWords(1)
  const headerEnd = 760
  const file = temporaryFile(t, 'changed.zkey', base)
  const codeOf = (error: unknown) => (error instanceof NallocError ? error.code : String(error))

  for (let at = 4; at < headerEnd; at += 1) {
    const bytes = Buffer.from(base)
    bytes[at] = (bytes[at] ?? 0) ^ (1 + (next() % 255))
    fs.writeFileSync(file, bytes)

    const ours = await outcome(file)
    const theirs = await ProvingKey.open(file, { allowInsecure: true }).then((key) => {
      key.dispose()
      return 'zkey'
    }, codeOf)

    // Another curve or protocol, and points that are none, are no matter of form.
    const isLooser = ['zkey', 'ERR_SECTION_LENGTH', 'ERR_UNSUPPORTED_CURVE'].includes(ours)
    const mayDiffer = NOT_LOOKED_AT.includes(theirs) || theirs === 'ERR_UNSUPPORTED_PROTOCOL'
    t.true(
      ours === theirs || (isLooser && mayDiffer),
      `byte ${at}: ${ours}, ${theirs} by the library`,
    )
  }
})

test('random bytes after a magic end in a code', async (t) => {
  const next = randomWords(2)
  const file = temporaryFile(t, 'random', Buffer.alloc(0))

  for (let round = 0; round < 500; round += 1) {
    const magic = ['zkey', 'wtns', 'r1cs', 'ptau'][round % 4] ?? ''
    const noise = Buffer.from(Array.from({ length: next() % 200 }, () => next() & 0xff))
    const version = u32(1, 1 + (next() % 3))
    fs.writeFileSync(file, Buffer.concat([Buffer.from(magic), version, noise]))
    t.regex(await outcome(file), /^ERR_/, `round ${round}`)
  }
})

test('counts and lengths of 2^32 and more are refused', async (t) => {
  const head = { magic: 'zkey', version: 1 }
  const empty = Buffer.alloc(0)
  const section = (claimedBytes: bigint) => ({
    ...head,
    sections: [{ id: 1, bytes: empty, claimedBytes }],
  })

  t.is(await outcomeOf(t, { ...head, sections: [], claimedSections: COUNT_MAX }), 'ERR_TRUNCATED')
  t.is(await outcomeOf(t, { ...head, sections: [] }), 'ERR_SECTION_MISSING')
  for (const claimed of [1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    t.is(await outcomeOf(t, section(claimed)), 'ERR_TRUNCATED', String(claimed))
  }
  t.is(await outcomeOf(t, section(0n)), 'ERR_SECTION_LENGTH')
})

test('headers that claim too much are refused', async (t) => {
  const prime = primeBytes(32, PRIME)
  const wtns = (header: Uint8Array) => ({
    magic: 'wtns',
    version: 2,
    sections: [
      { id: 1, bytes: header },
      { id: 2, bytes: Buffer.alloc(32) },
    ],
  })
  const r1cs = (counts: Uint8Array, constraints: number) => ({
    magic: 'r1cs',
    version: 1,
    sections: [
      { id: 1, bytes: Buffer.concat([prime, counts]) },
      { id: 2, bytes: Buffer.alloc(constraints) },
    ],
  })
  const ptau = (power: number) => ({
    magic: 'ptau',
    version: 1,
    sections: [
      { id: 1, bytes: Buffer.concat([prime, u32(power, power)]) },
      ...[2, 3, 4, 5, 6, 7].map((id) => ({ id, bytes: Buffer.alloc(4) })),
    ],
  })

  t.is(await outcomeOf(t, wtns(Buffer.concat([prime, u32(1)]))), 'wtns', 'control')
  t.is(await outcomeOf(t, wtns(Buffer.concat([prime, u32(COUNT_MAX)]))), 'ERR_SECTION_LENGTH')
  t.is(await outcomeOf(t, wtns(u32(COUNT_MAX))), 'ERR_PRIME_MISMATCH')
  t.is(await outcomeOf(t, wtns(u32(0))), 'ERR_PRIME_MISMATCH')
  t.is(await outcomeOf(t, wtns(u32(32))), 'ERR_SECTION_LENGTH')
  t.is(await outcomeOf(t, wtns(Buffer.alloc(0))), 'ERR_SECTION_LENGTH')
  const counts = (nVars: number, nOutputs: number, nConstraints: number) =>
    Buffer.concat([u32(nVars, nOutputs, 0, 0), u64(2n ** 64n - 1n), u32(nConstraints)])
  t.is(await outcomeOf(t, r1cs(counts(4, 1, 1), 12)), 'r1cs', 'control')
  t.is(await outcomeOf(t, r1cs(counts(COUNT_MAX, COUNT_MAX - 1, 1), 12)), 'r1cs')
  t.is(await outcomeOf(t, r1cs(counts(4, 4, 1), 12)), 'ERR_BAD_HEADER')
  t.is(await outcomeOf(t, r1cs(counts(4, 1, COUNT_MAX), 12)), 'ERR_SECTION_LENGTH')
  t.is(await outcomeOf(t, r1cs(Buffer.alloc(0), 12)), 'ERR_SECTION_LENGTH')
  for (const power of [0, 33, COUNT_MAX]) t.is(await outcomeOf(t, ptau(power)), 'ERR_BAD_HEADER')
  t.is(await outcomeOf(t, ptau(28)), 'ERR_SECTION_LENGTH')
})

test('a needed section that occurs twice is refused, another is not', async (t) => {
  const sections = sectionsOf(base)
  const again = (id: number) => ({
    magic: 'zkey',
    version: 1,
    sections: [...sections, ...sections.filter((section) => section.id === id)],
  })

  for (const id of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    t.is(await outcomeOf(t, again(id)), 'ERR_SECTION_DUPLICATE', `section ${id}`)
  }
  // The library skips the record of the ceremony, whatever it is.
  const twice = await inspection.inspectFile(temporaryFile(t, 'k', containerOf(again(10))), 'k')
  t.like(twice, { kind: 'zkey', contributions: null })
  const unknown = Array.from({ length: 100 }, () => ({ id: 99, bytes: Buffer.alloc(0) }))
  const many = { magic: 'zkey', version: 1, sections: [...sections, ...unknown] }
  const found = await inspection.inspectFile(temporaryFile(t, 'many', containerOf(many)), 'many')
  t.like(found, { sectionCount: sections.length + 100 })
  t.is('sections' in found && found.sections.length, 64)
})

test('what is no regular file is refused without waiting', async (t) => {
  const place = temporaryFolder(t)
  const [fifo, socket] = [path.join(place, 'fifo'), path.join(place, 'socket')]
  execFileSync('mkfifo', [fifo])
  const server = net.createServer().listen(socket)
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())

  for (const file of [fifo, socket, place, '/dev/zero', '/dev/null', path.join(place, 'absent')]) {
    t.is(await outcome(file), 'ERR_IO', file)
  }
})

test('a file that changes while it is read is refused', async (t) => {
  const large = Buffer.concat([base, Buffer.alloc(3 * 2 ** 20)])
  const changes: readonly ((file: string) => void)[] = [
    (file) => fs.truncateSync(file, 2 ** 20),
    (file) => fs.appendFileSync(file, 'x'),
    (file) => fs.utimesSync(file, 1, 1),
  ]

  for (const change of changes) {
    const file = temporaryFile(t, 'changing.zkey', large)
    let isChanged = false
    const onProgress = () => {
      if (!isChanged) change(file)
      isChanged = true
    }
    await t.throwsAsync(inspection.inspectFile(file, 'k', { onProgress }), {
      instanceOf: NallocError,
      code: 'ERR_FILE_CHANGED',
    })
  }
})

test('memory stays small for a large file, and for a million sections', async (t) => {
  const place = temporaryFolder(t)
  const [large, tiny] = [path.join(place, 'large.wtns'), path.join(place, 'tiny.zkey')]
  const values = 2 ** 23
  const header = Buffer.concat([primeBytes(32, PRIME), u32(values)])
  const table = [
    { id: 1, bytes: header },
    { id: 2, bytes: Buffer.alloc(0), claimedBytes: BigInt(32 * values) },
  ]
  const start = containerOf({ magic: 'wtns', version: 2, sections: table })
  fs.writeFileSync(large, start)
  // The values are a hole in the file.
  fs.truncateSync(large, start.length + 32 * values)
  const sections = Array.from({ length: 2 ** 20 }, () => ({ id: 77, bytes: Buffer.alloc(0) }))
  fs.writeFileSync(tiny, containerOf({ magic: 'zkey', version: 1, sections }))

  const ending = await runChild('inspectFiles', [large, tiny])

  assertEnding(t, ending, 0)
  const [idle = 0, ...peaks] = ending.stdout.split(' ').map(Number)
  t.is(peaks.length, 2, ending.stdout)
  for (const peak of peaks) t.true(peak - idle < 2 ** 26, `${idle} bytes before, ${peak} at most`)
})
