// `nalloc setup --unsafe-dev R1CS`: a key for development. Keys for production come from ceremonies.

import path from 'node:path'
import { configure } from '../../configure.ts'
import { beginSetup, type Setup } from '../../setup.ts'
import { type Command, type Invocation, UsageError } from '../command.ts'
import { EXIT, type ExitCode } from '../exitCodes.ts'
import { type Input, nameOf, withInputs } from '../inputs.ts'
import { type Content, Outputs } from '../outputs.ts'
import { insecureKeyWarning } from '../proving.ts'
import { countText } from '../quantities.ts'

const REFUSAL =
  'nalloc makes no keys for production. A ceremony does, with snarkjs: snarkjs groth16 setup R1CS ' +
  'POWERS_OF_TAU KEY, then contributions by snarkjs zkey contribute, and snarkjs zkey beacon; see ' +
  'docs/setup.md. For development there is --unsafe-dev'

export const setup: Command = {
  name: 'setup',
  summary: 'make a proving key for development, with --unsafe-dev',
  arguments: [{ name: 'R1CS', help: 'the circuit, as circom --r1cs writes it' }],
  flags: ['unsafeDev', 'output', 'vk', 'threads', 'memoryLimit'],
  examples: [
    'nalloc setup --unsafe-dev circuit.r1cs -o dev.zkey',
    'nalloc setup --unsafe-dev circuit.r1cs -o dev.zkey --vk dev_key.json',
  ],
  notes:
    'The key is made from secrets that everybody knows: anybody can forge proofs for it. The same ' +
    'circuit gives the same key. prove and fullprove take it with --allow-insecure. Keys for ' +
    'production come from a ceremony, with snarkjs: docs/setup.md.',

  run: (invocation) => {
    const { flags, terminal } = invocation
    const { output, vk } = flags
    if (!flags.unsafeDev) throw new UsageError(REFUSAL)
    if (output === undefined) throw new UsageError('expected -o FILE, or -o - for stdout')
    if (output === '-' && (vk === '-' || terminal.isJson)) {
      throw new UsageError('--output -: expected nothing else to go to stdout')
    }
    return withInputs(invocation.args, invocation.signal, (r1cs = '') =>
      setupTo(invocation, r1cs, output),
    )
  },
}

async function setupTo(
  { args, flags, terminal, signal }: Invocation,
  r1cs: Input,
  output: string,
): Promise<ExitCode> {
  const { vk, threads, memoryLimit } = flags
  const outputs = new Outputs([output, vk].filter(isFile), args)
  if (threads !== undefined) configure({ threads })
  const startMs = performance.now()
  let made: Setup | undefined
  try {
    made = await beginSetup(r1cs, { signal, onProgress: terminal.progress, memoryLimit })
    const { bytes, nConstraints } = made
    const verificationKey = await made.verifyingKeyJson()
    const contents: Content[] = isFile(output) ? [made.pieces()] : []
    if (isFile(vk)) contents.push(`${JSON.stringify(verificationKey, undefined, 1)}\n`)
    await outputs.write(contents, signal)
    if (output === '-') for await (const piece of made.pieces()) await terminal.print(piece)
    terminal.hideProgress()
    const facts = { unsafeDev: true, nConstraints, bytes, verificationKey }
    if (terminal.isJson) await terminal.answer({ schema: 'nalloc/setup@1', ...facts })
    else if (vk === '-') await terminal.printJson(verificationKey)
    signal.throwIfAborted()
    outputs.place()
    const ms = (performance.now() - startMs).toFixed(0)
    const circuit = `${path.basename(nameOf(r1cs))} (${countText(nConstraints)} constraints)`
    await terminal.talk(`made a key for ${circuit} in ${ms} ms`)
    await terminal.complain(insecureKeyWarning(terminal, output === '-' ? 'stdout' : output))
    return EXIT.done
  } finally {
    made?.dispose()
    outputs.discard()
  }
}

function isFile(target: string | undefined): target is string {
  return target !== undefined && target !== '-'
}
