// `nalloc run`: runs any program on nalloc's heap, and says when it could not take over.

import { hasGlibc, preloadFile } from '../../native.ts'
import type { Command } from '../command.ts'
import { UsageError } from '../command.ts'
import { EXIT } from '../exitCodes.ts'
import type { Flags } from '../flags.ts'
import { isLoaded, start } from '../run/child.ts'
import { type Loaded, Marker } from '../run/marker.ts'
import { findProgram, type RunHost, StartError } from '../run/program.ts'
import { Traces } from '../run/traces.ts'
import type { Terminal } from '../terminal.ts'

/** What separates the entries of LD_PRELOAD; no entry can have it in its name. */
const SEPARATORS = /[ :]/

export const run: Command = {
  name: 'run',
  summary: 'run a program on nalloc, without a change to it',
  arguments: [],
  rest: { name: 'CMD', help: 'the program and its arguments' },
  flags: ['cacheLimit', 'memoryLimit', 'trace', 'require'],
  commonFlags: ['timeout', 'quiet', 'verbose'],
  examples: [
    'nalloc run -- node --version',
    'nalloc run --cache-limit 1G --require -- gcc --version',
    'nalloc run --trace node.nltrace -- node --version',
  ],
  notes:
    'Blocks of 64 KiB and more come from nalloc. Exit status: that of CMD, 128 and the number of ' +
    'its signal; 127 there is no CMD, 126 it cannot be started, 5 with --require when nalloc could ' +
    'not take over.',

  async run({ args, flags, terminal, signal }) {
    const [name] = args
    if (name === undefined) throw new UsageError('expected a program after run, found none')
    const traces = flags.trace === undefined ? undefined : new Traces(flags.trace)
    try {
      const { path, obstacle } = findProgram(name, thisHost())
      if (obstacle !== undefined) {
        await terminal.complain(`nalloc: cannot take over ${path}: ${obstacle}.`)
        if (flags.require) return EXIT.environment
      }
      using marker = new Marker()
      const running = await start(args, environment(flags, marker.path, traces), signal)
      if (flags.require && !(await isLoaded(marker, running))) {
        running.stop()
        await running.ended
        await terminal.complain(`nalloc: ${path} ran without nalloc, and was ended (--require).`)
        return EXIT.environment
      }
      let status: number
      try {
        status = await running.ended
      } finally {
        await place(traces, running.pid, marker, terminal)
      }
      const loaded = marker.read(running.pid)
      if (!loaded.isInProgram && obstacle === undefined) {
        await terminal.complain(`nalloc: ${path} ran without nalloc; the loader did not take it.`)
      }
      await terminal.detail(`nalloc: ${said(loaded)}`)
      return status
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      await terminal.complain(`nalloc: ${error.message}.`)
      return error.exitCode
    }
  },
}

/** Puts the traces in their places, and says where they are. */
async function place(
  traces: Traces | undefined,
  pid: number,
  marker: Marker,
  terminal: Terminal,
): Promise<void> {
  if (traces === undefined) return
  const { ofProgram, others } = traces.place(pid, marker.read(pid).pids)
  if (ofProgram === undefined && others.length === 0) {
    await terminal.complain('nalloc: there is no trace: no process had a block of 64 KiB or more.')
    return
  }
  const also = others.length === 0 ? '' : `also ${others.join(' ')}`
  const said = [ofProgram, also].filter(Boolean).join(', ')
  await terminal.talk(`nalloc: trace: ${said}`)
}

function environment(
  { cacheLimit, memoryLimit }: Flags,
  marker: string,
  traces: Traces | undefined,
): NodeJS.ProcessEnv {
  const file = preloadFile()
  if (SEPARATORS.test(file)) {
    throw new UsageError(`expected a path without spaces and colons, found ${file}: install there`)
  }
  const others = process.env['LD_PRELOAD']
  return {
    ...process.env,
    LD_PRELOAD: others ? `${file}:${others}` : file,
    NALLOC_RUN_MARKER: marker,
    ...(traces !== undefined && { NALLOC_TRACE: traces.variable }),
    ...(cacheLimit !== undefined && { NALLOC_CACHE_LIMIT: String(cacheLimit) }),
    ...(memoryLimit !== undefined && { NALLOC_MEMORY_LIMIT: String(memoryLimit) }),
  }
}

function said({ isInProgram, pids }: Loaded): string {
  const others = pids.size - Number(isInProgram)
  const program = isInProgram ? 'served the program' : 'did not serve the program'
  return others === 0
    ? program
    : `${program} and ${others} other ${others === 1 ? 'process' : 'processes'}`
}

function thisHost(): RunHost {
  return {
    arch: process.arch,
    isGlibc: hasGlibc(),
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    path: process.env['PATH'] ?? '',
  }
}
