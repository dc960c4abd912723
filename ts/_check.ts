// Checks of what a caller gave: `name: expected X, got Y`. A check returns the value with its type,
// so that nothing unchecked goes on.

import os from 'node:os'
import { PRIME } from './_field.ts'
import { wrongType, wrongValue } from './errors.ts'
import type { AbortSignalLike, FieldLike, Size } from './options.ts'

const SHOWN_CHARS_MAX = 40
const UNIT_BYTES: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

/** How a message shows a value. Not for values that may be secret. @internal */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string': {
      const isLong = value.length > SHOWN_CHARS_MAX
      return JSON.stringify(isLong ? `${value.slice(0, SHOWN_CHARS_MAX)}...` : value)
    }
    case 'object':
      return value === null ? 'null' : showType(value)
    case 'function':
    case 'symbol':
      return showType(value)
    default:
      return String(value)
  }
}

/** How a message shows what a value is, without showing the value. @internal */
export function showType(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value !== 'object') return `a ${typeof value}`
  const maker: unknown = value.constructor
  const name = typeof maker === 'function' ? maker.name : ''
  return name === '' || name === 'Object' ? 'an object' : `an object of class ${name}`
}

/** An options object; absent means empty. @internal */
export function checkOptions<T extends object>(value: T | undefined): Partial<T> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType('options', 'an object', show(value))
  }
  return value
}

/** @internal */
export function checkBoolean(name: string, value: unknown, absent: boolean): boolean {
  if (value === undefined) return absent
  if (typeof value !== 'boolean') throw wrongType(name, 'a boolean', show(value))
  return value
}

/** A whole number in `min..max`. @internal */
export function checkInteger(
  name: string,
  value: number | undefined,
  [min, max]: readonly [min: number, max: number],
): number | undefined {
  if (value === undefined) return undefined
  const expected = `an integer in ${min}..${max}`
  if (typeof value !== 'number') throw wrongType(name, expected, show(value))
  const isInside = Number.isSafeInteger(value) && value >= min && value <= max
  if (!isInside) throw wrongValue(name, expected, show(value))
  return value
}

/** Text that is neither empty nor long. @internal */
export function checkText(name: string, value: unknown, charsMax: number): string {
  const expected = `text of 1..${charsMax} characters`
  if (typeof value !== 'string') throw wrongType(name, expected, show(value))
  if (value.length >= 1 && value.length <= charsMax) return value
  throw wrongValue(name, expected, show(value))
}

/** @internal */
export function checkFunction<T>(name: string, value: T | undefined): T | undefined {
  if (value === undefined || typeof value === 'function') return value
  throw wrongType(name, 'a function', show(value))
}

/** @internal */
export function checkSignal(value: AbortSignalLike | undefined): AbortSignalLike | undefined {
  if (value === undefined) return undefined
  const isSignal =
    typeof value === 'object' &&
    value !== null &&
    typeof value.aborted === 'boolean' &&
    typeof value.addEventListener === 'function' &&
    typeof value.removeEventListener === 'function'
  if (!isSignal) throw wrongType('signal', 'an AbortSignal', show(value))
  return value
}

/** A size as a number of bytes, at least `bytesMin`. @internal */
export function checkSize(name: string, value: Size | undefined, bytesMin = 1): number | undefined {
  if (value === undefined) return undefined
  const expected = `bytes in ${bytesMin}..2^53-1, or text such as '512M', '2G' or '25%'`
  if (typeof value !== 'number' && typeof value !== 'string') {
    throw wrongType(name, expected, show(value))
  }
  const bytes = typeof value === 'number' ? value : sizeOfText(value)
  if (!Number.isSafeInteger(bytes) || bytes < bytesMin)
    throw wrongValue(name, expected, show(value))
  return bytes
}

/** @internal */
export function checkSha256(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw wrongType(name, '64 hexadecimal digits', show(value))
  if (!/^[0-9a-f]{64}$/i.test(value)) throw wrongValue(name, '64 hexadecimal digits', show(value))
  return value.toLowerCase()
}

/** A scalar as decimal text. Its value never shows in the error. @internal */
export function checkScalar(name: string, value: FieldLike | undefined): string {
  const expected = 'an integer in [0, r): a bigint, a safe integer or decimal text'
  const isText = typeof value === 'string' && /^(0|[1-9][0-9]{0,77})$/.test(value)
  const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value)
  if (value === undefined || !['bigint', 'number', 'string'].includes(typeof value)) {
    throw wrongType(name, expected, showType(value))
  }
  if (!isText && !isWhole) throw wrongValue(name, expected, `${showType(value)} of another form`)
  const scalar = BigInt(value)
  if (scalar < 0n || scalar >= PRIME) throw wrongValue(name, expected, 'one outside')
  return scalar.toString()
}

function sizeOfText(text: string): number {
  const [, digits, unit] = /^(\d{1,15}(?:\.\d{1,3})?)([KMG%])$/.exec(text) ?? []
  if (digits === undefined || unit === undefined) return Number.NaN
  const unitBytes = unit === '%' ? usableBytes() / 100 : (UNIT_BYTES[unit] ?? Number.NaN)
  return Math.floor(Number(digits) * unitBytes)
}

function usableBytes(): number {
  // Without a limit this is 0, or some 2^64 on Linux; the machine's memory bounds it either way.
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, os.totalmem()) : os.totalmem()
}
