// Files that a command writes: whole or not at all.
//
// Each is written under a temporary name beside its place, synced, and renamed when all are whole.
// They are made before the work begins, so that a folder that cannot be written is noticed before a
// proof is made. What is no regular file, such as a FIFO or /dev/stdout, is written as it is.

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { OutputError } from './terminal.ts'

interface Output {
  /** As the user named it. */
  readonly name: string
  /** What is written to. */
  readonly file: number
  /** Where it is written, and where it will be; absent for what is written as it is. */
  readonly move: { readonly from: string; readonly to: string } | undefined
}

/** The files of one command. */
export class Outputs {
  readonly #outputs: Output[] = []
  readonly #discard = (): void => this.discard()

  /** Makes the temporary files. Throws OutputError. */
  constructor(names: readonly string[]) {
    // Also when a second signal ends the process.
    process.once('exit', this.#discard)
    try {
      for (const name of names) this.#outputs.push(open(name))
    } catch (error) {
      this.discard()
      throw error
    }
  }

  /** Writes all files, in the order of their names, and puts them in place. Throws OutputError. */
  commit(contents: readonly string[]): void {
    try {
      for (const [i, output] of this.#outputs.entries()) fill(output, contents[i] ?? '')
      for (const { name, move } of this.#outputs) {
        if (move) wrapped(name, () => fs.renameSync(move.from, move.to))
      }
    } finally {
      this.discard()
    }
  }

  /** Takes away what is not in place. May be called again. */
  discard(): void {
    process.off('exit', this.#discard)
    for (const { file, move } of this.#outputs.splice(0)) {
      fs.closeSync(file)
      if (move) fs.rmSync(move.from, { force: true })
    }
  }
}

function open(name: string): Output {
  return wrapped(name, () => {
    const to = resolveLinks(name)
    const stats = fs.statSync(to, { throwIfNoEntry: false })
    if (stats && !stats.isFile()) {
      return { name, file: fs.openSync(to, fs.constants.O_WRONLY), move: undefined }
    }
    // A file that may not be written is not replaced either.
    if (stats) fs.accessSync(to, fs.constants.W_OK)
    const suffix = randomBytes(6).toString('hex')
    const from = path.join(path.dirname(to), `.${path.basename(to)}.${suffix}.tmp`)
    return { name, file: fs.openSync(from, 'wx', stats?.mode ?? 0o666), move: { from, to } }
  })
}

/** Where a path leads, so that a link stays a link. */
function resolveLinks(name: string): string {
  try {
    return fs.realpathSync(name)
  } catch {
    return path.resolve(name)
  }
}

function fill({ name, file, move }: Output, content: string): void {
  wrapped(name, () => {
    fs.writeFileSync(file, content)
    if (move) fs.fsyncSync(file)
  })
}

function wrapped<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new OutputError(name, error)
  }
}
