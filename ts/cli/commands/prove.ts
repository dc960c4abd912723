// `nalloc prove ZKEY WTNS`: a proof from a witness that somebody else computed.

import { withKindsNamed } from '../../_sniff.ts'
import { ProvingKey } from '../../provingKey.ts'
import type { Command } from '../command.ts'
import { fileArgument, nameOf, withInputs } from '../inputs.ts'
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
      const args = [
        fileArgument('zkey', 1, 'a .zkey file', zkey),
        fileArgument('wtns', 2, 'a .wtns file', wtns),
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
