// What `prove` and `fullprove` share: their flags, their outputs, what they say.

import path from 'node:path'
import { configure } from '../configure.ts'
import type { OneShotOptions, OpenOptions, ProveOptions } from '../options.ts'
import type { KeyInfo, ProofResult } from '../provingKey.ts'
import { type Invocation, UsageError } from './command.ts'
import { EXIT, type ExitCode } from './exitCodes.ts'
import type { FlagName } from './flags.ts'
import { Outputs } from './outputs.ts'
import { countText, sizeText } from './quantities.ts'
import type { Terminal } from './terminal.ts'

/** Flags of the commands that prove. */
export const PROVING_FLAGS = [
  'output',
  'public',
  'threads',
  'memoryLimit',
  'sha256',
  'allowInsecure',
] as const satisfies readonly FlagName[]

/** What help says about where results go. */
export const PROVING_NOTES =
  'Results for which no file is named go to stdout: both as {"proof", "publicSignals"}, one alone ' +
  'in the form of proof.json or public.json; --json prints everything in any case. Files appear ' +
  'whole, and both or none. An argument - is stdin.'

/** A finished proof, and the key that it was made with. */
export interface Proven {
  readonly zkey: string
  readonly info: KeyInfo
  readonly result: ProofResult
}

/** What people must know who use a key without a phase 2. */
export function insecureKeyWarning({ colors }: Terminal, name: string): string {
  const advice = 'anybody can forge proofs for it. Never use it in production'
  return `${colors.yellow('warning')} ${name} is a key for development: ${advice}.`
}

/** Runs a proof with the options of the flags, and puts the results where they are wanted. */
export async function proveTo(
  invocation: Invocation,
  prove: (options: OpenOptions & ProveOptions) => Promise<Proven>,
): Promise<ExitCode> {
  const { args, flags, terminal, signal } = invocation
  const { output, public: publicFile, threads } = flags
  if (output === '-' && publicFile === '-') {
    throw new UsageError('--output and --public: expected at most one of them to be -')
  }
  const outputs = new Outputs([output, publicFile].filter(isFile), args)
  if (threads !== undefined) configure({ threads })

  try {
    const startMs = performance.now()
    const proven = await prove(optionsOf(invocation))
    const elapsedMs = performance.now() - startMs
    terminal.hideProgress()
    const { proof, publicSignals } = proven.result
    const texts = [isFile(output) && proof, isFile(publicFile) && publicSignals]
    await outputs.write(texts.filter((value) => value !== false).map(textOf), signal)
    await printResults(invocation, proven)
    signal.throwIfAborted()
    outputs.place()
    await terminal.talk(sentenceOf(proven, elapsedMs))
    if (proven.info.unsafeDev) await terminal.complain(insecureKeyWarning(terminal, proven.zkey))
    return EXIT.done
  } finally {
    outputs.discard()
  }
}

function optionsOf({ flags, terminal, signal }: Invocation): OneShotOptions {
  const { memoryLimit, sha256, allowInsecure } = flags
  return { signal, onProgress: terminal.progress, memoryLimit, sha256, allowInsecure }
}

/** Everything with --json, otherwise what no file was named for. */
async function printResults({ flags, terminal }: Invocation, proven: Proven): Promise<void> {
  const { info, result } = proven
  const { proof, publicSignals, timings, peakBytes } = result
  if (terminal.isJson) {
    const { nConstraints, nPublic, sha256, unsafeDev } = info
    const key = { nConstraints, nPublic, sha256, ...(unsafeDev && { unsafeDev }) }
    const facts = { key, proof, publicSignals, timings, peakBytes }
    return terminal.answer({ schema: 'nalloc/prove@1', ...facts })
  }
  const [showsProof, showsPublic] = [!isFile(flags.output), !isFile(flags.public)]
  if (showsProof && showsPublic && flags.output !== '-' && flags.public !== '-') {
    return terminal.printJson({ proof, publicSignals })
  }
  if (showsProof && flags.public !== '-') await terminal.printJson(proof)
  if (showsPublic && flags.output !== '-') await terminal.printJson(publicSignals)
}

function isFile(target: string | undefined): target is string {
  return target !== undefined && target !== '-'
}

function textOf(value: unknown): string {
  return `${JSON.stringify(value, undefined, 1)}\n`
}

function sentenceOf({ zkey, info, result }: Proven, elapsedMs: number): string {
  const circuit = `${path.basename(zkey)} (${countText(info.nConstraints)} constraints)`
  return `proved ${circuit} in ${elapsedMs.toFixed(0)} ms, peak ${sizeText(result.peakBytes)}, self-verified`
}
