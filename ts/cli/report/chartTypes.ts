// What the page's script is given: the steps of one or two traces, on one scale of time.
//
// Types alone, because the script is compiled for browsers and everything else for Node.

/** A value for each step; null where nothing is known. */
export type Values = readonly (number | null)[]

/** The least and the most of each step, in bytes. */
export interface Extremes {
  readonly min: Values
  readonly max: Values
}

/** When a phase was open, in steps: from the start of one to that of another. */
export interface PhaseSpans {
  readonly name: string
  readonly color: string
  readonly spans: readonly (readonly [from: number, to: number])[]
}

/** A trace, as it is drawn. */
export interface TraceData {
  readonly name: string
  readonly live: Extremes
  /** Absent, like what follows, for a trace that does not say. */
  readonly cached?: Extremes
  readonly resident?: Extremes
  readonly hits?: Values
  readonly misses?: Values
  readonly faults?: Values
  readonly phases: readonly PhaseSpans[]
  readonly peakBytes: number
  readonly peakUs: number
}

/** Everything that is drawn. */
export interface ChartData {
  /** How long a step is. */
  readonly stepUs: number
  /** The longest trace has so many. */
  readonly steps: number
  readonly traces: readonly TraceData[]
}
