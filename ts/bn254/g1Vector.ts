// A vector of points of G1 in native memory.

import { Call, callNative } from '../_call.ts'
import { checkOptions, show, showType } from '../_check.ts'
import type { Bytes } from '../_source.ts'
import { wrongType, wrongValue } from '../errors.ts'
import { binding, type NativeG1Vector } from '../native.ts'
import type { AbortOptions } from '../options.ts'
import { checkBytes, checkIndex, inTurns, writeInTurns } from './_elements.ts'
import { Owned } from './_owned.ts'
import type { PointsOptions } from './options.ts'
import { type G1, POINT_BYTES, pointOf } from './point.ts'

/** The native points of a `G1Vector`. @internal */
export let nativePointsOf: (points: G1Vector) => NativeG1Vector

/**
 * Points of the group G1 of BN254 in native memory, 64 bytes each. Nothing changes them, so any
 * number of calls may use them at once.
 *
 * @example
 * import { G1Vector } from 'nalloc/bn254'
 *
 * const bytes = new Uint8Array(128)
 * bytes.set([1], 0) // x = 1
 * bytes.set([2], 32) // y = 2: the generator. The second point is infinity.
 * using points = await G1Vector.fromBytes(bytes)
 * console.log(points.at(0), points.at(1)) // { x: 1n, y: 2n } null
 */
export class G1Vector extends Owned {
  /** How many points it has. */
  readonly length: number
  readonly #native: NativeG1Vector

  static {
    nativePointsOf = (points) => points.#native
  }

  private constructor(native: NativeG1Vector) {
    super()
    this.#native = native
    this.length = native.length
  }

  /**
   * The points in these bytes, 64 for each: x, then y, little-endian and below q; zeros are infinity.
   * They are copied piece by piece while the event loop turns, so nobody may change them meanwhile,
   * and then checked on native threads.
   *
   * @throws ERR_NON_CANONICAL, ERR_NOT_ON_CURVE, both with the index of the point; ERR_INVALID_ARG;
   * ERR_LIMIT above `memory.memoryLimit`, ERR_NO_MEMORY, ERR_QUEUE_FULL
   * @example
   * import { G1Vector } from 'nalloc/bn254'
   *
   * const bytes = new Uint8Array(64).fill(1, 0, 1).fill(3, 32, 33)
   * await G1Vector.fromBytes(bytes).catch(({ code }) => console.log(code))
   */
  static async fromBytes(bytes: Bytes, options?: PointsOptions): Promise<G1Vector> {
    const checkedBytes = checkBytes('bytes', bytes, POINT_BYTES)
    const checked = checkOptions(options)
    const check = checkCheck(checked.check)
    const call = new Call(checked)
    const { makeG1Vector } = binding()
    const length = checkedBytes.length / POINT_BYTES
    const native = await new Call({}).run((task) => makeG1Vector(length, task))
    try {
      await writeInTurns(checkedBytes, length, POINT_BYTES, call, (index, piece) => {
        callNative(() => native.write(index, piece))
      })
      if (check === 'curve') await call.run((task) => native.check(task))
      call.throwIfAborted()
      return new G1Vector(native)
    } catch (error) {
      native.dispose()
      throw error
    }
  }

  /** True after `dispose()`. */
  get isDisposed(): boolean {
    return this.#native.isDisposed
  }

  /**
   * The point at an index.
   *
   * @throws ERR_INVALID_ARG, ERR_DISPOSED
   */
  at(index: number): G1 {
    const at = checkIndex(index, this.length)
    const bytes = new Uint8Array(POINT_BYTES)
    callNative(() => this.#native.read(at, bytes))
    return pointOf(bytes)
  }

  /**
   * A copy of the points as bytes, as `fromBytes` takes them.
   *
   * @throws ERR_DISPOSED
   */
  async toBytes(options?: AbortOptions): Promise<Uint8Array<ArrayBuffer>> {
    const call = new Call({ signal: checkOptions(options).signal })
    // Stays when this one is disposed meanwhile.
    const native = callNative(() => this.#native.again())
    try {
      const bytes = new Uint8Array(this.length * POINT_BYTES)
      await inTurns(this.length, POINT_BYTES, call, (start, end) => {
        const piece = bytes.subarray(start * POINT_BYTES, end * POINT_BYTES)
        callNative(() => native.read(start, piece))
      })
      return bytes
    } finally {
      native.dispose()
    }
  }

  dispose(): void {
    this.#native.dispose()
  }

  /** @internal */
  protected describe(): readonly [kind: string, size: string] {
    return ['G1Vector', `${this.length} points`]
  }
}

/** An argument that must be points. @internal */
export function checkPoints(name: string, value: unknown): G1Vector {
  if (value instanceof G1Vector) return value
  throw wrongType(name, 'a G1Vector', showType(value))
}

function checkCheck(value: unknown): 'curve' | 'none' {
  if (value === undefined || value === 'curve' || value === 'none') return value ?? 'curve'
  const make = typeof value === 'string' ? wrongValue : wrongType
  throw make('check', "'curve' or 'none'", show(value))
}
