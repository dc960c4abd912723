// What every handle of native memory in `nalloc/bn254` has.

import { inspect } from 'node:util'

/**
 * Native memory: freed by `dispose()`, by `using`, or late by the garbage collector. Calls in
 * progress keep it alive beyond that; new ones fail with ERR_DISPOSED.
 */
export abstract class Owned {
  /** True after `dispose()`. */
  abstract get isDisposed(): boolean

  /** Frees the memory, once no call uses it. May be called again. */
  abstract dispose(): void

  /** What it is and how large, without any value. @internal */
  protected abstract describe(): readonly [kind: string, size: string]

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Says what it is and shows no value. */
  toString(): string {
    const [kind, size] = this.describe()
    return `${kind}(${this.isDisposed ? 'disposed' : size})`
  }

  /** As `toString`: values are never written to JSON. */
  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }
}
