#!/usr/bin/env node
// The program `nalloc`: finds the command, checks what was typed, runs it, returns its exit status.
//
// Only the command that is asked for is loaded, and the addon by the first call that needs it: help
// and mistakes are answered at once, and without an addon.

import fs from 'node:fs'
import path from 'node:path'
import { CommanderError, Option, Command as Program } from 'commander'
import { type Command, UsageError } from './command.ts'
import { EXIT, EXIT_HELP } from './exitCodes.ts'
import { report } from './failure.ts'
import { COMMON_FLAGS, FLAGS, type Flags } from './flags.ts'
import { interruptible } from './interruption.ts'
import { Terminal } from './terminal.ts'

/** Every command by its first word, in the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<Command | readonly Command[]>>> = {
  prove: async () => (await import('./commands/prove.ts')).prove,
  fullprove: async () => (await import('./commands/fullprove.ts')).fullprove,
  verify: async () => (await import('./commands/verify.ts')).verify,
  export: async () => {
    const { exportCalldata, exportVk } = await import('./commands/export.ts')
    return [exportVk, exportCalldata]
  },
  setup: async () => (await import('./commands/setup.ts')).setup,
  inspect: async () => (await import('./commands/inspect.ts')).inspect,
  run: async () => (await import('./commands/run.ts')).run,
  report: async () => (await import('./commands/report.ts')).report,
  convert: async () => (await import('./commands/convert.ts')).convert,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
}
/** First words that several commands share, and what help says of them. */
const GROUPS: Readonly<Record<string, string>> = {
  export: "print a verification key, or a Solidity verifier's calldata",
}
const NO_COLOR = ['--no-color', 'print no colours (as NO_COLOR does)'] as const

/** What commander was given, what it printed, and what came of it. */
interface Run {
  readonly program: Program
  /** Help or version, for stdout. */
  text: string
  exitCode: number
}

async function main(typed: readonly string[]): Promise<number> {
  // Without listeners, a reader that leaves would end the process with a trace. What cannot be
  // printed for another reason is noticed where it is printed.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  const terminal = makeTerminal(flagsOf(typed))
  // Node's own end of such a process would be status 1, which is an answer.
  process.once('uncaughtException', async (error) => process.exit(await report(error, terminal)))
  const args = normalized(typed)
  try {
    const run = await prepare(args)
    await run.program.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
      // Help and version end this way; help for who typed no command has gone to stderr.
      if (!(error instanceof CommanderError)) throw error
      if (error.exitCode !== 0) run.exitCode = EXIT.usage
    })
    if (run.text) await terminal.print(run.text)
    return run.exitCode
  } catch (error) {
    return report(error, terminal)
  }
}

async function prepare(args: readonly string[]): Promise<Run> {
  const commands = await load(args)
  const program = new Program('nalloc')
  const run: Run = { program, text: '', exitCode: EXIT.done }
  program
    .description('Groth16 proofs for circom circuits')
    .version(`nalloc ${versionOfPackage()}`)
    .option(...NO_COLOR)
    // What stands behind the program of `run` is that program's.
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ subcommandTerm: termOf })
    .configureOutput({
      writeOut: (text) => {
        run.text += text
      },
      outputError: () => undefined,
    })
    .exitOverride(asUsageError(program))
  for (const command of commands) {
    const sub = subcommand(program, command, commands).summary(command.summary)
    define(sub, command).action(async () => {
      run.exitCode = await runCommand(command, sub)
    })
  }
  const examples = commands.flatMap((command) => command.examples.slice(0, 1))
  frame(program, examples)
  return run
}

/** The command that was typed, or all of them. */
async function load([first = '']: readonly string[]): Promise<readonly Command[]> {
  if (first === '--version' || first === '-V') return []
  const named = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined
  const loaded = (named ? [named] : Object.values(COMMANDS)).map((load) => load())
  return (await Promise.all(loaded)).flat()
}

/** Where a command hangs: below the program, or below the group that its first word names. */
function subcommand(program: Program, { name }: Command, commands: readonly Command[]): Program {
  const [first = '', second] = name.split(' ')
  if (second === undefined) return program.command(first)
  const known = program.commands.find((command) => command.name() === first)
  if (known) return known.command(second)
  const group = program
    .command(first)
    .summary(GROUPS[first] ?? '')
    .helpCommand(false)
  group.description(sentenceOf(GROUPS[first] ?? '')).option(...NO_COLOR)
  group.exitOverride(asUsageError(group))
  const examples = commands.filter((command) => command.name.startsWith(`${first} `))
  frame(
    group,
    examples.flatMap((command) => command.examples.slice(0, 1)),
  )
  return group.command(second)
}

