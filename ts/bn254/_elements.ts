// Field elements and bytes on their way to native memory and back: checked, and in turns, because
// many at once would hold the event loop.

import { setImmediate as turn } from 'node:timers/promises'
import { types } from 'node:util'
import type { Call } from '../_call.ts'
import { checkInteger, show, showType } from '../_check.ts'
import { ELEMENT_BYTES, PRIME } from '../_field.ts'
import { type Bytes, checkSource, unshared } from '../_source.ts'
import { NallocError, wrongType, wrongValue } from '../errors.ts'
import type { FieldLike } from '../options.ts'

/** The most elements of a vector, and points: those of the field's largest domain. @internal */
export const LENGTH_MAX = 2 ** 28
/** Bytes that native code converts between two turns of the event loop: less than a millisecond. */
const PIECE_BYTES = 2 ** 19
/** Words of an element. */
const WORDS = 4
/** Words of the elements that are made between two turns: texts take a microsecond each. */
const WORDS_PER_TURN = 1024 * WORDS
const FIELD_LIKE = 'a bigint, a safe integer or decimal text'

/** Whether this is what `Bytes` means. @internal */
export function isBytes(value: unknown): value is Bytes {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)
}

/** Bytes of whole items. @internal */
export function checkBytes(name: string, value: unknown, itemBytes: number): Uint8Array {
  const expected = `bytes, ${itemBytes} for each`
  if (!isBytes(value)) throw wrongType(name, expected, showType(value))
  const opened = checkSource(name, value)
  const bytes = opened.kind === 'bytes' ? opened.bytes : new Uint8Array()
  if (bytes.length % itemBytes !== 0) {
    throw wrongValue(name, `a multiple of ${itemBytes} bytes`, `${bytes.length}`)
  }
  if (bytes.length / itemBytes > LENGTH_MAX) {
    throw wrongValue(name, `at most ${LENGTH_MAX * itemBytes} bytes`, `${bytes.length}`)
  }
  return bytes
}

/** Whether a value is a bigint in [0, r). @internal */
export function isElement(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value < PRIME
}

/** The index of one of so many items. @internal */
export function checkIndex(index: number, length: number): number {
  if (length === 0) throw wrongValue('index', 'none, for there is nothing', show(index))
  const at = checkInteger('index', index, [0, length - 1])
  if (at === undefined) throw wrongType('index', 'an integer', 'undefined')
  return at
}

/** Calls `step` with one range after another, and lets the event loop turn in between. @internal */
export async function inTurns(
  length: number,
  itemBytes: number,
  call: Call,
  step: (start: number, end: number) => void,
): Promise<void> {
  const perTurn = PIECE_BYTES / itemBytes
  for (let start = 0; start < length; start += perTurn) {
    if (start > 0) await turn()
    call.throwIfAborted()
    step(start, Math.min(start + perTurn, length))
  }
}

/** Hands items to `write` in turns, with the index of the first of each piece. @internal */
export async function writeInTurns(
  bytes: Uint8Array,
  length: number,
  itemBytes: number,
  call: Call,
  write: (index: number, piece: Uint8Array) => void,
): Promise<void> {
  await inTurns(length, itemBytes, call, (start, end) => {
    // What was detached meanwhile has no bytes.
    if (bytes.length !== length * itemBytes) throw wrongType('bytes', 'bytes', 'a detached buffer')
    const piece = bytes.subarray(start * itemBytes, end * itemBytes)
    const own = unshared(piece)
    try {
      write(start, own)
    } finally {
      if (own !== piece) own.fill(0)
    }
  })
}

/** A number below r as 32 little-endian bytes. Its value never shows in the error. @internal */
export function elementBytes(name: string, value: FieldLike): Uint8Array {
  const words = new BigUint64Array(WORDS)
  writeElement(words, 0, value, () => name)
  return new Uint8Array(words.buffer)
}

/**
 * The elements of an iterable, as pieces of little-endian bytes. The caller overwrites them.
 * @internal
 */
export async function elementsInTurns(
  name: string,
  values: Iterable<FieldLike>,
  call: Call,
  pieces: Uint8Array[],
): Promise<number> {
  let length = 0
  let piece = new BigUint64Array()
  for (const value of values) {
    const at = (length * WORDS) % WORDS_PER_TURN
    if (at === 0) {
      if (length > 0) await turn()
      call.throwIfAborted()
      if (length === LENGTH_MAX) throw wrongValue(name, `at most ${LENGTH_MAX} values`, 'more')
      piece = new BigUint64Array(WORDS_PER_TURN)
      pieces.push(new Uint8Array(piece.buffer))
    }
    const index = length
    writeElement(piece, at, value, () => `${name}[${index}]`)
    length += 1
  }
  const last = pieces.pop()
  const rest = length % (WORDS_PER_TURN / WORDS)
  if (last) pieces.push(rest === 0 ? last : last.subarray(0, rest * ELEMENT_BYTES))
  return length
}

/** An iterable of numbers. @internal */
export function checkValues(name: string, values: unknown): Iterable<FieldLike> {
  const expected = 'an iterable of integers'
  // Its items would be taken for elements.
  if (values instanceof Uint8Array) throw wrongType(name, expected, 'bytes: use fromBytes')
  const isIterable = typeof values === 'object' && values !== null && Symbol.iterator in values
  if (!isIterable) throw wrongType(name, expected, showType(values))
  return values as Iterable<FieldLike>
}

/** Writes a number below r; the bigints in between are no better kept than the one that was given. */
function writeElement(
  words: BigUint64Array,
  at: number,
  value: FieldLike,
  name: () => string,
): void {
  const number = toBigInt(value, name)
  if (number < 0n || number >= PRIME) {
    throw new NallocError(
      'ERR_NON_CANONICAL',
      `${name()}: expected an integer in [0, r), got one outside.`,
      { hint: 'Reduce it modulo r first.' },
    )
  }
  // Storing takes each shifted value modulo 2^64.
  words[at] = number
  words[at + 1] = number >> 64n
  words[at + 2] = number >> 128n
  words[at + 3] = number >> 192n
}

function toBigInt(value: unknown, name: () => string): bigint {
  switch (typeof value) {
    case 'bigint':
      return value
    case 'number':
      if (Number.isSafeInteger(value)) return BigInt(value)
      throw wrongValue(name(), FIELD_LIKE, 'a number that is none')
    case 'string':
      if (/^(0|[1-9][0-9]{0,77})$/.test(value)) return BigInt(value)
      throw wrongValue(name(), FIELD_LIKE, 'text of another form')
    default:
      throw wrongType(name(), FIELD_LIKE, showType(value))
  }
}
