// What a trace says: which blocks of memory a program took, in order of time.
//
// Readers hand over one event object again and again, because a trace may have ten million events:
// who wants to keep something copies it.

/** What happened. */
export type TraceEventKind =
  /** A block was born. */
  | 'alloc'
  /** A block was born as zeroes. */
  | 'zeroed'
  /** A block that was too small to be traced grew. */
  | 'grown'
  /** A block has another size. */
  | 'resize'
  /** A block ended. */
  | 'free'
  /** No block could be had. */
  | 'refused'
  /** A span of time with a name begins. */
  | 'begin'
  /** It ends. */
  | 'end'
  /** The state of the heap and the process. */
  | 'sample'

/** What is known of the heap and the process at one time. */
export interface Sample {
  /** In live blocks, whole pages counted. */
  readonly liveBytes: number
  /** The most that `liveBytes` was since the sample before. */
  readonly highBytes: number
  /** Free, and still in memory. */
  readonly cachedBytes: number
  /** All of the process, as the kernel counts it. */
  readonly residentBytes: number
  /** Page faults since the process began, without reading from a disk. */
  readonly minorFaults: number
  /** The same, with. */
  readonly majorFaults: number
}

/** One event; what its kind does not have is what it was before. */
export interface TraceEvent {
  readonly kind: TraceEventKind
  /** Microseconds since the trace began; it never goes back. */
  readonly timeUs: number
  readonly thread: number
  /** Which block: a number that another one may have when this one has ended. */
  readonly block: number
  /** Which number the block has from now on, for a resize; else that of the block. */
  readonly movedTo: number
  /** How long the block is from now on, or would have been. */
  readonly bytes: number
  /** The block lies at a multiple of two to this power. */
  readonly log2Align: number
  /** Whether all its pages were warm; undefined where the trace does not say. */
  readonly isHit: boolean | undefined
  /** The name of the span of time. */
  readonly phase: string
  readonly sample: Sample
}

/** Takes events one after the other. */
export type TraceVisitor = (event: TraceEvent) => void

/** What a trace says of the process that it is of. */
export interface TracedProcess {
  readonly program: string
  readonly pid: number
  /** When the trace began, in milliseconds since 1970. */
  readonly startUnixMs: number
  /** The file that the heap's code is in, and its version. */
  readonly recorder: string
  readonly recorderVersion: string
}

/** How a trace ended. */
export interface TraceEnd {
  /** How many events were handed over. */
  readonly eventCount: number
  /** Why the trace holds less than what happened, in sentences; empty for a whole one. */
  readonly shortfalls: readonly string[]
  /** Undefined where the trace does not say. */
  readonly process: TracedProcess | undefined
}

/** An event that a reader fills again and again. */
export type MutableEvent = { -readonly [Field in keyof TraceEvent]: TraceEvent[Field] }

/** An event that says nothing yet. */
export function emptyEvent(): MutableEvent {
  const sample = { liveBytes: 0, highBytes: 0, cachedBytes: 0, residentBytes: 0 }
  return {
    kind: 'free',
    timeUs: 0,
    thread: 0,
    block: 0,
    movedTo: 0,
    bytes: 0,
    log2Align: 0,
    isHit: undefined,
    phase: '',
    sample: { ...sample, minorFaults: 0, majorFaults: 0 },
  }
}