function define(sub: Program, command: Command): Program {
  for (const { name, help } of command.arguments) sub.argument(`<${name}>`, help)
  if (command.rest)
    sub.argument(`<${command.rest.name}...>`, command.rest.help).passThroughOptions()
  for (const name of [...command.flags, ...(command.commonFlags ?? COMMON_FLAGS)]) {
    const { form, help, parse } = FLAGS[name]
    const option = new Option(form, help)
    if (parse) option.argParser((text) => parse(text))
    // The flag's own name, whatever its long form is.
    option.attributeName = () => name
    sub.addOption(option)
  }
  sub.option(...NO_COLOR)
  const sentence = sentenceOf(command.summary)
  sub.description(command.notes ? `${sentence}\n\n${command.notes}` : sentence)
  sub.exitOverride(asUsageError(sub))
  return frame(sub, command.examples)
}

function sentenceOf(summary: string): string {
  return `${summary[0]?.toUpperCase()}${summary.slice(1)}.`
}

/** Help begins with examples and ends with the exit statuses. */
function frame(program: Program, examples: readonly string[]): Program {
  const lines = examples.map((example) => `  $ ${example}\n`)
  return program
    .addHelpText('before', `Examples:\n${lines.join('')}`)
    .addHelpText('after', `\n${EXIT_HELP}`)
}

/** Turns what commander refuses into an error of ours, with the usage of the command. */
function asUsageError(program: Program): (error: CommanderError) => never {
  return (error) => {
    if (error.exitCode === 0 || error.code === 'commander.help') throw error
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
    throw new UsageError(message, usageOf(program))
  }
}

function usageOf(program: Program): string {
  const name = lineOf(program)
    .map((level) => level.name())
    .join(' ')
  return `usage: ${name} ${program.usage()}; ${name} --help says more`
}

/** A command and those above it, the program first. */
function lineOf(program: Program): readonly Program[] {
  return program.parent ? [...lineOf(program.parent), program] : [program]
}

async function runCommand(command: Command, program: Program): Promise<number> {
  // Before the command or behind it: one of them is enough.
  const color = lineOf(program).every((level) => level.opts()['color'] !== false)
  const flags: Flags = { ...program.opts(), color }
  const terminal = makeTerminal(flags)
  try {
    return await interruptible(flags.timeout, terminal, (signal) =>
      command.run({ args: program.args, flags, terminal, signal }),
    )
  } catch (error) {
    const isBare = error instanceof UsageError && error.usage === undefined
    const said = isBare ? new UsageError(error.message, usageOf(program)) : error
    return report(said, terminal)
  } finally {
    terminal.hideProgress()
  }
}

/**
 * What commander is to parse. `help prove` is `prove --help`, and an unknown command stands alone,
 * so that nothing behind it hides that.
 */
function normalized(typed: readonly string[]): readonly string[] {
  const args = typed[0] === 'help' && typed.length > 1 ? [...typed.slice(1), '--help'] : typed
  const [first = '-'] = args
  const isKnown = first === 'help' || first.startsWith('-') || Object.hasOwn(COMMANDS, first)
  return isKnown ? args : [first]
}

/** The flags that decide how a mistake is said, before anything is parsed. */
function flagsOf(typed: readonly string[]): Flags {
  const end = typed.indexOf('--')
  const own = end < 0 ? typed : typed.slice(0, end)
  const has = (...forms: string[]) => forms.some((form) => own.includes(form))
  return {
    ...(has('--json') && { json: true }),
    ...(has('-q', '--quiet') && { quiet: true }),
    ...(has('-v', '--verbose') && { verbose: true }),
    color: !has('--no-color'),
  }
}

function makeTerminal(flags: Flags): Terminal {
  return new Terminal(flags, process.stdout, process.stderr, process.env)
}

function termOf(program: Program): string {
  const args = program.registeredArguments.map(
    (argument) => ` ${argument.name()}${argument.variadic ? '...' : ''}`,
  )
  return `${program.name()}${args.join('')}`
}

function versionOfPackage(): string {
  const text = fs.readFileSync(path.join(__dirname, '../../package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode
})
