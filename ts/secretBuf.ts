// A secret that JavaScript holds and sees only inside of a callback.
//
// The secret's own pages are never shown. A callback is lent a view of a window that holds a copy,
// as well protected, which is overwritten when the callback is over; whoever took its buffer, or is
// still at work on it, has zeros.

import { inspect } from 'node:util'
import * as workers from 'node:worker_threads'
import { Call, callNative } from './_call.ts'
import { checkBoolean, checkInteger, checkOptions, show, showType } from './_check.ts'
import { type Bytes, checkSource, copyOfShort, unshared } from './_source.ts'
import { unlistedRequests, Window } from './_window.ts'
import { NallocError, wrongType, wrongValue } from './errors.ts'
import { binding, type NativeSecret, type SecretRequirements } from './native.ts'
import type {
  AccessOptions,
  EnvironmentSecretOptions,
  FileSecretOptions,
  SecretOptions,
  SecretProtection,
} from './options.ts'

/** Which protections the kernel gave to a secret. */
export interface SecretStatus {
  /** Its pages stay in memory and never go to swap. */
  readonly locked: boolean
  /** Its pages are left out of core dumps. */
  readonly noDump: boolean
  /** A child made by fork finds zeros, or nothing. */
  readonly noFork: boolean
  /** A page that nobody can touch lies on both sides. */
  readonly guarded: boolean
  /** memfd_secret: the kernel itself, and with it ptrace and root, has no address for its pages. */
  readonly backing: 'anonymous' | 'memfd_secret'
}

/** The native secret of a `SecretBuf`. @internal */
export let nativeSecretOf: (secret: SecretBuf) => NativeSecret

const PROTECTIONS: readonly SecretProtection[] = [
  'locked',
  'noDump',
  'noFork',
  'guarded',
  'memfd_secret',
]
const ENCODINGS: readonly string[] = ['hex', 'base64']
const BYTES_MAX = 2 ** 40

/**
 * Bytes in native memory that JavaScript cannot read but in a callback of `withBytes`: between
 * guard pages, out of swap, core dumps and children as far as the kernel allows (see `status`), and
 * inaccessible while nobody reads them. They never enter JavaScript's heap, print as their length,
 * and are wiped by `dispose()`, by `using`, or late by the garbage collector.
 *
 * @example
 * import { createHmac } from 'node:crypto'
 * import { SecretBuf } from 'nalloc'
 *
 * using key = SecretBuf.random(32)
 * const tag = key.withBytes((bytes) => createHmac('sha256', bytes).update('text').digest('hex'))
 * console.log(tag.length, `${key}`) // 64 SecretBuf(32 bytes, sealed)
 */
export class SecretBuf {
  readonly #native: NativeSecret
  /** How many bytes it has, or had. */
  readonly byteLength: number
  #window: Window | undefined
  #isOpen = false

  static {
    nativeSecretOf = (secret) => secret.#native
  }

  /**
   * `byteLength` zero bytes, 1..2^40, to be filled with `withBytes(fill, { write: true })`.
   *
   * @throws ERR_INVALID_ARG; ERR_LOCK when a required protection cannot be had; ERR_LIMIT above
   * `memory.memoryLimit`; ERR_NO_MEMORY; ERR_PLATFORM, ERR_BINARY_MISSING
   */
  constructor(byteLength: number, options?: SecretOptions)
  /** @internal */
  constructor(native: NativeSecret)
  constructor(from: number | NativeSecret, options?: SecretOptions) {
    const { SecretHandle } = binding()
    if (from instanceof SecretHandle) {
      this.#native = from
    } else {
      const byteLength = checkLength(from)
      const requirements = checkRequirements(options)
      this.#native = callNative(() => new SecretHandle(byteLength, requirements))
    }
    this.byteLength = this.#native.byteLength
    markAsUncloneable?.(this)
  }

  /**
   * Random bytes of the operating system.
   *
   * @throws as the constructor
   */
  static random(byteLength: number, options?: SecretOptions): SecretBuf {
    const length = checkLength(byteLength)
    const requirements = checkRequirements(options)
    const { SecretHandle } = binding()
    return new SecretBuf(callNative(() => SecretHandle.random(length, requirements)))
  }

  /**
   * Moves bytes into a secret: copies them, and overwrites `bytes` with zeros.
   *
   * @throws as the constructor; then `bytes` are as they were
   */
  static adopt(bytes: Bytes, options?: SecretOptions): SecretBuf {
    return withOwnBytes('bytes', bytes, (own, overwrite) => {
      const requirements = checkRequirements(options)
      if (own.length === 0) throw wrongValue('bytes', 'at least one byte', 'none')
      const { SecretHandle } = binding()
      const secret = new SecretBuf(callNative(() => SecretHandle.adopt(own, requirements)))
      overwrite()
      return secret
    })
  }

