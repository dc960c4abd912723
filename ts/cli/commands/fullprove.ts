// `nalloc fullprove INPUT WASM ZKEY`: a proof from the inputs of a circuit.

import type { Command } from '../command.ts'
import { withInputs } from '../inputs.ts'
import { PROVING_FLAGS, PROVING_NOTES, proveTo } from '../proving.ts'
import { proveInThread } from '../thread.ts'

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
    withInputs(invocation.args, invocation.signal, (input = '', wasm = '', zkey = '') =>
      proveTo(invocation, (options) => proveInThread({ input, wasm, zkey }, options)),
    ),
}
