// The thread that `nalloc fullprove` runs in; thread.ts starts it.

import { parentPort, workerData } from 'node:worker_threads'
import { withKindsNamed } from '../_sniff.ts'
import { Circuit } from '../circuit.ts'
import { codeOf, NallocError } from '../errors.ts'
import type { CircuitInputs } from '../inputs.ts'
import type { OpenOptions, Progress, ProveOptions } from '../options.ts'
import { ProvingKey } from '../provingKey.ts'
import { fileArgument, type Input, nameOf, readJson } from './inputs.ts'
import type { Proven } from './proving.ts'
import type { Message, Order, Thrown } from './thread.ts'

async function run(order: Order): Promise<Proven> {
  const { input, wasm, zkey } = order
  try {
    const inputs = readInputs(input)
    const args = [
      fileArgument('wasm', 2, 'a WebAssembly module', wasm),
      fileArgument('zkey', 3, 'a .zkey file', zkey),
    ]
    const onProgress = (progress: Progress): void => say({ progress })
    const options: OpenOptions & ProveOptions = { ...order.options, onProgress }
    return await withKindsNamed(args, async () => {
      const circuit = await Circuit.open(wasm)
      using key = await ProvingKey.open(zkey, options)
      const result = await key.fullProve(inputs, circuit, options)
      return { zkey: nameOf(zkey), info: key.info, result }
    })
  } finally {
    for (const file of [input, wasm, zkey]) if (typeof file !== 'string') file.fill(0)
  }
}

function readInputs(input: Input): CircuitInputs {
  const { value, kind } = readJson(input, { name: 'INPUT', position: 1 })
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    // A circuit that verifies proofs may well have an input with the name of a part of one.
    if (kind === 'other JSON' || !('protocol' in value)) return value as CircuitInputs
  }
  const found = kind === 'other JSON' ? 'JSON that is no object' : kind
  const message = `argument 1 (INPUT) is ${found}: expected an object with the circuit's inputs.`
  throw new NallocError('ERR_INPUT', message, { details: { name: 'INPUT', found } })
}

function say(message: Message): void {
  parentPort?.postMessage(message)
}

function describe(error: unknown): Thrown {
  const { hint, details } = error instanceof NallocError ? error : {}
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return { message, stack, code: codeOf(error), hint, details }
}

run(workerData as Order).then(
  (proven) => say({ proven }),
  (error: unknown) => say({ thrown: describe(error) }),
)
