// Field elements as words: 32 little-endian bytes each, plain, below r.
//
// Values may be secret, so they are never made into a BigInt or a string here: V8 keeps a BigInt as
// the very bytes that a memory scan looks for, and collects it when it likes. All arithmetic is on
// 16-bit limbs of the caller's buffer, small enough that V8 keeps every intermediate result out of
// the heap. The caller wipes that buffer.

import { Serializer } from 'node:v8'

/** Bytes of a field element. @internal */
export const ELEMENT_BYTES = 32
/** Limbs of a field element. @internal */
export const ELEMENT_LIMBS = 16
/** Digits of a number that is given as text or bigint; it need not be below r. @internal */
export const VALUE_DIGITS_MAX = 1024

/** The prime r of BN254: the order of its groups, the modulus of witness values. @internal */
export const PRIME = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

// Storing takes each shifted value modulo 2^64.
const primeWords = new Uint32Array(
  BigUint64Array.of(PRIME, PRIME >> 64n, PRIME >> 128n, PRIME >> 192n).buffer,
)
const primeLimbs = new Uint16Array(primeWords.buffer)
const MINUS = 0x2d
const ZERO = 0x30
const BIGINT_TAG = 0x5a

/**
 * Writes `value` mod r to `limbs`, which holds one element. Takes a bigint, a safe integer, or
 * their text: decimal or 0x, with an optional minus. Returns false for anything else, and the limbs
 * are then unspecified. @internal
 */
export function writeElement(limbs: Uint16Array, value: unknown): boolean {
  limbs.fill(0)
  switch (typeof value) {
    case 'string':
      return writeText(limbs, value)
    case 'bigint':
      return writeBigInt(limbs, value)
    case 'number':
      return Number.isSafeInteger(value) && writeNumber(limbs, value)
    default:
      return false
  }
}

/**
 * Writes the 32 little-endian bytes at `start`, mod r, to `limbs`, which holds one element. False
 * when there are fewer. @internal
 */
export function writeBytes(limbs: Uint16Array, bytes: Uint8Array, start: number): boolean {
  if (bytes.length < start + ELEMENT_BYTES) return false
  const target = new Uint8Array(limbs.buffer, limbs.byteOffset, ELEMENT_BYTES)
  // One by one: `subarray` would move a short array, see `copyOfShort`.
  for (let i = 0; i < ELEMENT_BYTES; i += 1) target[i] = bytes[start + i] ?? 0
  finish(limbs, false)
  return true
}

/** True when these words, least significant first, are r. @internal */
export function isPrime(words: Uint32Array): boolean {
  return words.length === primeWords.length && primeWords.every((word, i) => word === words[i])
}

function writeText(limbs: Uint16Array, text: string): boolean {
  const isNegative = text.charCodeAt(0) === MINUS
  const start = isNegative ? 1 : 0
  const isHex = text.startsWith('0x', start) || text.startsWith('0X', start)
  const firstDigit = isHex ? start + 2 : start
  const digits = text.length - firstDigit
  if (digits < 1 || digits > VALUE_DIGITS_MAX) return false
  const base = isHex ? 16 : 10
  for (let i = firstDigit; i < text.length; i += 1) {
    const digit = digitOf(text.charCodeAt(i))
    if (digit < 0 || digit >= base) return false
    pushDigit(limbs, base, digit)
  }
  finish(limbs, isNegative)
  return true
}

function digitOf(code: number): number {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO
  // Setting this bit makes a letter lower case, and nothing else into a letter from a to f.
  const letter = (code | 0x20) - 0x61
  return letter >= 0 && letter < 6 ? letter + 10 : -1
}

function writeNumber(limbs: Uint16Array, value: number): boolean {
  let rest = Math.abs(value)
  for (let i = 0; rest > 0; i += 1) {
    limbs[i] = rest % 0x10000
    rest = Math.floor(rest / 0x10000)
  }
  finish(limbs, value < 0)
  return true
}

/**
 * Shifting a bigint would leave a new one behind at every step. V8's serializer copies its digits
 * out instead, into memory that can be wiped: the tag 'Z', a varint of 2 * byteLength + sign, the
 * bytes.
 */
function writeBigInt(limbs: Uint16Array, value: bigint): boolean {
  const serializer = new Serializer()
  serializer.writeValue(value)
  const bytes = serializer.releaseBuffer()
  try {
    if (bytes[0] !== BIGINT_TAG) throw new Error('V8 serializes a bigint in an unknown way')
    let bitfield = 0
    let at = 1
    for (let shift = 0; ; shift += 7, at += 1) {
      const byte = bytes[at] ?? 0
      bitfield += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    const digits = bytes.subarray(at + 1)
    if (digits.length !== Math.floor(bitfield / 2)) throw new Error('V8 cut a bigint short')
    if (digits.length * 2 > VALUE_DIGITS_MAX) return false
    for (let i = digits.length - 1; i >= 0; i -= 1) {
      const byte = digits[i] ?? 0
      pushDigit(limbs, 16, byte >> 4)
      pushDigit(limbs, 16, byte & 15)
    }
    finish(limbs, bitfield % 2 === 1)
    return true
  } finally {
    bytes.fill(0)
  }
}

/** limbs = limbs * base + digit, reduced only as far as needed to fit. */
function pushDigit(limbs: Uint16Array, base: number, digit: number): void {
  let carry = digit
  for (let i = 0; i < ELEMENT_LIMBS; i += 1) {
    const sum = (limbs[i] ?? 0) * base + carry
    limbs[i] = sum
    carry = sum >>> 16
  }
  while (carry > 0) carry -= subtractPrime(limbs)
}

/** Reduces below r and applies the sign. */
function finish(limbs: Uint16Array, isNegative: boolean): void {
  while (isAtLeastPrime(limbs)) subtractPrime(limbs)
  if (!isNegative || limbs.every((limb) => limb === 0)) return
  let borrow = 0
  for (let i = 0; i < ELEMENT_LIMBS; i += 1) {
    const difference = (primeLimbs[i] ?? 0) - (limbs[i] ?? 0) - borrow
    limbs[i] = difference
    borrow = difference < 0 ? 1 : 0
  }
}

/** Returns the borrow out of the top limb. */
function subtractPrime(limbs: Uint16Array): number {
  let borrow = 0
  for (let i = 0; i < ELEMENT_LIMBS; i += 1) {
    const difference = (limbs[i] ?? 0) - (primeLimbs[i] ?? 0) - borrow
    limbs[i] = difference
    borrow = difference < 0 ? 1 : 0
  }
  return borrow
}

function isAtLeastPrime(limbs: Uint16Array): boolean {
  for (let i = ELEMENT_LIMBS - 1; i >= 0; i -= 1) {
    const difference = (limbs[i] ?? 0) - (primeLimbs[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
