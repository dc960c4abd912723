// Looks for values in this process's own writable memory, through /proc/self/mem.
//
// Must not itself hold what it looks for, or it would find that: a value is known by its first four
// bytes and by its base64 text, and only what begins like it is made into text and compared. The
// buffer that memory is read through is overwritten after each part.

import fs from 'node:fs'

/** What is looked for: 32 bytes that nobody here may hold as they are. */
export interface Pattern {
  /** The first four bytes as a little-endian number; the first of them is not zero. */
  readonly start: number
  /** All bytes. */
  readonly base64: string
}

/** What a search saw. */
export interface MemorySearch {
  /** How often any of the patterns occurs. */
  readonly found: number
  /** Bytes that were looked at. */
  readonly bytes: number
}

const PATTERN_BYTES = 32
/** The smallest page; the compared parts of a chunk have this size, whatever they begin with. */
const PAGE_BYTES = 4096
const PAGE = BigInt(PAGE_BYTES)
const CHUNK_BYTES = 2 ** 20
/** A process that has done nothing else has some 120 MiB; 2 GiB take a second or two. */
const SEARCHED_BYTES_MAX = 2 ** 33
const ZEROS = new Uint8Array(PAGE_BYTES)

/** The pattern of a value that stands in `bytes`. */
export function patternAt(bytes: Buffer, at: number): Pattern {
  const base64 = bytes.toString('base64', at, at + PATTERN_BYTES)
  return { start: bytes.readUInt32LE(at), base64 }
}

/** Addresses of one mapping. */
export interface Range {
  readonly start: bigint
  readonly end: bigint
}

/**
 * Reads memory from an address into the start of `out`: how many bytes could be read, which is less
 * than was asked for where a page cannot be read.
 */
export type ReadMemory = (out: Buffer, length: number, address: bigint) => number

/** Searches all writable memory of this process. Throws what the system says when it may not. */
export function searchOwnMemory(patterns: readonly Pattern[]): MemorySearch {
  const maps = fs.readFileSync('/proc/self/maps', 'utf8').trim().split('\n')
  const ranges = maps.flatMap((line) => {
    const [, start, end, flags] = /^(\w+)-(\w+) (\S+)/.exec(line) ?? []
    const isWritable = flags?.startsWith('rw') ?? false
    return isWritable ? [{ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) }] : []
  })
  const memory = fs.openSync('/proc/self/mem', 'r')
  const read: ReadMemory = (out, length, address) => {
    try {
      return fs.readSync(memory, out, 0, length, address)
    } catch {
      // Some pages the kernel lets nobody read.
      return 0
    }
  }
  try {
    return searchMemory(ranges, read, patterns)
  } finally {
    fs.closeSync(memory)
  }
}

/** Searches ranges of memory. */
export function searchMemory(
  ranges: readonly Range[],
  read: ReadMemory,
  patterns: readonly Pattern[],
): MemorySearch {
  const finder = new Finder(patterns)
  let [found, bytes] = [0, 0]
  for (const range of ranges) {
    const part = finder.search(range, read)
    found += part.found
    bytes += part.bytes
    if (bytes > SEARCHED_BYTES_MAX) {
      throw new Error(`expected at most ${SEARCHED_BYTES_MAX} bytes of memory, got more`)
    }
  }
  return { found, bytes }
}

class Finder {
  /** By their first four bytes. */
  readonly #patterns: ReadonlyMap<number, string>
  /** The first two bytes of patterns. */
  readonly #marks = new Uint8Array(2 ** 16)
  readonly #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = new Map(patterns.map(({ start, base64 }) => [start, base64]))
    for (const { start } of patterns) this.#marks[start & 0xffff] = 1
  }

  search({ start, end }: Range, read: ReadMemory): MemorySearch {
    let [found, bytes] = [0, 0]
    let address = start
    while (address < end) {
      const left = end - address
      const length = left < BigInt(CHUNK_BYTES) ? Number(left) : CHUNK_BYTES
      const got = read(this.#chunk, length, address)
      found += this.#count(got)
      this.#chunk.fill(0, 0, got)
      // Neighbours overlap, so that no value is cut in two; at a page that cannot be read, none is.
      const isCut = got === length && BigInt(got) < left
      const step = isCut ? got - PATTERN_BYTES + 1 : got
      bytes += step
      address += step > 0 ? BigInt(step) : PAGE - (address % PAGE)
    }
    return { found, bytes }
  }

  /** How many patterns begin in the first `length` bytes of the chunk and end there. */
  #count(length: number): number {
    let found = 0
    for (let page = 0; page < length; page += PAGE_BYTES) {
      const end = Math.min(page + PAGE_BYTES, length)
      // Most pages are empty. No pattern begins with a zero.
      if (this.#chunk.compare(ZEROS, 0, end - page, page, end) === 0) continue
      found += this.#countFrom(page, Math.min(end, length - PATTERN_BYTES + 1))
    }
    return found
  }

  #countFrom(start: number, end: number): number {
    const [chunk, marks] = [this.#chunk, this.#marks]
    let found = 0
    for (let i = start; i < end; i += 1) {
      if (marks[(chunk[i] ?? 0) | ((chunk[i + 1] ?? 0) << 8)] === 0) continue
      const base64 = this.#patterns.get(chunk.readUInt32LE(i))
      if (base64 === chunk.toString('base64', i, i + PATTERN_BYTES)) found += 1
    }
    return found
  }
}
