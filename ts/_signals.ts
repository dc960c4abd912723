// What a circuit is given: names and values from the caller, checked against what the circuit
// takes, as one block of words that is wiped after use.

import { setImmediate as turn } from 'node:timers/promises'
import { showType } from './_check.ts'
import {
  ELEMENT_BYTES,
  ELEMENT_LIMBS,
  VALUE_DIGITS_MAX,
  writeBytes,
  writeElement,
} from './_field.ts'
import { NallocError } from './errors.ts'
import type { CircuitInputs } from './inputs.ts'

/** A signal's name as a calculator knows it: 64-bit FNV-1a of the name, in halves. @internal */
export interface NameHash {
  readonly high: number
  readonly low: number
}

/** One signal with the place of its values. @internal */
export interface Signal {
  readonly name: string
  readonly hash: NameHash
  /** Index of its first element. */
  readonly first: number
  /** How many elements it has. */
  readonly count: number
}

/** Checked inputs. @internal */
export interface Signals {
  readonly list: readonly Signal[]
  /** All elements, one after another, plain and below r. Whoever holds it wipes it. */
  readonly words: Uint32Array
}

/** What the circuit says about itself. @internal */
export interface Expected {
  /** How many values the signal takes; 0 or less: there is no such signal. */
  sizeOf(hash: NameHash): number
  /** How many values the circuit takes in all. */
  readonly total: number
}

const NESTING_MAX = 32
const NAMES_SHOWN_MAX = 20
/** Values that are read between two looks at the clock: some 0.1 ms. */
const STEP_VALUES = 64
/** How long values are read until the event loop turns. */
const TURN_MS = 2
const VALUE_EXPECTED =
  `a bigint, a safe integer, up to ${VALUE_DIGITS_MAX} decimal or 0x digits, or a Uint8Array of ` +
  `${ELEMENT_BYTES} bytes for each value`

/** Throws ERR_INPUT when names or counts differ from what the circuit takes. @internal */
export function readSignals(inputs: CircuitInputs, expected: Expected): Signals {
  const { list, entries, words } = prepare(inputs, expected, (length) => new Uint32Array(length))
  try {
    for (const _ of write(list, entries, words)) {
      // Each step has written some values.
    }
  } catch (error) {
    words.fill(0)
    throw error
  }
  return { list, words }
}

/**
 * As `readSignals`, and lets the event loop turn while it reads many values. The words can be seen
 * by other threads; they are wiped when `signal` throws. @internal
 */
export async function readSignalsInTurns(
  inputs: CircuitInputs,
  expected: Expected,
  throwIfAborted: () => void,
): Promise<Signals> {
  const makeWords = (length: number): Uint32Array =>
    new Uint32Array(new SharedArrayBuffer(length * Uint32Array.BYTES_PER_ELEMENT))
  const { list, entries, words } = prepare(inputs, expected, makeWords)
  try {
    let startMs = performance.now()
    for (const _ of write(list, entries, words)) {
      if (performance.now() - startMs < TURN_MS) continue
      await turn()
      throwIfAborted()
      startMs = performance.now()
    }
  } catch (error) {
    words.fill(0)
    throw error
  }
  return { list, words }
}

function prepare(
  inputs: CircuitInputs,
  expected: Expected,
  makeWords: (length: number) => Uint32Array,
): { list: Signal[]; entries: [string, unknown][]; words: Uint32Array } {
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)) {
    throw inputError(`input: expected an object of signals, got ${showType(inputs)}.`)
  }
  const entries = Object.entries(inputs)
  const list = measure(entries, expected)
  const total = list.reduce((sum, { count }) => sum + count, 0)
  if (total !== expected.total) {
    const given = list.length === 0 ? 'none' : `${total} from ${namesOf(list)}`
    throw inputError(
      `the circuit takes ${expected.total} input values in all, got ${given}: a signal is missing.`,
      { expected: expected.total, got: total },
    )
  }
  return { list, entries, words: makeWords((total * ELEMENT_LIMBS) / 2) }
}

function* write(
  list: readonly Signal[],
  entries: readonly (readonly [string, unknown])[],
  words: Uint32Array,
): Generator<void> {
  const writer = new Writer(words)
  for (const [i, { name, first, count }] of list.entries()) {
    yield* writer.write(name, entries[i]?.[1])
    if (writer.count !== first + count) throw countError(name, [count, writer.count - first])
  }
}

/** The hash by which a calculator finds a signal. @internal */
export function hashOfName(name: string): NameHash {
  // 64 bits in two halves; the prime is 2^40 + 0x1b3, so that
  // hash * prime = (high * 0x1b3 + carry + low * 2^8) * 2^32 + low * 0x1b3.
  let high = 0xcbf29ce4
  let low = 0x84222325
  for (const byte of new TextEncoder().encode(name)) {
    low = (low ^ byte) >>> 0
    const product = low * 0x1b3
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0
    low = product >>> 0
  }
  return { high, low }
}

