// Number-theoretic transforms.

import { Call } from '../_call.ts'
import { checkOptions, checkSize } from '../_check.ts'
import { wrongValue } from '../errors.ts'
import { binding } from '../native.ts'
import { elementBytes } from './_elements.ts'
import { checkVector, type FrVector, nativeVectorOf } from './frVector.ts'
import type { TransformOptions } from './options.ts'

/** Transforms between coefficients and values, in place. */
export interface Ntt {
  /**
   * Coefficients to values: element i becomes the sum over j of element j times w^(ij), in natural
   * order. w is the root of unity of the vector's length N = 2^k: 5^((r - 1) / N), as in circom and
   * snarkjs. On a coset of c it is the sum of element j times (c w^i)^j.
   *
   * The vector cannot be used meanwhile. A call that was stopped leaves zeros in it.
   *
   * @throws ERR_DOMAIN unless there are 2^0..2^28 elements, a power of two; ERR_BUSY while another
   * call uses the vector; ERR_INVALID_ARG, ERR_NON_CANONICAL; ERR_LIMIT, ERR_NO_MEMORY,
   * ERR_QUEUE_FULL; ERR_DISPOSED
   */
  forward(vector: FrVector, options?: TransformOptions): Promise<void>

  /**
   * Values to coefficients: undoes `forward` with the same `coset`.
   *
   * @throws as `forward`
   */
  inverse(vector: FrVector, options?: TransformOptions): Promise<void>
}

/**
 * Number-theoretic transforms over the scalar field, on native threads.
 *
 * @example
 * import { FrVector, ntt } from 'nalloc/bn254'
 *
 * using vector = await FrVector.from([1, 1, 0, 0])
 * await ntt.forward(vector)
 * console.log(vector.at(0), vector.at(2)) // 2n 0n
 * await ntt.inverse(vector)
 * console.log(vector.at(1), vector.at(2)) // 1n 0n
 */
export const ntt: Ntt = Object.freeze({
  forward: (vector: FrVector, options?: TransformOptions) => transform(vector, options, false),
  inverse: (vector: FrVector, options?: TransformOptions) => transform(vector, options, true),
})

async function transform(
  vector: FrVector,
  options: TransformOptions | undefined,
  isInverse: boolean,
): Promise<void> {
  const checkedVector = checkVector('vector', vector)
  const checked = checkOptions(options)
  const memoryLimitBytes = checkSize('memoryLimit', checked.memoryLimit)
  const coset = checked.coset === undefined ? null : elementBytes('coset', checked.coset)
  if (coset?.every((byte) => byte === 0)) {
    throw wrongValue('coset', 'an integer in [1, r)', 'zero, which has none')
  }
  const settings = { isInverse, ...(memoryLimitBytes !== undefined && { memoryLimitBytes }) }
  const { transform: start } = binding()
  await new Call(checked).run((task) => start(nativeVectorOf(checkedVector), coset, settings, task))
}
