// `nalloc verify VK PUBLIC PROOF`: yes or no, in the order of snarkjs' arguments.

import type { Groth16Proof, PublicSignals } from '../../proof.ts'
import { VerifyingKey } from '../../verifyingKey.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exitCodes.ts'
import { checkKinds, type Input, type JsonKind, nameOf, readJson, withInputs } from '../inputs.ts'
import { insecureKeyWarning } from '../proving.ts'

const ARGUMENTS: readonly (readonly [name: string, expected: JsonKind, help: string])[] = [
  ['VK', 'a verification key', 'the verification key, as JSON'],
  ['PUBLIC', 'public signals', 'the public signals, as JSON'],
  ['PROOF', 'a proof', 'the proof, as JSON'],
]

export const verify: Command = {
  name: 'verify',
  summary: 'verify a proof: exit status 0 for valid, 1 for invalid',
  arguments: ARGUMENTS.map(([name, , help]) => ({ name, help })),
  flags: ['explain'],
  examples: [
    'nalloc verify verification_key.json public.json proof.json',
    'nalloc verify verification_key.json public.json - --explain < proof.json',
  ],

  run: ({ args, flags, terminal, signal }) =>
    withInputs(args, signal, async (...inputs: Input[]) => {
      const files = ARGUMENTS.map(([name, expected], i) => {
        const argument = { name, position: i + 1 }
        return { ...argument, expected, ...readJson(inputs[i] ?? '', argument) }
      })
      checkKinds(files)
      const [vk = '', publicSignals, proof] = [inputs[0], files[1]?.value, files[2]?.value]
      const key = VerifyingKey.from(vk)
      if (key.isInsecure) await terminal.complain(insecureKeyWarning(terminal, nameOf(vk)))
      const outcome = await key.explain(proof as Groth16Proof, publicSignals as PublicSignals, {
        signal,
      })
      if (terminal.isJson) {
        const facts = flags.explain ? outcome : { valid: outcome.valid }
        await terminal.answer({ schema: 'nalloc/verify@1', ...facts })
      } else if (outcome.valid) await terminal.print('valid\n')
      else {
        const reason = flags.explain ? `: ${outcome.reason}: ${outcome.detail}` : ''
        await terminal.print(`invalid${reason}\n`)
      }
      return outcome.valid ? EXIT.done : EXIT.no
    }),
}
