// What the metrics of prom-client and those of OpenTelemetry have in common.

import type { ProofEvent } from './_proofEvents.ts'
import type { MemoryStats } from './stats.ts'

/** Figures that are bytes, by the name of their state. @internal */
export const MEMORY_STATES = [
  ['live', 'liveBytes'],
  ['cached', 'cachedBytes'],
  ['softened', 'softenedBytes'],
  ['mapped', 'mappedBytes'],
  ['secret', 'secretBytes'],
  ['locked', 'lockedBytes'],
] as const satisfies readonly (readonly [string, keyof MemoryStats])[]

/** Figures that only grow. @internal */
export const CACHE_FIGURES = [
  { figure: 'hits', help: 'Allocations from memory that was in use before.' },
  { figure: 'misses', help: 'Allocations that needed memory from the system.' },
  { figure: 'evictions', help: 'Cached blocks that were given back to the system.' },
] as const satisfies readonly { readonly figure: keyof MemoryStats; readonly help: string }[]

/** From a phase of a small proof to a large proof on few cores. @internal */
export const SECONDS_BUCKETS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]

/** What a histogram of proofs is told of one; nothing of one that failed. @internal */
export function secondsByPhase({ result, seconds, timingsMs }: ProofEvent): [string, number][] {
  if (result !== 'ok') return []
  const phases = Object.entries(timingsMs).map(([phase, ms = 0]): [string, number] => [
    phase,
    ms / 1000,
  ])
  return [...phases, ['total', seconds]]
}