/** Walks the values without reading them: every name known, every count right. */
function measure(entries: readonly [string, unknown][], expected: Expected): Signal[] {
  let first = 0
  return entries.map(([name, value]) => {
    const hash = hashOfName(name)
    const size = expected.sizeOf(hash)
    const hint = (): string => givenBeside(name, entries, expected)
    if (size < 1) {
      const message = `signal "${name}": the circuit has no input of this name.`
      throw inputError(message, { signal: name }, hint())
    }
    const count = countOf(name, value)
    if (count !== size) throw countError(name, [size, count], hint())
    const signal = { name, hash, first, count }
    first += count
    return signal
  })
}

function countOf(name: string, value: unknown, depth = 0): number {
  if (isBytes(value)) return value.length / ELEMENT_BYTES
  if (!Array.isArray(value)) return 1
  if (depth === NESTING_MAX) {
    throw inputError(`signal "${name}": expected at most ${NESTING_MAX} arrays in each other.`)
  }
  return value.reduce<number>((sum, item) => sum + countOf(name, item, depth + 1), 0)
}

/** Writes values in row-major order. */
class Writer {
  /** Elements written so far. */
  count = 0
  readonly #limbs: Uint16Array

  constructor(words: Uint32Array) {
    this.#limbs = new Uint16Array(words.buffer)
  }

  /** Stops after every some values. */
  *write(name: string, value: unknown): Generator<void> {
    if (Array.isArray(value)) {
      for (const item of value) yield* this.write(name, item)
      return
    }
    if (isBytes(value)) {
      for (let at = 0; at < value.length; at += ELEMENT_BYTES) {
        this.#writeOne(name, value, (limbs) => writeBytes(limbs, value, at))
        if (this.count % STEP_VALUES === 0) yield
      }
      return
    }
    this.#writeOne(name, value, (limbs) => writeElement(limbs, value))
    if (this.count % STEP_VALUES === 0) yield
  }

  #writeOne(name: string, value: unknown, write: (limbs: Uint16Array) => boolean): void {
    const start = this.count * ELEMENT_LIMBS
    const limbs = this.#limbs.subarray(start, start + ELEMENT_LIMBS)
    // Never shows the value. An array that grew since it was measured ends at the empty subarray.
    if (limbs.length === 0 || !write(limbs)) {
      const hint = hintFor(value)
      const message = `signal "${name}": expected ${VALUE_EXPECTED}, got ${kindOf(value)}.`
      const details = { signal: name, element: this.count }
      throw new NallocError(
        'ERR_INPUT',
        message,
        hint === undefined ? { details } : { hint, details },
      )
    }
    this.count += 1
  }
}

/** Whole elements in bytes. Others are refused as a value, which says what was expected. */
function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length > 0 && value.length % ELEMENT_BYTES === 0
}

function kindOf(value: unknown): string {
  const isRightType = ['string', 'number', 'bigint'].includes(typeof value)
  return isRightType ? `a ${typeof value} of another form` : showType(value)
}

function hintFor(value: unknown): string | undefined {
  if (typeof value === 'boolean') return 'Give 0 or 1.'
  if (ArrayBuffer.isView(value))
    return 'Give an array for values of one byte each: Array.from(bytes).'
  if (typeof value === 'object' && value !== null) {
    return 'A bus is given field by field: { "point.x": 1, "point.y": 2 }.'
  }
  return undefined
}

function countError(
  name: string,
  [expected, got]: readonly [expected: number, got: number],
  hint?: string,
): NallocError {
  const values = expected === 1 ? '1 value' : `${expected} values`
  const message = `signal "${name}": expected ${values}, got ${got}.`
  return inputError(message, { signal: name, expected, got }, hint)
}

function inputError(
  message: string,
  details: Record<string, unknown> = {},
  hint?: string,
): NallocError {
  return new NallocError('ERR_INPUT', message, hint === undefined ? { details } : { hint, details })
}

/** The other signals: the module knows names by their hashes alone, and cannot list its own. */
function givenBeside(
  name: string,
  entries: readonly [string, unknown][],
  { total }: Expected,
): string {
  const others = entries.filter(([other]) => other !== name)
  const list = others.map(([other, value]) => ({ name: other, count: countOf(other, value) }))
  const given = list.length === 0 ? '' : ` Given beside it: ${namesOf(list)}.`
  return `The circuit takes ${total} input values in all.${given}`
}

function namesOf(list: readonly Pick<Signal, 'name' | 'count'>[]): string {
  return shorten(list.map(({ name, count }) => (count === 1 ? name : `${name}[${count}]`)))
}

function shorten(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN_MAX
  const shown = names.slice(0, NAMES_SHOWN_MAX).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}
