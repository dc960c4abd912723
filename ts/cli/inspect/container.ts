// The container of .zkey, .wtns, .r1cs and .ptau files: magic, version, sections in any order.
//
// May assume nothing about the file. A length is compared with the bytes that are left before it is
// used; what is kept of the section table has a bound, so that a file of many million sections
// takes no more memory than another. The checks, their order and their codes are those of the
// addon's reader (crates/nalloc-groth16/src/section.rs). A window that heads of sections are read
// through may hold parts of a witness and is overwritten.

import { describeStart } from '../../_sniff.ts'
import { type ErrorCode, NallocError } from '../../errors.ts'
import type { RegularFile } from './regularFile.ts'

/** One of the four kinds of file that are containers. */
export type ContainerKind = 'zkey' | 'wtns' | 'r1cs' | 'ptau'

/** The bytes of one section, which lie inside of the file. */
export interface Section {
  readonly id: number
  /** Of its first byte, after its number and length. */
  readonly offset: number
  readonly bytes: number
}

const VERSION_MAX: Readonly<Record<ContainerKind, number>> = { zkey: 2, wtns: 2, r1cs: 1, ptau: 1 }
const HEADER_BYTES = 12
/** A section's number and length. */
const HEAD_BYTES = 12
const WINDOW_BYTES = 2 ** 16
/** Sections that are listed; real files have 2 to 17. */
const SECTIONS_LISTED_MAX = 64
/** The largest section number that any format gives a meaning. */
const ID_MAX = 17
/** The section of a key for development. */
export const UNSAFE_DEV = 0x66736e75
/** The longest header is one of FFLONK or PLONK with the longest field, some 3 KiB. */
const HEADER_SECTION_BYTES_MAX = 4096

/** A file whose section table was walked. */
export class Container {
  readonly file: RegularFile
  readonly kind: ContainerKind
  readonly version: number
  /** How many sections the file has. */
  readonly sectionCount: number
  /** The first of them, in the order of the file. */
  readonly sections: readonly Section[]
  readonly #first: ReadonlyMap<number, Section>
  readonly #repeated: ReadonlyMap<number, Section>

  private constructor(file: RegularFile, header: Header, table: Table) {
    this.file = file
    this.kind = header.kind
    this.version = header.version
    this.sectionCount = header.sectionCount
    this.sections = table.listed
    this.#first = table.first
    this.#repeated = table.repeated
  }

  /**
   * Walks the section table. Throws ERR_BAD_MAGIC, ERR_TRUNCATED, ERR_UNSUPPORTED_VERSION, what
   * reading throws, and the signal's reason.
   */
  static async open(file: RegularFile, signal: AbortSignal | undefined): Promise<Container> {
    const header = await readHeader(file)
    const window = new Window(file)
    const table: Table = { listed: [], first: new Map(), repeated: new Map() }
    try {
      let offset = HEADER_BYTES
      for (let i = 0; i < header.sectionCount; i += 1) {
        if (!window.holds(offset)) await window.fill(offset, signal)
        const section = window.section(offset)
        remember(table, section)
        offset = section.offset + section.bytes
      }
    } finally {
      window.wipe()
    }
    return new Container(file, header, table)
  }

  /** The one section with this number. Throws ERR_SECTION_DUPLICATE, ERR_SECTION_MISSING. */
  section(id: number): Section {
    this.checkUnique([id])
    const section = this.#first.get(id)
    if (section) return section
    const message = `${this.file.name}: expected a section ${id}, got none.`
    throw new NallocError('ERR_SECTION_MISSING', message, { details: { section: id } })
  }

  /** The section with this number, if there is exactly one: for sections that are not needed. */
  sectionIfAny(id: number): Section | undefined {
    return this.#repeated.has(id) ? undefined : this.#first.get(id)
  }

  /** Whether the file has a section with this number. */
  hasSection(id: number): boolean {
    return this.#first.has(id)
  }

  /** Throws ERR_SECTION_DUPLICATE when one of these numbers occurs twice. */
  checkUnique(ids: readonly number[]): void {
    const second = [...this.#repeated.values()].find(({ id }) => ids.includes(id))
    if (!second) return
    throw this.refusal('ERR_SECTION_DUPLICATE', second, 0, 'one such section', 'a second')
  }

  /** Throws ERR_SECTION_LENGTH unless a section is `expected` bytes long. */
  checkBytes(section: Section, expected: number): void {
    if (section.bytes === expected) return
    const [wanted, got] = [`a section of ${expected} bytes`, section.bytes]
    throw this.refusal('ERR_SECTION_LENGTH', section, 0, wanted, got)
  }

  /** The first bytes of a section that holds a header: all of them, but for a hostile one. */
  async readFirst(section: Section): Promise<Fields> {
    const bytes = Buffer.alloc(Math.min(section.bytes, HEADER_SECTION_BYTES_MAX))
    await this.file.read(section.offset, bytes)
    return new Fields(this, section, bytes)
  }

  /** `FILE, section ID, byte N: expected X, got Y.` */
  refusal(
    code: ErrorCode,
    section: Section,
    at: number,
    expected: string,
    got: string | number,
  ): NallocError {
    const offset = section.offset + at
    const where = `${this.file.name}, section ${section.id}, byte ${offset}`
    const details = { file: this.file.name, section: section.id, offset }
    return new NallocError(code, `${where}: expected ${expected}, got ${got}.`, { details })
  }
}

/** Little-endian numbers at the start of a section, one after the other. */
export class Fields {
  readonly section: Section
  readonly #container: Container
  readonly #bytes: Buffer
  #at = 0

