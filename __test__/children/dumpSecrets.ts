// Puts needles into secret memory and one into ordinary memory, and aborts while all can be read.

import { Arena, SecretBuf } from 'nalloc'
import { NEEDLES, writeNeedle } from '../_needles.ts'

const arena = new Arena('1M', { secret: true })
const [control, small, large, inArena] = NEEDLES
const ordinary = new Uint8Array(4096)
writeNeedle(ordinary, control)
writeNeedle(arena.alloc('u8', 4096), inArena)
const [smallSecret, largeSecret] = [new SecretBuf(100), new SecretBuf(100_000)]
smallSecret.withBytes((view) => writeNeedle(view, small), { write: true })
largeSecret.withBytes((view) => writeNeedle(view, large), { write: true })
smallSecret.withBytes(() => largeSecret.withBytes(() => process.abort()))
