// The entry point `nalloc/bn254`: arithmetic of the curve BN254 on native threads.

export type { Bytes } from './_source.ts'
export { FrVector } from './bn254/frVector.ts'
export { G1Vector } from './bn254/g1Vector.ts'
export { Kzg, type KzgOpening } from './bn254/kzg.ts'
export { msm } from './bn254/msm.ts'
export { type Ntt, ntt } from './bn254/ntt.ts'
export type {
  KzgClaim,
  KzgOpeningAtPoint,
  KzgOpeningAtPoints,
  KzgQuery,
} from './bn254/openings.ts'
export type * from './bn254/options.ts'
export type { G1 } from './bn254/point.ts'
export { type Division, Polynomial } from './bn254/polynomial.ts'
export { type PointEncoding, type RawLayout, Srs } from './bn254/srs.ts'
export type {
  AbortOptions,
  AbortSignalLike,
  FieldLike,
  Progress,
  ProgressPhase,
  Size,
  TaskOptions,
} from './options.ts'
