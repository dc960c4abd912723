// Gives a calculator its memory from outside: one that other threads can overwrite, and that the next
// computation uses again.
//
// circom's modules define a memory of their own. Each computation would take fresh pages then, which
// only the garbage collector gives back; and a calculator that finds no end would take its values with
// it, for its thread can be ended and nobody else sees its memory. So the definition is taken out of
// the module's bytes, and an import of the same limits is put in: its code finds memory 0 as before.

/** Pages of 64 KiB. @internal */
export interface MemoryLimits {
  readonly initial: number
  readonly maximum: number
}

/** What a module imports its memory as. @internal */
export const MEMORY_IMPORT = { module: 'nalloc', name: 'memory' } as const

/** Memories that a thread keeps for the next witness, one for each size of circuits. @internal */
export const MEMORIES_MAX = 4

const HEADER_BYTES = 8
const IMPORT_SECTION = 2
const MEMORY_SECTION = 5
const MEMORY_KIND = 2
/** What the limits of a memory begin with. */
const WITHOUT_MAX = 0
const WITH_MAX = 1
const SHARED_WITH_MAX = 3
/** All that 32 bits can address: what a memory without a maximum may grow to. */
const PAGES_MAX = 2 ** 16
/** Bytes of a number below 2^32. */
const NUMBER_BYTES_MAX = 5

interface Section {
  readonly id: number
  readonly start: number
  readonly payload: Uint8Array
  readonly end: number
}

/**
 * The module with an imported memory; undefined for what defines none, or is no module: to compile
 * it says what is wrong. @internal
 */
export function withImportedMemory(
  bytes: Uint8Array,
): { readonly bytes: Uint8Array; readonly limits: MemoryLimits } | undefined {
  const sections = sectionsOf(bytes)
  const memory = sections?.find(({ id }) => id === MEMORY_SECTION)
  const limits = memory && limitsOf(memory.payload)
  if (sections === undefined || memory === undefined || limits === undefined) return undefined
  const imports = sections.find(({ id }) => id === IMPORT_SECTION)
  const section = importSection(imports?.payload ?? Uint8Array.of(0), limits)
  if (section === undefined) return undefined
  // Imports come behind the types and before everything else that is not a comment.
  const at = imports ?? sections.find(({ id }) => id > IMPORT_SECTION) ?? memory
  const parts = [
    bytes.subarray(0, at.start),
    section,
    bytes.subarray(imports?.end ?? at.start, memory.start),
    bytes.subarray(memory.end),
  ]
  return { bytes: Buffer.concat(parts), limits }
}

function sectionsOf(bytes: Uint8Array): Section[] | undefined {
  const sections: Section[] = []
  for (let start = HEADER_BYTES; start < bytes.length; ) {
    const size = readNumber(bytes, start + 1)
    if (size === undefined) return undefined
    const end = size.end + size.value
    const id = bytes[start] ?? 0
    sections.push({ id, start, payload: bytes.subarray(size.end, end), end })
    start = end
  }
  return sections
}

/** Of a section with one memory. */
function limitsOf(payload: Uint8Array): MemoryLimits | undefined {
  const [count, flags] = payload
  if (count !== 1 || flags === undefined) return undefined
  const initial = readNumber(payload, 2)
  if (initial === undefined) return undefined
  if (flags === WITHOUT_MAX) return { initial: initial.value, maximum: PAGES_MAX }
  const maximum = readNumber(payload, initial.end)
  if (maximum === undefined || (flags !== WITH_MAX && flags !== SHARED_WITH_MAX)) return undefined
  return { initial: initial.value, maximum: maximum.value }
}

/** The section with one import more, behind the others. */
function importSection(payload: Uint8Array, limits: MemoryLimits): Uint8Array | undefined {
  const count = readNumber(payload, 0)
  if (count === undefined) return undefined
  const added = [
    ...textBytes(MEMORY_IMPORT.module),
    ...textBytes(MEMORY_IMPORT.name),
    MEMORY_KIND,
    SHARED_WITH_MAX,
    ...numberBytes(limits.initial),
    ...numberBytes(limits.maximum),
  ]
  const changed = [...numberBytes(count.value + 1), ...payload.subarray(count.end), ...added]
  return Uint8Array.from([IMPORT_SECTION, ...numberBytes(changed.length), ...changed])
}

function textBytes(text: string): number[] {
  return [text.length, ...Buffer.from(text)]
}

/** Seven bits in each byte, the lowest ones first. */
function readNumber(
  bytes: Uint8Array,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0
  for (let place = 0; place < NUMBER_BYTES_MAX; place += 1) {
    const byte = bytes[start + place]
    if (byte === undefined) return undefined
    value += (byte % 128) * 2 ** (7 * place)
    if (byte < 128) return { value, end: start + place + 1 }
  }
  return undefined
}

function numberBytes(value: number): number[] {
  return value < 128 ? [value] : [128 + (value % 128), ...numberBytes(Math.floor(value / 128))]
}
