// What the exit status says: 0 and 1 are answers, everything from 2 on means "could not answer".

import type { ErrorCode } from '../errors.ts'

/** The exit statuses of every command. */
export const EXIT = {
  /** Done, or the answer is yes. */
  done: 0,
  /** The answer is no: an invalid proof, a doctor with a finding. */
  no: 1,
  /** Wrong command, argument or flag. */
  usage: 2,
  /** A file or a value in it is wrong. */
  badInput: 3,
  /** Not enough memory, or more than the limit. */
  memory: 4,
  /** This platform or its state: no binary, an output that cannot be written, no time left. */
  environment: 5,
  /** A defect of nalloc. */
  defect: 70,
  /** SIGINT. */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143,
} as const

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** What help prints below the flags. */
export const EXIT_HELP = `Exit status:
  0   done, or valid               4   memory
  1   the answer is no             5   platform, output, --timeout
  2   usage                        70  a defect of nalloc
  3   a bad input file or value    130 SIGINT, 143 SIGTERM`

/** The exit status of each error code. */
export const EXIT_OF_ERROR: Readonly<Record<ErrorCode, ExitCode>> = {
  ERR_INVALID_ARG: EXIT.badInput,
  ERR_IO: EXIT.badInput,
  ERR_BAD_MAGIC: EXIT.badInput,
  ERR_TRUNCATED: EXIT.badInput,
  ERR_UNSUPPORTED_VERSION: EXIT.badInput,
  ERR_SECTION_MISSING: EXIT.badInput,
  ERR_SECTION_DUPLICATE: EXIT.badInput,
  ERR_UNSUPPORTED_PROTOCOL: EXIT.badInput,
  ERR_UNSUPPORTED_CURVE: EXIT.badInput,
  ERR_BAD_HEADER: EXIT.badInput,
  ERR_SECTION_LENGTH: EXIT.badInput,
  ERR_INDEX_RANGE: EXIT.badInput,
  ERR_NON_CANONICAL: EXIT.badInput,
  ERR_NOT_ON_CURVE: EXIT.badInput,
  ERR_POINT_AT_INFINITY: EXIT.badInput,
  ERR_NOT_IN_SUBGROUP: EXIT.badInput,
  ERR_INSECURE_KEY: EXIT.badInput,
  ERR_PRIME_MISMATCH: EXIT.badInput,
  ERR_WITNESS_LENGTH: EXIT.badInput,
  ERR_WITNESS_ONE: EXIT.badInput,
  ERR_LIMIT: EXIT.memory,
  ERR_SELF_VERIFY: EXIT.badInput,
  ERR_DOMAIN: EXIT.badInput,
  ERR_LENGTH_MISMATCH: EXIT.badInput,
  ERR_DEGREE: EXIT.badInput,
  ERR_BAD_SRS: EXIT.badInput,
  ERR_INSECURE_SRS: EXIT.badInput,
  ERR_BAD_ENCODING: EXIT.badInput,
  ERR_PLATFORM: EXIT.environment,
  ERR_BINARY_MISSING: EXIT.environment,
  ERR_SNARKJS_MISSING: EXIT.environment,
  ERR_CPU: EXIT.environment,
  ERR_NO_MEMORY: EXIT.memory,
  ERR_BUSY: EXIT.defect,
  ERR_DISPOSED: EXIT.defect,
  ERR_LOCK: EXIT.memory,
  ERR_EXTERNAL_BUFFER: EXIT.environment,
  ERR_FILE_CHANGED: EXIT.badInput,
  ERR_INPUT: EXIT.badInput,
  ERR_WITNESS: EXIT.badInput,
  ERR_QUEUE_FULL: EXIT.environment,
  ERR_INTERNAL: EXIT.defect,
}
