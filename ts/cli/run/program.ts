// Finds the program that a command names, and says what keeps a preload from working in it.
//
// The loader ignores LD_PRELOAD without a word in a static program and in one with more rights than
// its user, and with one ignored line for another architecture or C library. So the files are looked
// at before anything is started.

import { accessSync, closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs'
import path from 'node:path'

/** The machine and the user for whom a program is to run. */
export interface RunHost {
  /** As `process.arch`. */
  readonly arch: string
  readonly isGlibc: boolean
  readonly uid: number
  readonly gid: number
  /** The PATH of the environment. */
  readonly path: string
}

/** What was found. */
export interface Program {
  /** The file that the kernel loads: the program, or the interpreter of a script. */
  readonly path: string
  /** Why a preload would not work in it; undefined when nothing is known. */
  readonly obstacle: string | undefined
}

/** Why a program cannot be started: 127, there is none; 126, it is none. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly exitCode: 126 | 127

  constructor(message: string, exitCode: 126 | 127) {
    super(message)
    this.exitCode = exitCode
  }
}

const HEAD_BYTES = 4096
/** Scripts whose interpreters are scripts, as deep as the kernel goes. */
const SCRIPTS_MAX = 5
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin'
const SETUID = 0o4000
const SETGID = 0o2000

const ELF_MAGIC = 0x7f454c46
const ELF_64_BITS = 2
const ELF_LITTLE_ENDIAN = 1
const ELF_MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }
const ELF_HEADER_BYTES = 64
const SEGMENT_INTERPRETER = 3
/** Of a program header: its segment's offset in the file and its length there. */
const SEGMENT_OFFSET = 8
const SEGMENT_BYTES = 32
const SEGMENTS_MAX = 512

/** The program of a command. Throws StartError. */
export function findProgram(command: string, host: RunHost): Program {
  let file = locate(command, host.path)
  for (let scripts = 0; scripts <= SCRIPTS_MAX; scripts++) {
    const stats = statSync(file)
    const head = readAt(file, 0, HEAD_BYTES)
    const interpreter = interpreterOf(head)
    if (interpreter === undefined)
      return { path: file, obstacle: obstacleOf(file, head, stats, host) }
    file = locate(interpreter, host.path)
  }
  throw new StartError(`${command}: expected a program, found scripts that run scripts`, 126)
}

/** The file of a command, as execvp finds it. */
function locate(command: string, searched: string): string {
  if (command.includes('/')) {
    const fault = faultOf(command)
    if (fault === undefined) return path.resolve(command)
    throw new StartError(`${command}: ${fault.message}`, fault.exitCode)
  }
  let first: StartError | undefined
  for (const folder of (searched || DEFAULT_PATH).split(':')) {
    const file = path.join(folder || '.', command)
    const fault = faultOf(file)
    if (fault === undefined) return path.resolve(file)
    if (fault.exitCode === 126) first ??= new StartError(`${file}: ${fault.message}`, 126)
  }
  throw first ?? new StartError(`${command}: expected a program on PATH, found none`, 127)
}

function faultOf(file: string): StartError | undefined {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return new StartError('expected a program, found no such file', 127)
  if (!stats.isFile()) return new StartError('expected a program, found something else', 126)
  try {
    accessSync(file, constants.X_OK)
    return undefined
  } catch {
    return new StartError('expected a program, found a file without the right to execute it', 126)
  }
}

/** What the first line of a script names; undefined when the file is no script. */
function interpreterOf(head: Buffer): string | undefined {
  if (head.toString('latin1', 0, 2) !== '#!') return undefined
  const line = head.toString('utf8', 2).split('\n', 1)[0] ?? ''
  const [interpreter = '', ...words] = line.trim().split(/[ \t]+/)
  if (path.basename(interpreter) !== 'env') return interpreter
  // env's own options and assignments; -S only says that there is more than one word.
  const program = words.find((word) => !word.startsWith('-') && !word.includes('='))
  return program ?? interpreter
}

function obstacleOf(file: string, head: Buffer, stats: Stats, host: RunHost): string | undefined {
  if (
    (stats.mode & SETUID && stats.uid !== host.uid) ||
    (stats.mode & SETGID && stats.gid !== host.gid)
  ) {
    return 'it runs with the rights of another user (setuid, setgid), where nothing may be preloaded'
  }
  if (head.length < ELF_HEADER_BYTES || head.readUInt32BE(0) !== ELF_MAGIC) {
    return 'it is neither an ELF file nor a script'
  }
  const isOfHost =
    head[4] === ELF_64_BITS &&
    head[5] === ELF_LITTLE_ENDIAN &&
    head.readUInt16LE(18) === ELF_MACHINES[host.arch]
  if (!isOfHost) return `it is built for another architecture than ${host.arch}`
  const loader = loaderOf(file, head)
  if (loader === undefined) return 'it is linked statically, so nothing can be preloaded'
  const isMusl = loader.includes('ld-musl')
  if (isMusl === host.isGlibc) {
    const [own, other] = host.isGlibc ? ['glibc', 'musl'] : ['musl', 'glibc']
    return `it uses ${other}, and the allocator that is installed here is built for ${own}`
  }
  return undefined
}

/** The loader that an ELF file of 64 bits names; undefined when it names none. */
function loaderOf(file: string, head: Buffer): string | undefined {
  const offset = Number(head.readBigUInt64LE(32))
  const entryBytes = head.readUInt16LE(54)
  const count = Math.min(head.readUInt16LE(56), SEGMENTS_MAX)
  const table = readAt(file, offset, entryBytes * count)
  for (let at = 0; at + SEGMENT_BYTES + 8 <= table.length && entryBytes > 0; at += entryBytes) {
    if (table.readUInt32LE(at) !== SEGMENT_INTERPRETER) continue
    const start = Number(table.readBigUInt64LE(at + SEGMENT_OFFSET))
    const bytes = Number(table.readBigUInt64LE(at + SEGMENT_BYTES))
    return readAt(file, start, Math.min(bytes, HEAD_BYTES)).toString('latin1').replace(/\0.*$/, '')
  }
  return undefined
}

/** As many bytes as there are from an offset on; none of a file that may not be read. */
function readAt(file: string, offset: number, bytes: number): Buffer {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return Buffer.alloc(0)
  }
  try {
    const buffer = Buffer.alloc(bytes)
    const position = Number.isSafeInteger(offset) ? offset : 0
    return buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, position))
  } finally {
    closeSync(descriptor)
  }
}
