// The numbers of the binary form of traces; docs/FORMATS.md, section 13, says what they mean.

export const MAGIC = 'nltrace\n'
export const VERSION = 1
/** Of the header, what stands before its texts. */
export const HEADER_BYTES_MIN = 72
/** The three texts of a header have at most 2^16 - 1 bytes each; ours have 128. */
export const HEADER_BYTES_MAX = 2 ** 12
export const CHUNK_MAGIC = 'chnk'
export const CHUNK_HEAD_BYTES = 32
export const PAYLOAD_BYTES_MAX = 2 ** 16
/** What every chunk begins with. */
export const LOG2_ALIGN_FIRST = 4
export const LOG2_ALIGN_MAX = 63
export const PHASES_MAX = 32
export const BLOCK_MAX = 2 ** 45 - 1
export const THREAD_MAX = 2 ** 32 - 1
export const SAMPLE_UNIT_BYTES = 4096

/** The kinds of records. */
export const KIND = {
  alloc: 1,
  zeroed: 2,
  free: 3,
  realloc: 4,
  grown: 5,
  refused: 6,
  begin: 7,
  end: 8,
  sample: 9,
  name: 10,
  thread: 11,
  dropped: 12,
  exit: 13,
} as const

/** The flags of a tag, above its kind. */
export const FLAG = { thread: 0x10, warm: 0x20, align: 0x40, moved: 0x80 } as const
export const KIND_MASK = 0x0f

const { thread, warm, align, moved } = FLAG

/** The flags that a kind can have, by its number; undefined for numbers that are no kind. */
export const FLAGS_OF_KIND: readonly (number | undefined)[] = [
  undefined,
  ...[1, 2].map(() => thread | warm | align | moved),
  thread,
  thread | warm | align | moved,
  thread | warm | align | moved,
  thread | align,
  ...[7, 8, 9, 10, 11, 12, 13].map(() => thread),
  undefined,
  undefined,
]
