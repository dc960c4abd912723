// Every option that a caller can give, documented field by field; `_check.ts` tests them.

/**
 * A number of bytes: an integer, a number with K, M or G (powers of 1024), or a share of what this
 * process may use (its cgroup's limit, else the machine's memory).
 */
export type Size = number | `${number}${'K' | 'M' | 'G' | '%'}`

/** What is used of an AbortSignal. Structural, because job queues hand out polyfilled signals. */
export interface AbortSignalLike {
  /** True once the signal has fired. */
  readonly aborted: boolean
  /** What the aborted call rejects with. @defaultValue a DOMException named AbortError */
  readonly reason?: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** What a call is doing; it goes through the phases that it needs. */
export type ProgressPhase =
  | 'queue'
  | 'load'
  | 'check'
  | 'ntt'
  | 'witness'
  | 'quotient'
  | 'msm'
  | 'finish'
  | 'self-verify'
  | 'setup'

/** How far a call has come. */
export interface Progress {
  /** What is being done now. */
  readonly phase: ProgressPhase
  /** The share of this phase that is done, 0..1; it never goes back. */
  readonly ratio: number
  /** Milliseconds since the call began. */
  readonly elapsedMs: number
}

/** Options of every call that takes time. */
export interface AbortOptions {
  /** Stops the call: its promise rejects with the signal's reason within some milliseconds. */
  readonly signal?: AbortSignalLike | undefined
}

/** Options of the calls that take long enough to be watched. */
export interface TaskOptions extends AbortOptions {
  /**
   * Called from the event loop when a phase begins and ten times a second, in all at most 20 times a
   * second, never after the promise has settled. What it throws stops the call, whose promise then rejects with
   * it.
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Options of `ProvingKey.fromShared`. */
export interface LabelOptions {
  /**
   * What the metrics of `nalloc/metrics` call the circuit of this handle, 1..64 characters.
   * @defaultValue the first twelve digits of the key's SHA-256
   */
  readonly label?: string | undefined
}

/** Options of `ProvingKey.open`. */
export interface OpenOptions extends TaskOptions, LabelOptions {
  /** SHA-256 of the file in hexadecimal digits; another file is refused with ERR_FILE_CHANGED. */
  readonly sha256?: string | undefined
  /**
   * Accept a key without a phase-2 contribution (gamma = delta), for which everybody can forge
   * proofs. For development only. @defaultValue false
   */
  readonly allowInsecure?: boolean | undefined
  /** Refuse with ERR_LIMIT a key that needs more bytes than this. @defaultValue no limit */
  readonly memoryLimit?: Size | undefined
  /**
   * The most memory for tables of multiples of the key's points, which make its proofs faster and
   * take about 6 ms per MiB to build: for keys that prove often. Less is taken where less pays, or
   * where a memory limit leaves less. @defaultValue 0
   */
  readonly tableLimit?: Size | undefined
}

/** Options of `VerifyingKey.fromZkey`. */
export interface VerifyingKeyOptions extends AbortOptions {
  /** Accept a key without a phase-2 contribution, as for `ProvingKey.open`. @defaultValue false */
  readonly allowInsecure?: boolean | undefined
}

/** Options of `setupUnsafeDev`. */
export interface SetupOptions extends TaskOptions {
  /** Refuse with ERR_LIMIT a circuit that needs more bytes than this. @defaultValue no limit */
  readonly memoryLimit?: Size | undefined
}

/** A scalar that the caller fixes: an integer in [0, r). */
export type FieldLike = bigint | number | string

/** Options of `ProvingKey.prove` and `ProvingKey.fullProve`. */
export interface ProveOptions extends TaskOptions {
  /**
   * Verify the proof before it is returned. A corrupt or hostile key can make a proof that gives
   * the witness away; only this check stops it. @defaultValue true
   */
  readonly selfVerify?: boolean | undefined
  /** Refuse with ERR_LIMIT a proof that needs more bytes than this. @defaultValue no limit */
  readonly memoryLimit?: Size | undefined
  /**
   * Blinding scalars in place of fresh random ones, both in [0, r). For tests only: whoever knows
   * them can link proofs and read witness values out of them.
   */
  readonly unsafeBlinding?: { readonly r: FieldLike; readonly s: FieldLike } | undefined
}

/** Options of the calls that open a key, prove with it once and drop it. */
export interface OneShotOptions extends OpenOptions, ProveOptions {}

/** Options of `new Arena`. */
export interface ArenaOptions {
  /**
   * Keep its pages out of swap, core dumps and children as far as the kernel allows, and wipe them
   * on every `reset`, which then takes time. @defaultValue false
   */
  readonly secret?: boolean | undefined
  /**
   * Alignment of every view in bytes, a power of two up to 4096. @defaultValue 64, and 4096 for
   * views of 1 MiB or more
   */
  readonly alignment?: number | undefined
}

/** Options of `Arena.alloc`. */
export interface AllocOptions {
  /** Alignment of this view in bytes, a power of two up to 4096. @defaultValue the arena's */
  readonly alignment?: number | undefined
  /**
   * False: the view may hold what this arena handed out before, which is faster. Never bytes of
   * anybody else. @defaultValue true
   */
  readonly zero?: boolean | undefined
}

/** Options of `Arena.reset` and `Arena.wipe`. */
export interface ResetOptions {
  /**
   * What is known of work that zlib, crypto and addons do in libuv's threads. Nobody can see whose
   * views it has: so it makes the call be refused, whatever in this thread it is for. 'awaited' says
   * that none of it has a view of this arena. If that is wrong, it reads and writes what the arena
   * hands out next. Work that can be told, of nalloc and of zlib's streams on views of this arena,
   * is refused all the same. Bun and Deno do not show other work: there both are the same.
   * @defaultValue 'unknown'
   */
  readonly inFlight?: 'unknown' | 'awaited' | undefined
}

/**
 * A protection of secret memory; see `SecretStatus`. Without being asked for, `memfd_secret` is used
 * up to 16 KiB where the kernel has it: writing such pages for the first time takes 5 ms per MiB.
 */
export type SecretProtection = 'locked' | 'noDump' | 'noFork' | 'guarded' | 'memfd_secret'

/** Options of everything that makes a `SecretBuf`. */
export interface SecretOptions {
  /**
   * Protections that it must have: ERR_LOCK without them. @defaultValue none; `status` says what
   * was obtained
   */
  readonly require?: readonly SecretProtection[] | undefined
}

/** Options of `SecretBuf.fromEnv`. */
export interface EnvironmentSecretOptions extends SecretOptions {
  /** Overwrite the variable and remove it. @defaultValue false */
  readonly unset?: boolean | undefined
}

/** Options of `SecretBuf.fromFile`. */
export interface FileSecretOptions extends SecretOptions, AbortOptions {}

/** Options of `SecretBuf.withBytes`. */
export interface AccessOptions {
  /** Whether what is written to the view becomes the secret. @defaultValue false */
  readonly write?: boolean | undefined
}

/** Settings of `configure`. */
export interface ConfigureOptions {
  /**
   * Threads of a proof, 1..1024, and witnesses that are computed at the same time, at most 16. In a
   * worker thread it is one witness. @defaultValue as many as this process may use at once: its CPUs
   * and the limits of its cgroup
   */
  readonly threads?: number | undefined
  /**
   * Proofs and openings of keys that run at the same time, 1..64, each with `threads` threads of its
   * own. One proof after the other is the fastest for large circuits and takes the least memory;
   * several share the CPUs more evenly among callers. @defaultValue 1
   */
  readonly concurrency?: number | undefined
  /**
   * Calls that may wait for their turn, and as many for their witness, 0..2^32-1; one more is refused
   * with ERR_QUEUE_FULL.
   * @defaultValue 1000
   */
  readonly maxQueue?: number | undefined
}
