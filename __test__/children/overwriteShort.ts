// Hands short arrays to nalloc, overwrites them or has them overwritten, and looks for what is left
// of them in its own memory. Prints whether a search sees what is there, and nothing of the rest.

import { SecretBuf } from 'nalloc'
import { memorySearch, signals } from '../_internal.ts'
import { writeNeedle } from '../_needles.ts'

const PATTERN_BYTES = 32
/** In the collector's heap lie up to 64 bytes in V8, up to 1,000 elements in JavaScriptCore. */
const LENGTHS = [32, 64, 72, 1000, 1008, 8000, 8008]
const MAKES: readonly ((length: number) => Uint8Array | BigUint64Array)[] = [
  (length) => new Uint8Array(length),
  (length) => Buffer.alloc(length),
  (length) => Buffer.allocUnsafeSlow(length),
  (length) => new Uint8Array(new ArrayBuffer(length)),
  (length) => new BigUint64Array(length / 8),
]
const KEPT = 1
const RECORD = new Uint8Array(4096)

/** A pattern of a needle, which does not stay in memory for it. */
function patternOf(number: number): ReturnType<typeof memorySearch.patternAt> {
  writeNeedle(RECORD, number)
  const pattern = memorySearch.patternAt(Buffer.from(RECORD.buffer), 0)
  RECORD.fill(0)
  return pattern
}

/** Fills an array with a needle, word by word if need be, and leaves its buffer alone. */
function fill(array: Uint8Array | BigUint64Array, number: number): void {
  if (array instanceof Uint8Array) {
    writeNeedle(array, number)
  } else {
    writeNeedle(RECORD, number)
    array.set(new BigUint64Array(RECORD.buffer, 0, PATTERN_BYTES / 8))
    RECORD.fill(0)
  }
}

/** Adopts arrays of every kind and length; the numbers of their needles. */
function adoptAll(): number[] {
  return LENGTHS.flatMap((length) =>
    MAKES.map((make) => {
      const number = nextNumber()
      const array = make(length)
      fill(array, number)
      SecretBuf.adopt(array).dispose()
      return number
    }),
  )
}

/** Compares arrays with a secret, and overwrites them. */
function compareAll(): number[] {
  const secret = SecretBuf.random(PATTERN_BYTES)
  return LENGTHS.map((length) => {
    const number = nextNumber()
    const array = new Uint8Array(length)
    writeNeedle(array, number)
    if (secret.equals(array)) throw new Error('expected other bytes')
    array.fill(0)
    return number
  })
}

/** Gives arrays to a circuit, and overwrites them. */
function readAll(): number[] {
  return [1, 2, 4, 31].map((total) => {
    const number = nextNumber()
    const array = new Uint8Array(total * PATTERN_BYTES)
    writeNeedle(array, number)
    const expected = { total, sizeOf: () => total }
    signals.readSignals({ in: array }, expected).words.fill(0)
    array.fill(0)
    return number
  })
}

let numbers = KEPT
function nextNumber(): number {
  numbers += 1
  return numbers
}

function main(): void {
  const kept = new Uint8Array(PATTERN_BYTES)
  // Nothing here makes the collector move an array between its being filled and overwritten.
  const given = { adopted: adoptAll(), compared: compareAll(), read: readAll() }
  writeNeedle(kept, KEPT)
  const count = (list: readonly number[]) =>
    memorySearch.searchOwnMemory(list.map((number) => patternOf(number))).found
  const left = Object.entries(given).map(([name, list]) => [name, count(list)])
  const isSeen = count([KEPT]) > 0 && kept.length > 0
  const isGone = left.every(([, found]) => found === 0)
  process.stdout.write(JSON.stringify({ isSeen, isGone, left: Object.fromEntries(left) }))
}

main()