  /**
   * What an environment variable says in hexadecimal digits or base64. The text does not pass
   * through JavaScript, where it would stay. With `unset` the variable is overwritten and removed,
   * for children too; a worker thread has a copy of its own in `process.env`, made of strings.
   *
   * @throws ERR_INVALID_ARG when it is not set or is not of this encoding; as the constructor
   * @example
   * import { SecretBuf } from 'nalloc'
   *
   * process.env.API_KEY = '00ff'
   * using key = SecretBuf.fromEnv('API_KEY', 'hex', { unset: true })
   * console.log(key.byteLength, process.env.API_KEY) // 2 undefined
   */
  static fromEnv(
    name: string,
    encoding: 'hex' | 'base64',
    options?: EnvironmentSecretOptions,
  ): SecretBuf {
    if (typeof name !== 'string') throw wrongType('name', 'text', show(name))
    if (name === '' || /[=\0]/.test(name)) throw wrongValue('name', 'a variable', show(name))
    if (!ENCODINGS.includes(encoding)) throw wrongEncoding(encoding)
    const requirements = checkRequirements(options)
    const isUnset = checkBoolean('unset', options?.unset, false)
    const { SecretHandle } = binding()
    return new SecretBuf(
      callNative(() => SecretHandle.fromVariable(name, encoding, isUnset, requirements)),
    )
  }

  /**
   * The bytes of a regular file, read by native code.
   *
   * @throws ERR_IO; ERR_TRUNCATED for an empty file; ERR_FILE_CHANGED when it is written meanwhile;
   * as the constructor
   */
  static async fromFile(path: string | URL, options?: FileSecretOptions): Promise<SecretBuf> {
    const source = checkSource('path', path)
    if (source.kind !== 'path') throw wrongType('path', 'a path or a file: URL', showType(path))
    const requirements = checkRequirements(options)
    const call = new Call(checkOptions(options))
    const { readSecret } = binding()
    return new SecretBuf(await call.run((task) => readSecret(source.path, requirements, task)))
  }

  /** Which protections the kernel gave. */
  get status(): SecretStatus {
    const native = this.#native
    return callNative(() => native.status)
  }

  /** True after `dispose()`. */
  get isDisposed(): boolean {
    return this.#native.isDisposed
  }

  /**
   * Runs `use` with a view of the bytes, which has length 0 afterwards, or reads as zero while zlib
   * or the like may be at work on it. What is written to the view
   * counts with `write: true` alone, and not when `use` throws. Copies that `use` makes stay: of a
   * typed array almost every method makes one.
   *
   * @throws ERR_INVALID_ARG when `use` returns a promise; ERR_BUSY while the secret is open, or, to
   * write, while a proof is going to read it; ERR_LOCK, ERR_NO_MEMORY, ERR_EXTERNAL_BUFFER;
   * ERR_DISPOSED; what `use` throws
   */
  withBytes<T>(use: (view: Uint8Array) => T, options?: AccessOptions): T {
    const access = this.#open(use, options)
    const requestsBefore = unlistedRequests()
    try {
      const result = use(access.view)
      if (isThenable(result)) throw gotPromise(result)
      this.#store(access)
      return result
    } finally {
      this.#close(requestsBefore)
    }
  }

  /**
   * As `withBytes`, until the promise of `use` has settled.
   *
   * @throws as `withBytes`
   */
  async withBytesAsync<T>(
    use: (view: Uint8Array) => Promise<T>,
    options?: AccessOptions,
  ): Promise<T> {
    const access = this.#open(use, options)
    try {
      const result = await use(access.view)
      this.#store(access)
      return result
    } finally {
      this.#close(0)
    }
  }

  /**
   * Whether two secrets, or a secret and bytes, are the same; takes a time that depends on their
   * lengths alone.
   *
   * @throws ERR_INVALID_ARG, ERR_DISPOSED
   */
  equals(other: SecretBuf | Bytes): boolean {
    const native = this.#native
    if (other instanceof SecretBuf) {
      const others = other.#native
      return callNative(() => native.equals(others))
    }
    return withOwnBytes('other', other, (own) => callNative(() => native.equalsBytes(own)))
  }

