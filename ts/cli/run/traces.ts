// The files of `run --trace`: the allocator writes one for each process, and the program's own is
// put where the user wants it.

import fs from 'node:fs'
import path from 'node:path'
import { UsageError } from '../command.ts'
import { OutputError } from '../terminal.ts'

/** In a path, the number of the process: then nothing is renamed. */
const PROCESS = '%p'

/** Where the traces of one run are. */
export interface Found {
  /** That of the program; undefined when it left none. */
  readonly ofProgram: string | undefined
  /** Those of other processes, and further ones of the program. */
  readonly others: readonly string[]
}

/** The traces of one run. */
export class Traces {
  readonly #path: string
  readonly #isPattern: boolean
  /** What was there before. */
  readonly #old: ReadonlySet<string>

  /** Tries whether files can be made there. Throws OutputError, UsageError. */
  constructor(name: string) {
    if (name === '-') throw new UsageError('--trace: expected a file, found stdout')
    this.#path = path.resolve(name)
    this.#isPattern = name.includes(PROCESS)
    try {
      this.#old = tryToWrite(this.#path)
    } catch (error) {
      throw new OutputError(name, error)
    }
  }

  /** What NALLOC_TRACE is. */
  get variable(): string {
    return this.#isPattern ? this.#path : `${this.#path}.${PROCESS}`
  }

  /**
   * Puts the program's trace in its place: that of the process `pid`, or, when it has none and one
   * other has, that one's. What cannot be renamed stays where it is.
   */
  place(pid: number, pids: Iterable<number>): Found {
    const own = this.#filesOf(pid)
    const others = [...pids].filter((other) => other !== pid).flatMap((it) => this.#filesOf(it))
    const [first] = own.length > 0 || others.length !== 1 ? own : others
    if (first === undefined) return { ofProgram: undefined, others }
    const rest = [...own, ...others].filter((file) => file !== first)
    return { ofProgram: this.#isPattern ? first : this.#rename(first), others: rest }
  }

  /** The files of a process, in the order in which they were begun. */
  #filesOf(pid: number): string[] {
    const first = this.variable.replaceAll(PROCESS, String(pid))
    const files: string[] = []
    // What exists is never overwritten: a second one of the same process ends in .2.
    for (let count = 1; ; count++) {
      const file = count === 1 ? first : `${first}.${count}`
      if (!fs.existsSync(file)) return files
      if (!this.#old.has(file)) files.push(file)
    }
  }

  #rename(file: string): string {
    try {
      fs.renameSync(file, this.#path)
      return this.#path
    } catch {
      return file
    }
  }
}

/** Throws when no file can be made there; the files that are beside it. */
function tryToWrite(file: string): ReadonlySet<string> {
  const stats = fs.statSync(file, { throwIfNoEntry: false })
  if (stats !== undefined) {
    if (!stats.isFile()) throw new Error('it is no file')
    fs.accessSync(file, fs.constants.W_OK)
  }
  const folder = path.dirname(file).split(PROCESS, 1)[0] ?? ''
  if (!fs.statSync(folder).isDirectory()) throw new Error(`${folder}: it is no folder`)
  fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK)
  return new Set(fs.readdirSync(folder).map((name) => path.join(folder, name)))
}
