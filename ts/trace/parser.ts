// What the two forms of traces share: how bytes go in, and how a fault is said.

import { NallocError } from '../errors.ts'
import type { TraceEnd } from './event.ts'

/** Turns bytes, in pieces of any length, into events. */
export interface TraceParser {
  /** Takes the next bytes, which are the caller's again afterwards. Throws ERR_BAD_HEADER. */
  push(bytes: Uint8Array): void
  /** Says that no bytes follow. Throws ERR_TRUNCATED when nothing can be told of the trace. */
  end(): TraceEnd
}

/** Where in a file something is wrong, and what. */
export interface Fault {
  readonly file: string
  /** Such as `line 3, byte 40`. */
  readonly where: string
  readonly expected: string
  readonly got: string
  /** For programs. */
  readonly offset: number
}

/** `FILE, WHERE: expected X, got Y. What to do.` */
export function malformed({ file, where, expected, got, offset }: Fault): NallocError {
  return new NallocError('ERR_BAD_HEADER', `${file}, ${where}: expected ${expected}, got ${got}.`, {
    hint: 'The file was damaged: copy it again, or record the trace again.',
    details: { file, offset },
  })
}
