// `nalloc run`: runs any program on nalloc's heap, and says when it could not take over.

import { hasGlibc, preloadFile } from '../../native.ts'
import type { Command } from '../command.ts'
import { UsageError } from '../command.ts'
import { EXIT } from '../exitCodes.ts'
import type { Flags } from '../flags.ts'
import { isLoaded, start } from '../run/child.ts'
import { type Loaded, Marker } from '../run/marker.ts'
import { findProgram, type RunHost, StartError } from '../run/program.ts'

/** What separates the entries of LD_PRELOAD; no entry can have it in its name. */
const SEPARATORS = /[ :]/

export const run: Command = {
  name: 'run',
  summary: 'run a program on nalloc, without a change to it',
  arguments: [],
  rest: { name: 'CMD', help: 'the program and its arguments' },
  flags: ['cacheLimit', 'memoryLimit', 'require'],
  commonFlags: ['timeout', 'quiet', 'verbose'],
  examples: [
    'nalloc run -- node --version',
    'nalloc run --cache-limit 1G --require -- gcc --version',
  ],
  notes:
    'Blocks of 64 KiB and more come from nalloc. Exit status: that of CMD, 128 and the number of ' +
    'its signal; 127 there is no CMD, 126 it cannot be started, 5 with --require when nalloc could ' +
    'not take over.',

  async run({ args, flags, terminal, signal }) {
    const [name] = args
    if (name === undefined) throw new UsageError('expected a program after run, found none')
    try {
      const { path, obstacle } = findProgram(name, thisHost())
      if (obstacle !== undefined) {
        await terminal.complain(`nalloc: cannot take over ${path}: ${obstacle}.`)
        if (flags.require) return EXIT.environment
      }
      using marker = new Marker()
      const running = await start(args, environment(flags, marker.path), signal)
      if (flags.require && !(await isLoaded(marker, running))) {
        running.stop()
        await running.ended
        await terminal.complain(`nalloc: ${path} ran without nalloc, and was ended (--require).`)
        return EXIT.environment
      }
      const status = await running.ended
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

function environment({ cacheLimit, memoryLimit }: Flags, marker: string): NodeJS.ProcessEnv {
  const file = preloadFile()
  if (SEPARATORS.test(file)) {
    throw new UsageError(`expected a path without spaces and colons, found ${file}: install there`)
  }
  const others = process.env['LD_PRELOAD']
  return {
    ...process.env,
    LD_PRELOAD: others ? `${file}:${others}` : file,
    NALLOC_RUN_MARKER: marker,
    ...(cacheLimit !== undefined && { NALLOC_CACHE_LIMIT: String(cacheLimit) }),
    ...(memoryLimit !== undefined && { NALLOC_MEMORY_LIMIT: String(memoryLimit) }),
  }
}

function said({ isInProgram, others }: Loaded): string {
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
