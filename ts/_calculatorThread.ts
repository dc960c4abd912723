// The program of the thread that _witnessThread.ts starts: computes witnesses, one after another.

import { parentPort } from 'node:worker_threads'
import { calculateSignals, type WitnessSink } from './_calculator.ts'
import { callNative } from './_call.ts'
import type { WitnessAnswer, WitnessFailure, WitnessOrder } from './_witnessThread.ts'
import { fromNative, NallocError } from './errors.ts'
import { binding, type NativeWitness } from './native.ts'

/** Native memory of another thread, whose errors are ours. */
class SharedSink implements WitnessSink {
  readonly #native: NativeWitness

  constructor(number: number) {
    this.#native = callNative(() => binding().sharedWitness(number))
  }

  write(index: number, bytes: Uint8Array): void {
    callNative(() => this.#native.write(index, bytes))
  }

  /** Whoever made it disposes it. */
  dispose(): void {}
}

async function compute({ module, signals, witness, length }: WitnessOrder): Promise<void> {
  await calculateSignals(module, signals, (computed) => {
    if (computed === length) return new SharedSink(witness)
    const message = `the circuit says that its witness has ${computed} values, said ${length} before.`
    throw new NallocError('ERR_WITNESS', message, { details: { length: computed } })
  })
}

function describe(error: unknown): WitnessFailure {
  const known = fromNative(error)
  const { code, message, hint, details } =
    known instanceof NallocError ? known : new NallocError('ERR_INTERNAL', known.message)
  return { code, message, hint, details }
}

let last: Promise<void> = Promise.resolve()
parentPort?.on('message', (order: WitnessOrder) => {
  const { id } = order
  const say = (answer: WitnessAnswer): void => parentPort?.postMessage(answer)
  last = last
    .then(() => {
      say({ id, isBegun: true })
      return compute(order)
    })
    .then(
      () => say({ id }),
      (error: unknown) => say({ id, failure: describe(error) }),
    )
})
