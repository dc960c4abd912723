// The errors of nalloc: one class, one closed list of codes, one way in from the native side.
//
// Codes are the API and never change their meaning; messages are for people and may. A wrong
// argument is a TypeError (wrong type) or a RangeError (wrong value) with code ERR_INVALID_ARG,
// everything else is a NallocError. No message ever quotes a signal, a witness value or a blinding
// scalar.

/**
 * Every code that an error of this package can carry; docs/errors.md explains each.
 *
 * @example
 * import { ERROR_CODES } from 'nalloc'
 *
 * console.log(ERROR_CODES.includes('ERR_SELF_VERIFY')) // true
 */
export const ERROR_CODES = [
  'ERR_INVALID_ARG',
  'ERR_IO',
  'ERR_BAD_MAGIC',
  'ERR_TRUNCATED',
  'ERR_UNSUPPORTED_VERSION',
  'ERR_SECTION_MISSING',
  'ERR_SECTION_DUPLICATE',
  'ERR_UNSUPPORTED_PROTOCOL',
  'ERR_UNSUPPORTED_CURVE',
  'ERR_BAD_HEADER',
  'ERR_SECTION_LENGTH',
  'ERR_INDEX_RANGE',
  'ERR_NON_CANONICAL',
  'ERR_NOT_ON_CURVE',
  'ERR_POINT_AT_INFINITY',
  'ERR_NOT_IN_SUBGROUP',
  'ERR_INSECURE_KEY',
  'ERR_PRIME_MISMATCH',
  'ERR_WITNESS_LENGTH',
  'ERR_WITNESS_ONE',
  'ERR_LIMIT',
  'ERR_SELF_VERIFY',
  'ERR_DOMAIN',
  'ERR_LENGTH_MISMATCH',
  'ERR_DEGREE',
  'ERR_BAD_SRS',
  'ERR_INSECURE_SRS',
  'ERR_BAD_ENCODING',
  'ERR_PLATFORM',
  'ERR_BINARY_MISSING',
  'ERR_SNARKJS_MISSING',
  'ERR_CPU',
  'ERR_NO_MEMORY',
  'ERR_BUSY',
  'ERR_DISPOSED',
  'ERR_LOCK',
  'ERR_EXTERNAL_BUFFER',
  'ERR_FILE_CHANGED',
  'ERR_INPUT',
  'ERR_WITNESS',
  'ERR_QUEUE_FULL',
  'ERR_INTERNAL',
] as const

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number]

/** What an error says beside its code and message. */
export interface NallocErrorOptions {
  /** What to do about it; the message ends with it. */
  readonly hint?: string
  /** The facts of the message, for programs. Never a secret value. */
  readonly details?: Readonly<Record<string, unknown>>
  /** The error underneath. */
  readonly cause?: unknown
}

/**
 * An error with a stable `code`. Its message says what was expected, what was found and what to do.
 *
 * @example
 * import { NallocError, ProvingKey } from 'nalloc'
 *
 * try {
 *   await ProvingKey.open('absent.zkey')
 * } catch (error) {
 *   if (!(error instanceof NallocError)) throw error
 *   console.log(error.code) // ERR_IO
 * }
 */
export class NallocError extends Error {
  override readonly name = 'NallocError'
  /** What went wrong: the part to compare with. */
  readonly code: ErrorCode
  /** What to do about it, where that is known. */
  readonly hint: string | undefined
  /** The facts of the message, for programs. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: NallocErrorOptions = {}) {
    const { hint, details = {}, cause } = options
    super(hint === undefined ? message : `${message} ${hint}`, cause === undefined ? {} : { cause })
    this.code = code
    this.hint = hint
    this.details = Object.freeze({ ...details })
  }
}

/** The native side's word for "the task was cancelled"; it never leaves `_call.ts`. @internal */
export const CANCELLED = 'ERR_CANCELLED'

/** An argument of the wrong type. @internal */
export function wrongType(name: string, expected: string, got: string): TypeError {
  return withCode(new TypeError(`${name}: expected ${expected}, got ${got}`))
}

/** An argument of the right type and a wrong value. @internal */
export function wrongValue(name: string, expected: string, got: string): RangeError {
  return withCode(new RangeError(`${name}: expected ${expected}, got ${got}`))
}

/** The `code` of an error, whoever made it. @internal */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** Turns what the native side threw into an error of this package. @internal */
export function fromNative(error: unknown): Error {
  if (error instanceof NallocError) return error
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code === 'ERR_INVALID_ARG') return withCode(new RangeError(message))
  if (isErrorCode(code)) return new NallocError(code, message)
  return new NallocError('ERR_INTERNAL', `the native addon failed: ${message}.`, {
    hint: 'Please report it.',
    cause: error,
  })
}

function isErrorCode(code: unknown): code is ErrorCode {
  return ERROR_CODES.some((known) => known === code)
}

function withCode<E extends Error>(error: E): E {
  return Object.assign(error, { code: 'ERR_INVALID_ARG' as const })
}
