// A vector of field elements in native memory.

import { Call, callNative } from '../_call.ts'
import { checkInteger, checkOptions, showType } from '../_check.ts'
import { ELEMENT_BYTES } from '../_field.ts'
import type { Bytes } from '../_source.ts'
import { Arena } from '../arena.ts'
import { NallocError, wrongType } from '../errors.ts'
import { binding, type NativeFrVector } from '../native.ts'
import type { AbortOptions, FieldLike } from '../options.ts'
import {
  checkBytes,
  checkIndex,
  checkValues,
  elementBytes,
  elementsInTurns,
  inTurns,
  LENGTH_MAX,
  writeInTurns,
} from './_elements.ts'
import { Owned } from './_owned.ts'
import type { PlaceOptions, VectorOptions } from './options.ts'

/** A cache line, and the width of the widest kernels' loads. */
const ALIGNMENT = 64

/** The native vector of an `FrVector` that can be used. Throws ERR_DISPOSED. @internal */
export let nativeVectorOf: (vector: FrVector) => NativeFrVector
/** Wraps a native vector on the heap. @internal */
export let makeVector: (native: NativeFrVector) => FrVector

/**
 * Elements of the scalar field of BN254, integers modulo r, in native memory: 32 bytes each, in
 * Montgomery form. Calls that read it run beside each other; one that changes it, such as
 * `ntt.forward`, has it alone, and every other use is then refused with ERR_BUSY.
 *
 * Its memory is overwritten before it is freed, whether by `dispose()`, `using` or the garbage
 * collector. It is not locked: secrets that must not reach swap, core dumps or the end of a process
 * go into a secret `Arena`.
 *
 * @example
 * import { FrVector } from 'nalloc/bn254'
 *
 * using vector = await FrVector.from([1n, 2, '3'])
 * vector.set(0, 7n)
 * console.log(vector.length, vector.at(0)) // 3 7n
 */
export class FrVector extends Owned {
  /** How many elements it has. */
  readonly length: number
  readonly #native: NativeFrVector
  /** Its bytes, where they lie in an arena: of another length once that was reset. */
  readonly #view: Uint8Array | undefined

  static {
    nativeVectorOf = (vector) => vector.#live()
    makeVector = (native) => new FrVector(native, undefined)
  }

  private constructor(native: NativeFrVector, view: Uint8Array | undefined) {
    super()
    this.#native = native
    this.#view = view
    this.length = native.length
  }

  /**
   * A vector of zeros, of 0..2^28 elements, made at once: the memory of many is cleared by the kernel
   * when it is touched first, and not here.
   *
   * @throws ERR_INVALID_ARG; ERR_LIMIT above `memory.memoryLimit` or when the arena is full;
   * ERR_NO_MEMORY; of an arena also ERR_DISPOSED, ERR_EXTERNAL_BUFFER
   * @example
   * import { Arena } from 'nalloc'
   * import { FrVector } from 'nalloc/bn254'
   *
   * using arena = new Arena('1M', { secret: true })
   * const vector = FrVector.alloc(1024, { arena })
   * arena.reset()
   * console.log(vector.isDisposed) // true
   */
  static alloc(length: number, options?: PlaceOptions): FrVector {
    const checked = checkInteger('length', length, [0, LENGTH_MAX])
    if (checked === undefined) throw wrongType('length', 'an integer', 'undefined')
    const { arena } = checkOptions(options)
    return FrVector.#inArena(checked, checkArena(arena), true) ?? FrVector.#onHeap(checked)
  }

