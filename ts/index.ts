// The entry point `nalloc`.

export { Arena, type ViewKind, type ViewOf } from './arena.ts'
export { type Environment, type EnvironmentWarning, environment } from './environment.ts'
export {
  ERROR_CODES,
  type ErrorCode,
  NallocError,
  type NallocErrorOptions,
} from './errors.ts'
export {
  type AbortOptions,
  type AbortSignalLike,
  type AccessOptions,
  type AllocOptions,
  type ArenaOptions,
  type Bytes,
  Circuit,
  type CircuitInputs,
  type ConfigureOptions,
  configure,
  type EnvironmentSecretOptions,
  type FieldLike,
  type FileSecretOptions,
  type Groth16,
  type Groth16Proof,
  groth16,
  type KeyInfo,
  type LabelOptions,
  type OneShotOptions,
  type OpenOptions,
  type Progress,
  type ProgressPhase,
  type ProofEstimate,
  type ProofItem,
  type ProofResult,
  type ProveOptions,
  ProvingKey,
  type PublicSignals,
  type ResetOptions,
  type SecretOptions,
  type SecretProtection,
  type SetupOptions,
  type SignalValue,
  type Size,
  type Source,
  setupUnsafeDev,
  type TaskOptions,
  type VerifyFailure,
  VerifyingKey,
  type VerifyingKeyJson,
  type VerifyingKeyOptions,
  type VerifyOutcome,
  Witness,
} from './groth16.ts'
export { type Memory, memory } from './memory.ts'
export { phase } from './phase.ts'
export { SecretBuf, type SecretStatus } from './secretBuf.ts'
export { type MemoryStats, type PhaseStats, resetPeak, stats } from './stats.ts'
