// The program of the threads that _calculatorPool.ts starts: computes witnesses, one after another.

import { parentPort } from 'node:worker_threads'
import { calculateSignals, newMemory, type WitnessSink } from './_calculator.ts'
import type { WitnessAnswer, WitnessFailure, WitnessOrder } from './_calculatorPool.ts'
import { callNative } from './_call.ts'
import { MEMORIES_MAX, type MemoryLimits } from './_sharedMemory.ts'
import type { WasmSharedMemory } from './_webAssembly.ts'
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

/** Memories of circuits, oldest first. One computation runs at a time, and leaves zeros. */
const memories: { readonly key: string; readonly memory: WasmSharedMemory }[] = []

/** One that is there, else a new one, which is shown to who wipes it if this thread is ended. */
function takeMemory(limits: MemoryLimits): WasmSharedMemory {
  const key = JSON.stringify(limits)
  const known = memories.find((candidate) => candidate.key === key)
  if (known !== undefined) return known.memory
  const memory = newMemory(limits)
  memories.push({ key, memory })
  if (memories.length > MEMORIES_MAX) memories.shift()
  say({ memory })
  return memory
}

async function compute({ code, signals, witness, length }: WitnessOrder): Promise<void> {
  const makeSink = (computed: number): SharedSink => {
    if (computed === length) return new SharedSink(witness)
    const message = `the circuit says that its witness has ${computed} values, said ${length} before.`
    throw new NallocError('ERR_WITNESS', message, { details: { length: computed } })
  }
  await calculateSignals(code, signals, makeSink, takeMemory)
}

function say(answer: WitnessAnswer): void {
  parentPort?.postMessage(answer)
}

function describe(error: unknown): WitnessFailure {
  const known = fromNative(error)
  const { code, message, hint, details } =
    known instanceof NallocError ? known : new NallocError('ERR_INTERNAL', known.message)
  return { code, message, hint, details }
}

parentPort?.on('message', (order: WitnessOrder) => {
  compute(order).then(
    () => say({}),
    (error: unknown) => say({ failure: describe(error) }),
  )
})
