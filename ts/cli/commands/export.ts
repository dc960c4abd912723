// `nalloc export`: what others take of keys and proofs, in the forms that snarkjs writes.

import { solidityCallData } from '../../_snarkjsProof.ts'
import { exportedKey, VerifyingKey } from '../../verifyingKey.ts'
import type { Command, Invocation } from '../command.ts'
import { EXIT, type ExitCode } from '../exitCodes.ts'
import { checkKinds, type Input, type JsonKind, nameOf, readJson, withInputs } from '../inputs.ts'
import { Outputs } from '../outputs.ts'
import { insecureKeyWarning } from '../proving.ts'

const TEXTS: readonly (readonly [name: string, expected: JsonKind, help: string])[] = [
  ['PROOF', 'a proof', 'the proof, as JSON'],
  ['PUBLIC', 'public signals', 'the public signals, as JSON'],
]

/** `nalloc export vk ZKEY`. */
export const exportVk: Command = {
  name: 'export vk',
  summary: 'print the verification key of a proving key, as snarkjs exports it',
  arguments: [{ name: 'ZKEY', help: 'the proving key' }],
  flags: ['output', 'allowInsecure'],
  examples: [
    'nalloc export vk circuit.zkey -o verification_key.json',
    'nalloc export vk - < circuit.zkey',
  ],

  run: (invocation) =>
    withInputs(invocation.args, invocation.signal, async (zkey = '') => {
      const { flags, terminal, signal } = invocation
      const { allowInsecure } = flags
      return exportTo(invocation, 'nalloc/export-vk@1', async () => {
        const key = await VerifyingKey.fromZkey(zkey, { allowInsecure, signal })
        if (key.isInsecure) await terminal.complain(insecureKeyWarning(terminal, nameOf(zkey)))
        const verificationKey = exportedKey(key)
        return { facts: { verificationKey }, text: JSON.stringify(verificationKey, undefined, 1) }
      })
    }),
}

/** `nalloc export verifier-calldata PROOF PUBLIC`. */
export const exportCalldata: Command = {
  name: 'export verifier-calldata',
  summary: "print the arguments of a Solidity verifier's verifyProof",
  arguments: TEXTS.map(([name, , help]) => ({ name, help })),
  flags: ['output'],
  examples: [
    'nalloc export verifier-calldata proof.json public.json',
    'nalloc export verifier-calldata - public.json < proof.json',
  ],
  notes: 'Whether the proof is valid is not asked: that is what nalloc verify answers.',

  run: (invocation) =>
    withInputs(invocation.args, invocation.signal, async (...inputs: Input[]) =>
      exportTo(invocation, 'nalloc/export-verifier-calldata@1', async () => {
        const files = TEXTS.map(([name, expected], i) => {
          const argument = { name, position: i + 1 }
          return { ...argument, expected, ...readJson(inputs[i] ?? '', argument) }
        })
        checkKinds(files)
        const calldata = solidityCallData(files[0]?.value, files[1]?.value)
        return { facts: { calldata }, text: calldata }
      }),
    ),
}

/** The object of --json, and the text of a file or of stdout. */
interface Exported {
  readonly facts: Readonly<Record<string, unknown>>
  readonly text: string
}

async function exportTo(
  { args, flags, terminal, signal }: Invocation,
  schema: string,
  make: () => Promise<Exported>,
): Promise<ExitCode> {
  const { output = '-' } = flags
  const outputs = new Outputs(output === '-' ? [] : [output], args)
  try {
    const { facts, text } = await make()
    await outputs.write(output === '-' ? [] : [`${text}\n`], signal)
    if (terminal.isJson) await terminal.answer({ schema, ...facts })
    else if (output === '-') await terminal.print(`${text}\n`)
    signal.throwIfAborted()
    outputs.place()
    return EXIT.done
  } finally {
    outputs.discard()
  }
}
