// Multi-scalar multiplication.

import { checkOptions, show } from '../_check.ts'
import { wrongValue } from '../errors.ts'
import { binding } from '../native.ts'
import { compute } from './_compute.ts'
import { checkVector, type FrVector, nativeVectorOf } from './frVector.ts'
import { checkPoints, type G1Vector, nativePointsOf } from './g1Vector.ts'
import type { ComputeOptions } from './options.ts'
import { type G1, pointOf } from './point.ts'

/**
 * The sum of `points[i]` times `scalars[i]` over all i, on native threads; infinity for none.
 *
 * How long it takes, and which memory it touches, depends on the scalars: do not call it with secret
 * ones where somebody can measure that. What it worked on is overwritten afterwards. There is no
 * sum of another kind: an option `secret` is refused rather than ignored.
 *
 * @throws ERR_LENGTH_MISMATCH; ERR_BUSY while a call changes the scalars; ERR_LIMIT, ERR_NO_MEMORY,
 * ERR_QUEUE_FULL; ERR_INVALID_ARG, ERR_DISPOSED
 * @example
 * import { FrVector, G1Vector, msm } from 'nalloc/bn254'
 *
 * const generator = new Uint8Array(64).fill(1, 0, 1).fill(2, 32, 33)
 * using points = await G1Vector.fromBytes(generator)
 * using scalars = await FrVector.from([1n])
 * console.log(await msm(points, scalars)) // { x: 1n, y: 2n }
 */
export async function msm(
  points: G1Vector,
  scalars: FrVector,
  options?: ComputeOptions,
): Promise<G1> {
  const checkedPoints = checkPoints('points', points)
  const checkedScalars = checkVector('scalars', scalars)
  checkSecret(options)
  const { msm: start } = binding()
  const sum = await compute(options, (limit, task) =>
    start(nativePointsOf(checkedPoints), nativeVectorOf(checkedScalars), limit, task),
  )
  return pointOf(sum)
}

/** Whoever asks for a sum whose time tells nothing must not believe that he has got it. */
function checkSecret(options: ComputeOptions | undefined): void {
  const { secret } = checkOptions(options) as { readonly secret?: unknown }
  if (secret === undefined || secret === false) return
  const expected = 'false: no sum takes a time that does not depend on its scalars'
  throw wrongValue('secret', expected, show(secret))
}
