#!/usr/bin/env node
// The program `nalloc`: finds the command, checks what was typed, runs it, returns its exit status.
//
// The addon is loaded by the first call that needs it, so that help and usage errors work without
// one.

import fs from 'node:fs'
import path from 'node:path'
import { CommanderError, Option, Command as Program } from 'commander'
import type { Command } from './command.ts'
import { doctor } from './commands/doctor.ts'
import { fullprove } from './commands/fullprove.ts'
import { inspect } from './commands/inspect.ts'
import { prove } from './commands/prove.ts'
import { verify } from './commands/verify.ts'
import { EXIT, EXIT_HELP, type ExitCode } from './exitCodes.ts'
import { report } from './failure.ts'
import { COMMON_FLAGS, FLAGS, type Flags } from './flags.ts'
import { interruptible } from './interruption.ts'
import { Terminal } from './terminal.ts'

const COMMANDS: readonly Command[] = [prove, fullprove, verify, inspect, doctor]
const EXAMPLES = COMMANDS.map(({ examples }) => examples[0] ?? '')

async function main(): Promise<ExitCode> {
  // Without listeners, a reader that leaves would end the process with a trace. What cannot be
  // printed for another reason is noticed where it is printed.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  let exitCode: ExitCode = EXIT.done
  const program = new Program('nalloc')
    .description('Groth16 proofs for circom circuits')
    .version(`nalloc ${versionOfPackage()}`)
    .option('--no-color', 'print no colours (as NO_COLOR does)')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('before', examplesText(EXAMPLES))
    .addHelpText('after', `\n${EXIT_HELP}`)
    .showHelpAfterError('(nalloc --help shows the commands)')
    .exitOverride()
  for (const command of COMMANDS) {
    add(program, command).action(async (...given: unknown[]) => {
      const self = given.at(-1) as Program
      exitCode = await runCommand(command, self.args, self.optsWithGlobals())
    })
  }
  try {
    if (process.argv.length <= 2) program.help({ error: true })
    await program.parseAsync()
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help and version end this way too, with 0.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage
  }
}

function add(program: Program, command: Command): Program {
  const sub = program.command(command.name).summary(command.summary)
  for (const { name, help } of command.arguments) sub.argument(`<${name}>`, help)
  for (const name of [...command.flags, ...COMMON_FLAGS]) {
    const { form, help, parse } = FLAGS[name]
    const option = new Option(form, help)
    if (parse) option.argParser((text) => parse(text))
    // The flag's own name, whatever its long form is.
    option.attributeName = () => name
    sub.addOption(option)
  }
  sub.option('--no-color', 'print no colours (as NO_COLOR does)')
  const sentence = `${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`
  return sub
    .description(command.notes ? `${sentence}\n\n${command.notes}` : sentence)
    .addHelpText('before', examplesText(command.examples))
    .addHelpText('after', `\n${EXIT_HELP}`)
    .showHelpAfterError(`(nalloc ${command.name} --help shows examples and flags)`)
}

async function runCommand(
  command: Command,
  args: readonly string[],
  flags: Flags,
): Promise<ExitCode> {
  const terminal = new Terminal(flags, process.stdout, process.stderr, process.env)
  try {
    return await interruptible(flags.timeout, terminal, (signal) =>
      command.run({ args, flags, terminal, signal }),
    )
  } catch (error) {
    return report(error, terminal)
  } finally {
    terminal.hideProgress()
  }
}

function examplesText(examples: readonly string[]): string {
  return `Examples:\n${examples.map((example) => `  $ ${example}\n`).join('')}`
}

function versionOfPackage(): string {
  const text = fs.readFileSync(path.join(__dirname, '../../package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode
  },
  (error: unknown) => {
    console.error(`error ERR_INTERNAL: ${error instanceof Error ? error.stack : String(error)}`)
    process.exitCode = EXIT.defect
  },
)
