// The live blocks of a trace by number, as many as memory has room for.

import { NallocError } from '../errors.ts'

/** 256 GiB of the smallest blocks that are traced; programs have some hundreds. */
const BLOCKS_MAX = 2 ** 22

/** What is known of each live block. */
export class LiveBlocks<T> extends Map<number, T> {
  /** Throws ERR_LIMIT for more blocks than one can keep. */
  override set(block: number, value: T): this {
    if (this.size >= BLOCKS_MAX && !this.has(block)) {
      const message = `the trace: expected at most ${BLOCKS_MAX} blocks at once, got more.`
      throw new NallocError('ERR_LIMIT', message, { hint: 'Trace a smaller part of the program.' })
    }
    return super.set(block, value)
  }
}
