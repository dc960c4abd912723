// A product of polynomials that is stopped at work. Two products run beside each other and take the
// same time: the one that began later can only end first when it stops inside.

import test from 'ava'
import { configure, stats } from 'nalloc'
import { FrVector, Polynomial } from 'nalloc/bn254'

const LENGTH = 2 ** 20
/** Pairs in which the second product was stopped while the first one ran. */
const PAIRS = 4
const ATTEMPTS_MAX = 40

let polynomial: Polynomial

test.before(async () => {
  configure({ concurrency: 2 })
  using vector = await FrVector.fromBytes(new Uint8Array(32 * LENGTH).fill(7))
  polynomial = await Polynomial.fromCoefficients(vector)
})

test.after.always(() => polynomial.dispose())

/** Starts a product, and waits until it has taken memory for its result: its job is at work. */
async function begun(
  name: string,
  order: string[],
  signal?: AbortSignal,
): Promise<{ readonly outcome: Promise<unknown> }> {
  const { liveBytes } = stats()
  let isOver = false
  const outcome = polynomial.mul(polynomial, { signal }).then(
    (product) => {
      product.dispose()
      order.push(`${name} is whole`)
      isOver = true
    },
    (reason: unknown) => {
      order.push(`${name} is stopped`)
      isOver = true
      return reason
    },
  )
  while (!isOver && stats().liveBytes < liveBytes + 32 * LENGTH) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { outcome }
}

test('a product that is stopped ends before one that began earlier', async (t) => {
  let pairs = 0
  for (let attempt = 0; attempt < ATTEMPTS_MAX && pairs < PAIRS; attempt += 1) {
    const order: string[] = []
    const stop = new AbortController()
    const first = await begun('the first', order)
    const second = await begun('the second', order, stop.signal)
    const areRunning = order.length === 0
    stop.abort('enough')
    const [, reason] = await Promise.all([first.outcome, second.outcome])
    if (!areRunning) continue

    pairs += 1
    t.is(reason, 'enough')
    t.deepEqual(order, ['the second is stopped', 'the first is whole'])
  }
  t.is(pairs, PAIRS)
})
