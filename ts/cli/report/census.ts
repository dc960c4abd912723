// Which blocks are live, how many bytes of each phase and size that makes, and what it was at the
// peak.
//
// The peak may move with every event, so nothing is copied when it does: what a cell was at the
// peak is kept when it changes for the first time afterwards. A trace may begin in the middle (that
// of a process that was forked does), so a block may end or change that was never born.

import type { TraceEvent } from '../../trace/event.ts'
import { LiveBlocks } from '../../trace/liveBlocks.ts'

/** Powers of two that a block's size can have: a trace has no number above 2^53. */
export const CLASSES = 54

/** A cell of the table: blocks of one phase and one size class. */
export interface Cell {
  /** As `birth` was told it. */
  readonly phase: number
  /** Blocks of 2^k bytes and more, and less than twice as many. */
  readonly log2Bytes: number
  readonly bytes: number
  readonly blocks: number
}

interface Block {
  bytes: number
  cell: number
}

/** Bytes and blocks by cell. */
class Table {
  readonly bytes: number[] = []
  readonly blocks: number[] = []
}

/** The live blocks of a trace. */
export class Census {
  readonly #blocks = new LiveBlocks<Block>()
  readonly #now = new Table()
  /** What the cells were at the peak, for those that have changed since. */
  readonly #before = new Table()
  readonly #hasChanged: boolean[] = []
  #changed: number[] = []
  #liveBytes = 0
  #peakBytes = 0

  /** In live blocks. */
  get liveBytes(): number {
    return this.#liveBytes
  }

  /** The most that was live at once. */
  get peakBytes(): number {
    return this.#peakBytes
  }

  /** Live blocks. */
  get blockCount(): number {
    return this.#blocks.size
  }

  /** A block is born. */
  birth(block: number, bytes: number, phase: number): void {
    // What took its place has ended, though nobody saw it.
    this.death(block)
    const cell = phase * CLASSES + log2(bytes)
    this.#blocks.set(block, { bytes, cell })
    this.#change(cell, bytes, 1)
  }

  /** A block has another size, and perhaps another number. It stays with the phase of its birth. */
  resize(event: Pick<TraceEvent, 'block' | 'movedTo' | 'bytes'>, phase: number): void {
    const { block, movedTo, bytes } = event
    const found = this.#blocks.get(block)
    if (!found) {
      this.birth(movedTo, bytes, phase)
      return
    }
    if (movedTo !== block) {
      this.death(movedTo)
      this.#blocks.delete(block)
      this.#blocks.set(movedTo, found)
    }
    const { bytes: before, cell } = found
    found.bytes = bytes
    found.cell = cell - (cell % CLASSES) + log2(bytes)
    if (found.cell === cell) this.#change(cell, bytes - before, 0)
    else {
      this.#change(cell, -before, -1)
      this.#change(found.cell, bytes, 1)
    }
  }

  /** A block ends. */
  death(block: number): void {
    const found = this.#blocks.get(block)
    if (!found) return
    this.#blocks.delete(block)
    this.#change(found.cell, -found.bytes, -1)
  }

  /** The cells that were live at the (first) peak, the largest first. */
  atPeak(): readonly Cell[] {
    const cells: Cell[] = []
    for (const [cell, bytes] of this.#now.bytes.entries()) {
      if (bytes === undefined) continue
      const table = this.#hasChanged[cell] ? this.#before : this.#now
      const found = {
        phase: Math.floor(cell / CLASSES),
        log2Bytes: cell % CLASSES,
        bytes: table.bytes[cell] ?? 0,
        blocks: table.blocks[cell] ?? 0,
      }
      if (found.bytes > 0) cells.push(found)
    }
    return cells.sort((a, b) => b.bytes - a.bytes)
  }

  #change(cell: number, bytes: number, blocks: number): void {
    const now = this.#now
    if (!this.#hasChanged[cell]) {
      this.#hasChanged[cell] = true
      this.#changed.push(cell)
      this.#before.bytes[cell] = now.bytes[cell] ?? 0
      this.#before.blocks[cell] = now.blocks[cell] ?? 0
    }
    now.bytes[cell] = (now.bytes[cell] ?? 0) + bytes
    now.blocks[cell] = (now.blocks[cell] ?? 0) + blocks
    this.#liveBytes += bytes
    if (this.#liveBytes <= this.#peakBytes) return
    this.#peakBytes = this.#liveBytes
    for (const cell of this.#changed) this.#hasChanged[cell] = false
    this.#changed.length = 0
  }
}

/** The size class of a block; an empty one is in the first. */
export function log2(bytes: number): number {
  if (bytes < 2 ** 31) return 31 - Math.clz32(bytes | 1)
  return 31 + log2(Math.floor(bytes / 2 ** 31))
}