  /**
   * A vector of these integers in [0, r), from anything that can be iterated. A bigint or text stays
   * in JavaScript's heap until the collector overwrites it: give secrets as bytes.
   *
   * @throws ERR_NON_CANONICAL, ERR_INVALID_ARG, both with the index of the value; what `alloc` throws
   * @example
   * import { FrVector } from 'nalloc/bn254'
   *
   * using squares = await FrVector.from(Array.from({ length: 8 }, (_, i) => i * i))
   * console.log(squares.at(7)) // 49n
   */
  static async from(values: Iterable<FieldLike>, options?: VectorOptions): Promise<FrVector> {
    const checkedValues = checkValues('values', values)
    const checked = checkOptions(options)
    const arena = checkArena(checked.arena)
    const call = new Call({ signal: checked.signal })
    const pieces: Uint8Array[] = []
    try {
      const length = await elementsInTurns('values', checkedValues, call, pieces)
      return await FrVector.#filled(length, arena, call, async (write) => {
        let start = 0
        for (const piece of pieces) {
          const count = piece.length / ELEMENT_BYTES
          const first = start
          await writeInTurns(piece, count, ELEMENT_BYTES, call, (index, bytes) =>
            write(first + index, bytes),
          )
          start += count
        }
      })
    } finally {
      for (const piece of pieces) piece.fill(0)
    }
  }

  /**
   * A vector of the numbers in these bytes, 32 for each, little-endian and below r. They are copied
   * piece by piece while the event loop turns, so nobody may change them meanwhile.
   *
   * @throws ERR_NON_CANONICAL with the index of the number; ERR_INVALID_ARG; what `alloc` throws
   * @example
   * import { FrVector } from 'nalloc/bn254'
   *
   * const bytes = new Uint8Array(64)
   * bytes[32] = 5
   * using vector = await FrVector.fromBytes(bytes)
   * console.log(vector.length, vector.at(1)) // 2 5n
   */
  static async fromBytes(bytes: Bytes, options?: VectorOptions): Promise<FrVector> {
    const checkedBytes = checkBytes('bytes', bytes, ELEMENT_BYTES)
    const checked = checkOptions(options)
    const arena = checkArena(checked.arena)
    const call = new Call({ signal: checked.signal })
    const length = checkedBytes.length / ELEMENT_BYTES
    return FrVector.#filled(length, arena, call, (write) =>
      writeInTurns(checkedBytes, length, ELEMENT_BYTES, call, write),
    )
  }

  /** True after `dispose()`, and when its arena was reset or disposed. */
  get isDisposed(): boolean {
    return this.#native.isDisposed || !this.#hasMemory
  }

  /**
   * The element at an index, an integer in [0, r).
   *
   * @throws ERR_INVALID_ARG; ERR_BUSY while a call changes the vector; ERR_DISPOSED
   */
  at(index: number): bigint {
    const at = checkIndex(index, this.length)
    return callNative(() => this.#live().at(at))
  }

  /**
   * Replaces the element at an index.
   *
   * @throws ERR_NON_CANONICAL, ERR_INVALID_ARG; ERR_BUSY while a call uses the vector; ERR_DISPOSED
   */
  set(index: number, value: FieldLike): void {
    const at = checkIndex(index, this.length)
    const bytes = elementBytes('value', value)
    try {
      callNative(() => this.#live().write(at, bytes))
    } finally {
      bytes.fill(0)
    }
  }

  /**
   * A copy of the elements as bytes, 32 for each, little-endian: in JavaScript's memory, so the
   * caller overwrites it where that matters. Until it is there, the vector cannot be changed.
   *
   * @throws ERR_BUSY while a call changes the vector; ERR_DISPOSED
   * @example
   * import { FrVector } from 'nalloc/bn254'
   *
   * using vector = await FrVector.from([1, 258])
   * const bytes = await vector.toBytes()
   * console.log(bytes.length, bytes[32], bytes[33]) // 64 2 1
   */
  async toBytes(options?: AbortOptions): Promise<Uint8Array<ArrayBuffer>> {
    const call = new Call({ signal: checkOptions(options).signal })
    const reader = callNative(() => this.#live().reader())
    try {
      const bytes = new Uint8Array(this.length * ELEMENT_BYTES)
      await inTurns(this.length, ELEMENT_BYTES, call, (start, end) => {
        const piece = bytes.subarray(start * ELEMENT_BYTES, end * ELEMENT_BYTES)
        callNative(() => reader.read(start, piece))
      })
      return bytes
    } finally {
      reader.dispose()
    }
  }

  /**
   * A copy of the elements from `start` up to `end`, on the heap.
   *
   * @throws ERR_INVALID_ARG; ERR_BUSY while a call changes the vector; ERR_LIMIT, ERR_NO_MEMORY,
   * ERR_QUEUE_FULL; ERR_DISPOSED
   * @example
   * import { FrVector } from 'nalloc/bn254'
   *
   * using vector = await FrVector.from([1, 2, 3, 4])
   * using middle = await vector.slice(1, 3)
   * console.log(middle.length, middle.at(0)) // 2 2n
   */
  async slice(start = 0, end = this.length): Promise<FrVector> {
    const first = checkInteger('start', start, [0, this.length]) ?? 0
    const last = checkInteger('end', end, [first, this.length]) ?? this.length
    const call = new Call({})
    return makeVector(await call.run((task) => this.#live().slice(first, last, task)))
  }

  /**
   * Overwrites the elements and frees their memory, once no call uses them; what lies in an arena
   * stays the arena's. Many elements are overwritten on another thread. May be called again.
   */
  dispose(): void {
    this.#native.dispose(this.#hasMemory)
  }

  /** @internal */
  protected describe(): readonly [kind: string, size: string] {
    return ['FrVector', `${this.length} elements`]
  }

  get #hasMemory(): boolean {
    return this.#view === undefined || this.#view.length === this.length * ELEMENT_BYTES
  }

  #live(): NativeFrVector {
    if (this.#hasMemory) return this.#native
    throw new NallocError(
      'ERR_DISPOSED',
      'vector: expected a live one, got one of before a reset.',
      {
        hint: 'Its arena was reset or disposed: make a new one.',
      },
    )
  }

  static #onHeap(length: number): FrVector {
    const { FrVectorHandle } = binding()
    return makeVector(callNative(() => FrVectorHandle.zeroed(length)))
  }

  /** None where there is no arena, or nothing that could lie in it. */
  static #inArena(length: number, arena: Arena | undefined, zero: boolean): FrVector | undefined {
    if (arena === undefined || length === 0) return undefined
    const view = arena.alloc('u8', length * ELEMENT_BYTES, { alignment: ALIGNMENT, zero })
    const { FrVectorHandle } = binding()
    return new FrVector(
      callNative(() => FrVectorHandle.inArena(view)),
      view,
    )
  }

  /** A vector that `fill` has filled. */
  static async #filled(
    length: number,
    arena: Arena | undefined,
    call: Call,
    fill: (write: (index: number, bytes: Uint8Array) => void) => Promise<void>,
  ): Promise<FrVector> {
    const { makeFrVector } = binding()
    const vector =
      FrVector.#inArena(length, arena, false) ??
      makeVector(await new Call({}).run((task) => makeFrVector(length, task)))
    try {
      // Between two turns its arena may be reset.
      await fill((index, bytes) => callNative(() => vector.#live().write(index, bytes)))
      call.throwIfAborted()
      return vector
    } catch (error) {
      vector.dispose()
      throw error
    }
  }
}

/** An argument that must be a vector. @internal */
export function checkVector(name: string, value: unknown): FrVector {
  if (value instanceof FrVector) return value
  throw wrongType(name, 'an FrVector', showType(value))
}

function checkArena(value: unknown): Arena | undefined {
  if (value === undefined || value instanceof Arena) return value
  throw wrongType('arena', 'an Arena', showType(value))
}
