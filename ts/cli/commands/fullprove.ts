// `nalloc fullprove INPUT WASM ZKEY`: a proof from the inputs of a circuit.

import { type FileArgument, withKindsNamed } from '../../_sniff.ts'
import { checkSource } from '../../_source.ts'
import { Circuit } from '../../circuit.ts'
import { NallocError } from '../../errors.ts'
import type { CircuitInputs } from '../../inputs.ts'
import { ProvingKey } from '../../provingKey.ts'
import type { Command } from '../command.ts'
import { type Input, nameOf, readJson, withInputs } from '../inputs.ts'
import { PROVING_FLAGS, PROVING_NOTES, proveTo } from '../proving.ts'

export const fullprove: Command = {
  name: 'fullprove',
  summary: 'compute the witness for inputs, and prove it',
  arguments: [
    { name: 'INPUT', help: 'the inputs of the circuit, as JSON' },
    { name: 'WASM', help: "the circuit's witness calculator, from circom --wasm" },
    { name: 'ZKEY', help: 'the proving key' },
  ],
  flags: PROVING_FLAGS,
  examples: [
    'nalloc fullprove input.json circuit.wasm circuit.zkey -o proof.json --public public.json',
    'nalloc fullprove - circuit.wasm circuit.zkey < input.json > both.json',
  ],
  notes: PROVING_NOTES,

  run: (invocation) =>
    withInputs(invocation.args, invocation.signal, async (input = '', wasm = '', zkey = '') => {
      const inputs = readInputs(input)
      const args: FileArgument[] = [
        argument('wasm', 2, 'a WebAssembly module', wasm),
        argument('zkey', 3, 'a .zkey file', zkey),
      ]
      return proveTo(invocation, (options) =>
        withKindsNamed(args, async () => {
          const circuit = await Circuit.open(wasm, options)
          using key = await ProvingKey.open(zkey, options)
          const result = await key.fullProve(inputs, circuit, options)
          return { zkey: nameOf(zkey), info: key.info, result }
        }),
      )
    }),
}

function readInputs(input: Input): CircuitInputs {
  const argument = { name: 'INPUT', position: 1 }
  const { value, kind } = readJson(input, argument)
  if (kind === 'other JSON' && typeof value === 'object' && value !== null) {
    return value as CircuitInputs
  }
  const found = kind === 'other JSON' ? 'JSON that is no object' : kind
  const message = `argument 1 (INPUT) is ${found}: expected an object with the circuit's inputs.`
  throw new NallocError('ERR_INPUT', message, { details: { name: 'INPUT', found } })
}

function argument(
  name: string,
  position: number,
  expected: FileArgument['expected'],
  input: Input,
): FileArgument {
  return { name, position, expected, source: checkSource(name, input) }
}