  constructor(container: Container, section: Section, bytes: Buffer) {
    this.#container = container
    this.section = section
    this.#bytes = bytes
  }

  /** Where the next number stands, from the start of the section. */
  get at(): number {
    return this.#at
  }

  u32(): number {
    return this.bytes(4).readUInt32LE()
  }

  u64(): bigint {
    return this.bytes(8).readBigUInt64LE()
  }

  /** A public prime, never a value. */
  prime(length: number): bigint {
    const digits = Buffer.from(this.bytes(length)).reverse().toString('hex')
    return BigInt(`0x${digits}`)
  }

  bytes(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) {
      const { bytes } = this.section
      const wanted = `a section of at least ${end} bytes`
      throw this.#container.refusal('ERR_SECTION_LENGTH', this.section, 0, wanted, bytes)
    }
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  /** `FILE, section ID, byte N: expected X, got Y.` for the number that stands at `at`. */
  refusal(code: ErrorCode, at: number, expected: string, got: string | number): NallocError {
    return this.#container.refusal(code, this.section, at, expected, got)
  }
}

interface Header {
  readonly kind: ContainerKind
  readonly version: number
  readonly sectionCount: number
}

interface Table {
  readonly listed: Section[]
  readonly first: Map<number, Section>
  readonly repeated: Map<number, Section>
}

/** The kind of a container by its first bytes. */
export function containerKind(start: Uint8Array): ContainerKind | undefined {
  const magic = String.fromCharCode(...start.subarray(0, 4))
  return magic in VERSION_MAX ? (magic as ContainerKind) : undefined
}

async function readHeader(file: RegularFile): Promise<Header> {
  const header = Buffer.alloc(Math.min(file.bytes, HEADER_BYTES))
  await file.read(0, header)
  const kind = containerKind(header)
  if (header.length >= 4 && !kind) {
    const expected = 'a .zkey, .wtns, .r1cs or .ptau file'
    const message = `${file.name}: expected ${expected}, got ${describeStart(header)}.`
    throw new NallocError('ERR_BAD_MAGIC', message, { details: { file: file.name } })
  }
  if (!kind || header.length < HEADER_BYTES) {
    throw truncated(file, 'byte 0', 'the file header', HEADER_BYTES, header.length)
  }
  const [version, sectionCount] = [header.readUInt32LE(4), header.readUInt32LE(8)]
  const max = VERSION_MAX[kind]
  if (version === 0 || version > max) {
    const expected = max === 1 ? '1' : `1 to ${max}`
    const message = `${file.name}: expected version ${expected} of .${kind} files, got ${version}.`
    throw new NallocError('ERR_UNSUPPORTED_VERSION', message, { details: { version } })
  }
  return { kind, version, sectionCount }
}

function remember(table: Table, section: Section): void {
  if (table.listed.length < SECTIONS_LISTED_MAX) table.listed.push(section)
  if (section.id > ID_MAX && section.id !== UNSAFE_DEV) return
  const seen = table.first.has(section.id) ? table.repeated : table.first
  if (!seen.has(section.id)) seen.set(section.id, section)
}

/** Heads of sections, read many at a time: a file may consist of tiny sections. */
class Window {
  readonly #file: RegularFile
  readonly #buffer = Buffer.alloc(WINDOW_BYTES)
  /** Where the buffer's bytes stand in the file. */
  #start = 0
  #length = 0

  constructor(file: RegularFile) {
    this.#file = file
  }

  /** Whether the head that begins at `offset` has been read. */
  holds(offset: number): boolean {
    return offset >= this.#start && offset + HEAD_BYTES <= this.#start + this.#length
  }

  async fill(offset: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    const left = this.#file.bytes - offset
    const part = 'the section table'
    if (left < HEAD_BYTES) throw truncated(this.#file, `byte ${offset}`, part, HEAD_BYTES, left)
    this.#length = Math.min(left, WINDOW_BYTES)
    this.#start = offset
    await this.#file.read(offset, this.#buffer.subarray(0, this.#length))
  }

  /** The section whose head begins at `offset`, which the window holds. */
  section(offset: number): Section {
    const at = offset - this.#start
    const id = this.#buffer.readUInt32LE(at)
    const bytes = this.#buffer.readBigUInt64LE(at + 4)
    const start = offset + HEAD_BYTES
    const left = this.#file.bytes - start
    if (bytes > BigInt(left)) {
      throw truncated(this.#file, `section ${id}, byte ${start}`, 'the section', bytes, left)
    }
    return { id, offset: start, bytes: Number(bytes) }
  }

  wipe(): void {
    this.#buffer.fill(0)
  }
}

function truncated(
  file: RegularFile,
  where: string,
  part: string,
  expected: number | bigint,
  got: number,
): NallocError {
  const message = `${file.name}, ${where}: expected ${expected} bytes of ${part}, got ${got}: the file was cut off.`
  const hint = 'Download or copy it again.'
  const details = { file: file.name, expected: String(expected), got }
  return new NallocError('ERR_TRUNCATED', message, { hint, details })
}