  /** Wipes the bytes and frees their memory, once no proof reads them. May be called again. */
  dispose(): void {
    this.#native.dispose()
    if (!this.#isOpen) this.#closeWindow()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Says what it is and shows no byte. */
  toString(): string {
    const state = this.#isOpen ? 'open' : 'sealed'
    return `SecretBuf(${this.isDisposed ? 'disposed' : `${this.byteLength} bytes, ${state}`})`
  }

  /** As `toString`: a secret is never written to JSON. */
  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }

  #open(use: unknown, options: AccessOptions | undefined): Access {
    if (typeof use !== 'function') throw wrongType('use', 'a function', show(use))
    const isWritten = checkBoolean('write', checkOptions(options).write, false)
    if (this.#isOpen) {
      const message = 'secret: expected one call of withBytes at a time, got a second one.'
      throw new NallocError('ERR_BUSY', message, { hint: 'Await the first one.' })
    }
    if (isWritten) callNative(() => this.#native.checkFree())
    this.#window ??= new Window(callNative(() => this.#native.window()))
    const window = this.#window
    const view = new Uint8Array(window.open(0, this.byteLength))
    callNative(() => this.#native.load(window.region))
    this.#isOpen = true
    return { view, window, isWritten }
  }

  #store({ window, isWritten }: Access): void {
    if (isWritten) callNative(() => this.#native.store(window.region))
  }

  /** Requests that libuv had when the view was made have nothing to do with it. */
  #close(requestsBefore: number): void {
    this.#isOpen = false
    if (unlistedRequests() > requestsBefore || this.#window?.isHeld === true) {
      this.#window?.abandon(this.byteLength)
      this.#window = undefined
    }
    if (this.#window?.endViews() === false) this.#window = undefined
    this.#window?.wipe(this.byteLength)
    if (this.isDisposed) this.#closeWindow()
  }

  #closeWindow(): void {
    this.#window?.close(this.byteLength)
    this.#window = undefined
  }
}

interface Access {
  readonly view: Uint8Array
  readonly window: Window
  readonly isWritten: boolean
}

/** From Node 22.10 on: `structuredClone` and `postMessage` then refuse the object. */
const { markAsUncloneable } = workers as { markAsUncloneable?: (value: object) => void }

function checkLength(value: number): number {
  const length = checkInteger('byteLength', value, [1, BYTES_MAX])
  if (length === undefined) throw wrongType('byteLength', 'an integer', 'undefined')
  return length
}

function checkRequirements(options: SecretOptions | undefined): SecretRequirements {
  const { require = [] } = checkOptions(options)
  const expected = `an array of ${PROTECTIONS.map((name) => `'${name}'`).join(', ')}`
  if (!Array.isArray(require)) throw wrongType('require', expected, show(require))
  const unknown: unknown = require.find((name) => !PROTECTIONS.includes(name))
  if (unknown !== undefined) throw wrongValue('require', expected, `one with ${show(unknown)}`)
  const has = (name: SecretProtection): boolean => require.includes(name)
  return {
    locked: has('locked'),
    noDump: has('noDump'),
    noFork: has('noFork'),
    guarded: has('guarded'),
    memfdSecret: has('memfd_secret'),
  }
}

/** Bytes of the caller; a text is not shown, because it may be the secret. */
function checkBytes(name: string, value: Bytes): Uint8Array {
  const source = typeof value === 'string' ? undefined : checkSource(name, value)
  if (source?.kind !== 'bytes') throw wrongType(name, 'bytes', showType(value))
  return source.bytes
}

/**
 * Hands `use` bytes of the caller's that no other thread writes, and that native code may look at
 * without moving them, and what overwrites the caller's own; a copy made for that is wiped.
 */
function withOwnBytes<T>(
  name: string,
  value: Bytes,
  use: (own: Uint8Array, overwrite: () => void) => T,
): T {
  const short = copyOfShort(value)
  const given = short ?? checkBytes(name, value)
  const own = unshared(given)
  const overwrite = short === undefined ? () => given.fill(0) : () => overwriteArray(value)
  try {
    return use(own, overwrite)
  } finally {
    if (own === short || own !== given) own.fill(0)
  }
}

/** Overwrites a typed array where it is. */
function overwriteArray(array: Bytes): void {
  if (array instanceof BigUint64Array || array instanceof BigInt64Array) array.fill(0n)
  else (array as Uint8Array).fill(0)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}

/** The promise is nobody's any more, and its view has ended: how it settles says nothing. */
function gotPromise(promise: PromiseLike<unknown>): Error {
  Promise.resolve(promise).catch(() => {})
  return wrongType('use', 'a function that answers at once (see withBytesAsync)', 'a promise')
}

function wrongEncoding(encoding: unknown): Error {
  const make = typeof encoding === 'string' ? wrongValue : wrongType
  return make('encoding', "'hex' or 'base64'", show(encoding))
}
