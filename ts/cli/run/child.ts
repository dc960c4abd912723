// Starts a program with the allocator preloaded, and passes on what happens to either.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT } from '../exitCodes.ts'
import { Interruption } from '../interruption.ts'
import type { Marker } from './marker.ts'
import { StartError } from './program.ts'

/** How long a program that was told to stop may take. */
const STOP_MS = 5000
/** How long the loader may take, where a program must not run without the allocator. */
const LOAD_MS = 10_000
const LOOK_MS = 20
const SIGNALLED = 128

/** A program that runs. */
export interface Running {
  readonly pid: number
  /** Its exit status, or 128 and the number of its signal. Throws the reason of the signal. */
  readonly ended: Promise<number>
  /** Ends it. */
  stop(): void
}

/** Starts a command. Throws StartError. */
export async function start(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Running> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: 'inherit', env })
  try {
    await once(child, 'spawn')
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new StartError(`${program}: cannot be started: ${message}`, 126)
  }
  const stop = (): void => kill(child, 'SIGTERM')
  return { pid: child.pid ?? 0, ended: outcomeOf(child, signal), stop }
}

/** Whether a program has the allocator, once that can be said; false when it ended without. */
export async function isLoaded(marker: Marker, { pid, ended }: Running): Promise<boolean> {
  const end = ended.then(
    () => 'ended',
    () => 'ended',
  )
  for (let waitedMs = 0; waitedMs < LOAD_MS; waitedMs += LOOK_MS) {
    if (marker.read(pid).isInProgram) return true
    const look = sleep(LOOK_MS, 'look', { ref: false })
    if ((await Promise.race([end, look])) === 'ended') return marker.read(pid).isInProgram
  }
  return false
}

async function outcomeOf(child: ChildProcess, signal: AbortSignal): Promise<number> {
  const pass = (): void => {
    const isInterrupt =
      signal.reason instanceof Interruption && signal.reason.exitCode === EXIT.interrupted
    // A terminal has sent it to the program as well.
    if (isInterrupt && process.stdin.isTTY) return
    kill(child, isInterrupt ? 'SIGINT' : 'SIGTERM')
  }
  signal.addEventListener('abort', pass, { once: true })
  if (signal.aborted) pass()
  const [status, signalName] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  signal.removeEventListener('abort', pass)
  const isLate =
    signal.reason instanceof Interruption && signal.reason.exitCode === EXIT.environment
  if (isLate) throw signal.reason
  return status ?? SIGNALLED + (signalName === null ? 0 : os.constants.signals[signalName])
}

/** Sends a signal, and ends who does not heed SIGTERM. */
function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  child.kill(signal)
  if (signal !== 'SIGTERM') return
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  child.once('exit', () => clearTimeout(timer))
}
