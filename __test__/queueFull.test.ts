import { setMaxListeners } from 'node:events'
import test from 'ava'
import { Circuit, ProvingKey } from 'nalloc'
import { semaphore } from './_repository.ts'

/** Some proofs more than one that runs and 1000 that wait. */
const CALLS = 1200
const SLOW = semaphore(32)

test('the waiting line is bounded: one call more is refused, those that wait are not', async (t) => {
  using key = await ProvingKey.open(SLOW.zkey)
  using witness = await (await Circuit.open(SLOW.wasm)).witness(SLOW.input)
  const stop = new AbortController()
  setMaxListeners(CALLS, stop.signal)
  const isExpected = (error: { code?: string }) => error.code === 'ERR_QUEUE_FULL'
  const refusals: Error[] = []

  const calls = Array.from({ length: CALLS }, async () => {
    const error = await key.prove(witness, { signal: stop.signal }).catch((thrown) => thrown)
    if (isExpected(error)) refusals.push(error)
    // The first refusal is answered: from then on there is nothing to learn.
    if (refusals.length === 1) stop.abort()
  })
  await Promise.all(calls)

  t.true(refusals.length > 0 && refusals.length < CALLS - 1000, String(refusals.length))
  t.regex(refusals[0]?.message ?? '', /1000 calls are waiting, .*retry later \(HTTP 503\)/)
  t.is((await key.prove(witness)).proof.protocol, 'groth16')
})
