// `nalloc prove ZKEY WTNS`: a proof from a witness that somebody else computed.

import { type FileArgument, withKindsNamed } from '../../_sniff.ts'
import { checkSource } from '../../_source.ts'
import { ProvingKey } from '../../provingKey.ts'
import type { Command } from '../command.ts'
import { nameOf, withInputs } from '../inputs.ts'
import { PROVING_FLAGS, PROVING_NOTES, proveTo } from '../proving.ts'

export const prove: Command = {
  name: 'prove',
  summary: 'prove a witness',
  arguments: [
    { name: 'ZKEY', help: 'the proving key' },
    { name: 'WTNS', help: 'the witness' },
  ],
  flags: PROVING_FLAGS,
  examples: [
    'nalloc prove circuit.zkey witness.wtns -o proof.json --public public.json',
    'nalloc prove circuit.zkey - --timeout 60s < witness.wtns > both.json',
    'nalloc prove circuit.zkey witness.wtns --json --threads 2 --memory-limit 2G',
  ],
  notes: PROVING_NOTES,

  run: (invocation) =>
    withInputs(invocation.args, invocation.signal, async (zkey = '', wtns = '') => {
      const args: FileArgument[] = [
        argument('zkey', 1, 'a .zkey file', zkey),
        argument('wtns', 2, 'a .wtns file', wtns),
      ]
      return proveTo(invocation, (options) =>
        withKindsNamed(args, async () => {
          using key = await ProvingKey.open(zkey, options)
          const result = await key.prove(wtns, options)
          return { zkey: nameOf(zkey), info: key.info, result }
        }),
      )
    }),
}

function argument(
  name: string,
  position: number,
  expected: FileArgument['expected'],
  input: string | Uint8Array,
): FileArgument {
  return { name, position, expected, source: checkSource(name, input) }
}
