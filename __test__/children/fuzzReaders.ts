// Changes files of every kind and has `nalloc inspect`'s readers read them: `npm run fuzz -- readers
// SECONDS`, and a test that does it a little. Every outcome must be an inspection or a coded error,
// within 2 s, and all of them together must leave the process small. Prints how many files it read.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { NallocError } from 'nalloc'
import { containerOf, primeBytes, sectionsOf, u32 } from '../_container.ts'
import { inspection } from '../_internal.ts'
import { randomWords } from '../_random.ts'
import { fixtures, golden } from '../_repository.ts'

const Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n
const NAMES = ['one_constraint', 'no_public', 'unknown_sections', 'many_public']
const JSON_FILES = ['bits.0.proof.json', 'bits.0.public.json']
const MS_MAX = 2000
const GROWTH_BYTES_MAX = 2 ** 28
const CHANGES_MAX = 6
/** Numbers that lengths and counts may not survive. */
const ODD_NUMBERS = [0, 1, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xffffffff]

type Random = () => number

/** A .ptau of power 1, points and all. */
function ptau(): Buffer {
  const head = Buffer.concat([primeBytes(32, Q), u32(1, 1)])
  const pointBytes = [3 * 64, 2 * 128, 2 * 64, 2 * 64, 128, 16]
  const others = pointBytes.map((bytes, i) => ({ id: i + 2, bytes: Buffer.alloc(bytes, i) }))
  const sections = [{ id: 1, bytes: head }, ...others]
  return containerOf({ magic: 'ptau', version: 1, sections })
}

function seeds(): Buffer[] {
  const stems = NAMES.flatMap((name) => ['zkey', 'wtns', 'r1cs'].map((kind) => `${name}.${kind}`))
  const made = [...stems, 'bits_vk.json'].map((name) => fs.readFileSync(path.join(fixtures, name)))
  const vectors = JSON_FILES.map((name) => fs.readFileSync(path.join(golden, name)))
  return [...made, ...vectors, ptau()]
}

/** One change to a file; what begins as a container may change as one. */
function changed(file: Buffer, random: Random): Buffer {
  const at = random() % Math.max(file.length, 1)
  const copy = Buffer.from(file)
  switch (random() % 8) {
    case 0:
      return copy.subarray(0, at)
    case 1:
      return Buffer.concat([copy, Buffer.alloc(random() % 100, random())])
    case 2:
      if (copy.length >= at + 4) copy.writeUInt32LE(pick(ODD_NUMBERS, random), at)
      return copy
    case 3:
      if (copy.length >= at + 8) copy.writeBigUInt64LE(BigInt(random()) << 32n, at)
      return copy
    case 4:
      return changedSections(copy, random)
    default:
      copy[at] = (copy[at] ?? 0) ^ (1 + (random() % 255))
      return copy
  }
}

function changedSections(file: Buffer, random: Random): Buffer {
  const magic = file.subarray(0, 4).toString('latin1')
  if (!['zkey', 'wtns', 'r1cs', 'ptau'].includes(magic)) return file
  try {
    const sections = sectionsOf(file)
    const one = random() % sections.length
    const taken = sections.splice(one, 1)
    const copies = random() % 3
    for (let i = 0; i < copies; i += 1)
      sections.splice(random() % (sections.length + 1), 0, ...taken)
    return containerOf({ magic, version: 1, sections })
  } catch {
    return file // Its table was damaged before.
  }
}

function pick<T>(values: readonly T[], random: Random): T {
  return values[random() % values.length] as T
}

async function readOne(file: string, what: string): Promise<void> {
  const startMs = performance.now()
  try {
    await inspection.inspectFile(file, 'x')
  } catch (error) {
    const isCoded = error instanceof NallocError && error.code !== 'ERR_INTERNAL'
    if (!isCoded) throw new Error(what, { cause: error })
  }
  const ms = performance.now() - startMs
  if (ms > MS_MAX) throw new Error(`${what}: took ${ms} ms`)
}

async function main(filesMax: number, seconds: number, seed: number): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  try {
    const random = randomWords(seed)
    const file = path.join(folder, 'file')
    const all = seeds()
    for (const bytes of all) {
      fs.writeFileSync(file, bytes)
      await inspection.inspectFile(file, 'x')
    }
    const before = process.resourceUsage().maxRSS * 1024
    const endMs = performance.now() + seconds * 1000
    let count = 0
    for (; count < filesMax && performance.now() < endMs; count += 1) {
      let bytes = pick(all, random)
      for (let left = 1 + (random() % CHANGES_MAX); left > 0; left -= 1) {
        bytes = changed(bytes, random)
      }
      fs.writeFileSync(file, bytes)
      await readOne(file, `file ${count} of seed ${seed}`)
    }
    const growth = process.resourceUsage().maxRSS * 1024 - before
    if (growth > GROWTH_BYTES_MAX) throw new Error(`${count} files: ${growth} bytes more`)
    process.stdout.write(`${count}`)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

const [filesMax = '2000', seconds = '60', seed = '1'] = process.argv.slice(2)
main(Number(filesMax), Number(seconds), Number(seed))
