// Writes traces as the text that `csvReader` reads: docs/FORMATS.md, section 13.
//
// Phases other than MARKED_PHASE, samples, refusals and frees of unknown blocks have no line. May
// assume that events are those of a trace.

import { MARKED_PHASE } from './csvReader.ts'
import type { TraceEvent } from './event.ts'
import { LiveBlocks } from './liveBlocks.ts'

const HEADER = '# t_us,tid,op,id,size,log2align\n'
const BIRTHS = { alloc: 'a', zeroed: 'z', grown: 'g' } as const

interface Block {
  /** Its number in the text: each birth has its own. */
  readonly id: number
  bytes: number
  log2Align: number
}

/** Turns events into lines. */
export class CsvWriter {
  readonly #keepsIds: boolean
  readonly #blocks = new LiveBlocks<Block>()
  /** Phases that began and did not end, by number. */
  readonly #open: number[] = []
  #birthCount = 0
  #phaseCount = 0

  /** The first line. */
  readonly header = HEADER

  /** `keepsIds`: blocks have numbers that came from CSV, and get the same again. */
  constructor({ keepsIds }: { readonly keepsIds: boolean }) {
    this.#keepsIds = keepsIds
  }

  /** The lines of an event, none for one that has none. */
  linesOf(event: TraceEvent): string {
    switch (event.kind) {
      case 'alloc':
      case 'zeroed':
      case 'grown':
        return this.#birth(event, BIRTHS[event.kind])
      case 'resize':
        return this.#resize(event)
      case 'free':
        return this.#death(event, event.block)
      case 'begin':
      case 'end':
        return event.phase === MARKED_PHASE ? this.#mark(event) : ''
      default:
        return ''
    }
  }

  #birth(event: TraceEvent, operation: string): string {
    const { movedTo, bytes, log2Align } = event
    // What was there has ended, though nobody saw it.
    const ended = this.#death(event, movedTo)
    const id = this.#keepsIds ? movedTo : this.#birthCount
    const block = { id, bytes, log2Align }
    this.#birthCount += 1
    this.#blocks.set(movedTo, block)
    return ended + line(event, operation, block)
  }

  #resize(event: TraceEvent): string {
    const found = this.#blocks.get(event.block)
    if (!found) return this.#birth(event, BIRTHS.alloc)
    this.#blocks.delete(event.block)
    const ended = this.#death(event, event.movedTo)
    this.#blocks.set(event.movedTo, found)
    found.bytes = event.bytes
    found.log2Align = event.log2Align
    return ended + line(event, 'r', found)
  }

  #death(event: TraceEvent, block: number): string {
    const found = this.#blocks.get(block)
    if (!found) return ''
    this.#blocks.delete(block)
    return line(event, 'f', found)
  }

  #mark(event: TraceEvent): string {
    if (event.kind === 'begin') {
      const phase = this.#phaseCount
      this.#phaseCount += 1
      this.#open.push(phase)
      return line(event, 'm', { id: 2 * phase, bytes: 0, log2Align: 0 })
    }
    const phase = this.#open.pop()
    if (phase === undefined) return ''
    return line(event, 'm', { id: 2 * phase + 1, bytes: 0, log2Align: 0 })
  }
}

function line({ timeUs, thread }: TraceEvent, operation: string, block: Block): string {
  return `${timeUs},${thread},${operation},${block.id},${block.bytes},${block.log2Align}\n`
}
