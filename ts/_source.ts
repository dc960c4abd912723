// Where the bytes of a file come from: a path, a file: URL, or memory.

import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import { show } from './_check.ts'
import { wrongType, wrongValue } from './errors.ts'

/** Bytes in memory; any view is taken, of any element type. */
export type Bytes = ArrayBufferView | ArrayBufferLike

/** A file: its path, file: URL or bytes. snarkjs writes bytes as `{ type: 'mem', data }`. */
export type Source = string | URL | Bytes | { readonly type: 'mem'; readonly data: Bytes }

/** A checked source. @internal */
export type Opened =
  | { readonly kind: 'path'; readonly name: string; readonly path: string }
  | { readonly kind: 'bytes'; readonly name: string; readonly bytes: Uint8Array }

const EXPECTED = 'a path, a file: URL or bytes'
/**
 * Elements of a typed array that may lie in the collector's heap: 1,000 in JavaScriptCore, 64 bytes
 * of them in V8. The first look at its `buffer` moves them out, and nobody overwrites where they were.
 */
const SHORT_LENGTH_MAX = 1000
const KINDS = [
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  BigUint64Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
]

/** What they have in common, where TypeScript sees no more than their union. */
type Kind = new (buffer: ArrayBuffer) => { set(from: ArrayBufferView): void }

/** Checks a source; `name` is the argument's name in messages. @internal */
export function checkSource(name: string, value: unknown): Opened {
  if (typeof value === 'string') return checkPath(name, value)
  if (value instanceof URL) return checkPath(name, pathOfUrl(name, value))
  const data = isMemory(value) ? value.data : value
  if (ArrayBuffer.isView(data)) {
    checkAttached(name, data.buffer)
    return {
      kind: 'bytes',
      name,
      bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    }
  }
  if (types.isAnyArrayBuffer(data)) {
    checkAttached(name, data)
    return { kind: 'bytes', name, bytes: new Uint8Array(data) }
  }
  throw wrongType(name, EXPECTED, show(value))
}

/** True for what `checkSource` takes, or refuses by its value alone. @internal */
export function isSource(value: unknown): value is Source {
  if (typeof value === 'string' || value instanceof URL || isMemory(value)) return true
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)
}

/**
 * Hands `use` what the native side takes, which copies bytes before it returns. Shared memory is
 * copied here first, because another thread may write to it meanwhile, and that copy is wiped.
 * @internal
 */
export function withNativeSource<T>(source: Opened, use: (source: string | Uint8Array) => T): T {
  if (source.kind === 'path') return use(source.path)
  const { bytes } = source
  const copy = unshared(bytes)
  if (copy === bytes) return use(bytes)
  try {
    return use(copy)
  } finally {
    copy.fill(0)
  }
}

/** The same bytes, out of reach of other threads. @internal */
export function unshared(bytes: Uint8Array): Uint8Array {
  return types.isSharedArrayBuffer(bytes.buffer) ? Uint8Array.from(bytes) : bytes
}

/**
 * A copy of a short typed array, made without a look at its `buffer`, so that whoever overwrites the
 * array has overwritten all of it; undefined for everything else. The caller wipes it. @internal
 */
export function copyOfShort(value: unknown): Uint8Array | undefined {
  const kind = KINDS.find((candidate) => value instanceof candidate)
  if (kind === undefined) return undefined
  const array = value as InstanceType<typeof kind>
  const { length, byteLength } = array
  // A detached one has none.
  if (length === 0 || length > SHORT_LENGTH_MAX) return undefined
  const buffer = new ArrayBuffer(byteLength)
  const copy = new (kind as unknown as Kind)(buffer)
  copy.set(array)
  return new Uint8Array(buffer)
}

function checkPath(name: string, path: string): Opened {
  if (path === '') throw wrongValue(name, 'a path', 'empty text')
  if (path.includes('\0')) throw wrongValue(name, 'a path', 'text with a NUL character')
  return { kind: 'path', name: path, path }
}

function pathOfUrl(name: string, url: URL): string {
  if (url.protocol !== 'file:') throw wrongValue(name, 'a file: URL', show(url.protocol))
  try {
    return fileURLToPath(url)
  } catch {
    throw wrongValue(name, 'a file: URL of this machine', show(url.href))
  }
}

function isMemory(value: unknown): value is { data: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'mem' &&
    'data' in value
  )
}

function checkAttached(name: string, buffer: ArrayBufferLike): void {
  if (buffer.byteLength > 0) return
  try {
    // An empty buffer allows this, a detached one does not.
    new Uint8Array(buffer)
  } catch {
    throw wrongType(name, EXPECTED, 'a detached buffer')
  }
}
