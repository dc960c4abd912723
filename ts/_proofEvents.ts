// Who is told of every proof of this thread: what `nalloc/metrics` counts.

import type { Call } from './_call.ts'
import { codeOf, ERROR_CODES } from './errors.ts'

/** What a proof took, and how it ended. @internal */
export interface ProofEvent {
  readonly circuit: string
  /** `ok`, `aborted`, the code of the error, or `error` for what the caller's own code threw. */
  readonly result: string
  readonly seconds: number
  /** Of each phase that it went through; none when it failed. */
  readonly timingsMs: Readonly<Record<string, number | undefined>>
}

type Listener = (event: ProofEvent) => void

const listeners = new Set<Listener>()

/** Calls `listener` after each proof; the answer ends that. @internal */
export function onProof(listener: Listener): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

/** Settles as `work` does, and tells who listens since before. @internal */
export async function observed<T extends { readonly timings: ProofEvent['timingsMs'] }>(
  nameCircuit: () => string,
  call: Call,
  work: () => Promise<T>,
): Promise<T> {
  if (listeners.size === 0) return work()
  const circuit = nameCircuit()
  const startMs = performance.now()
  const tell = (result: string, timingsMs: ProofEvent['timingsMs']): void => {
    const seconds = (performance.now() - startMs) / 1000
    for (const listener of listeners) listener({ circuit, result, seconds, timingsMs })
  }
  try {
    const done = await work()
    tell('ok', done.timings)
    return done
  } catch (error) {
    tell(call.isAborted ? 'aborted' : failureOf(error), {})
    throw error
  }
}

function failureOf(error: unknown): string {
  const code = codeOf(error)
  return ERROR_CODES.find((known) => known === code) ?? 'error'
}
