// Files that a command writes: whole or not at all.
//
// Each is written under a temporary name beside its place, synced, and renamed when all are whole.
// Whether that can be done is tried before the work begins, so that a folder that cannot be written
// costs no proof. What is no regular file, such as a FIFO or a device, is written as it is, in
// steps that never wait: a FIFO without a reader must not make the program deaf to signals.

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { codeOf } from '../errors.ts'
import { UsageError } from './command.ts'
import { OutputError } from './terminal.ts'

const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = fs.constants
const RETRY_MS = 5

/** What a file will hold: text, or bytes in pieces as they are made. */
export type Content = string | AsyncIterable<Uint8Array>

type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Where one file will be. */
interface Place {
  /** As the user named it. */
  readonly name: string
  /** Where links lead. */
  readonly path: string
  /** What is there now. */
  readonly stats: fs.Stats | undefined
}

/** A file that is written and not yet in its place. */
interface Staged {
  readonly place: Place
  readonly file: string
  /** Another name of what it replaces. */
  readonly backup: string
  isPlaced: boolean
}

/** The files of one command. */
export class Outputs {
  readonly #places: readonly Place[]
  readonly #staged: Staged[] = []
  readonly #discard = (): void => this.discard()

  /**
   * Tries whether the files can be made. Throws OutputError, and UsageError for a file that is
   * named twice or would replace an input.
   */
  constructor(names: readonly string[], inputs: readonly string[]) {
    this.#places = names.map(placeOf)
    checkDistinct(this.#places, inputs)
    for (const { name, path, stats } of this.#places) wrapped(name, () => tryToWrite(path, stats))
  }

  /** Writes all files, in the order of their names; `place` puts them in place. */
  async write(contents: readonly Content[], signal: AbortSignal): Promise<void> {
    // Also when a second signal ends the process.
    process.once('exit', this.#discard)
    for (const [i, place] of this.#places.entries()) {
      const content = contents[i] ?? ''
      const pieces = typeof content === 'string' ? [Buffer.from(content)] : content
      if (isRegular(place)) await this.#stage(place, pieces)
      else await writeAsItIs(place, pieces, signal)
    }
  }

  /** Puts all files in place; when one cannot be, those before it are taken back. */
  place(): void {
    try {
      for (const staged of this.#staged) wrapped(staged.place.name, () => putInPlace(staged))
    } catch (error) {
      for (const staged of this.#staged) if (staged.isPlaced) takeBack(staged)
      throw error
    } finally {
      this.discard()
    }
  }

  /** Takes away what is not in place. May be called again. */
  discard(): void {
    process.off('exit', this.#discard)
    for (const { file, backup } of this.#staged.splice(0)) {
      for (const name of [file, backup]) fs.rmSync(name, { force: true })
    }
  }

  async #stage(place: Place, pieces: Pieces): Promise<void> {
    const { name, path, stats } = place
    const [file, backup] = [temporaryName(path), temporaryName(path)]
    this.#staged.push({ place, file, backup, isPlaced: false })
    const descriptor = wrapped(name, () => fs.openSync(file, 'wx'))
    try {
      if (stats) wrapped(name, () => fs.fchmodSync(descriptor, stats.mode & 0o777))
      // What fails to make the bytes is not a failure to write them.
      for await (const bytes of pieces) wrapped(name, () => fs.writeFileSync(descriptor, bytes))
      wrapped(name, () => fs.fsyncSync(descriptor))
    } finally {
      fs.closeSync(descriptor)
    }
  }
}

function placeOf(name: string): Place {
  return wrapped(name, () => {
    const target = resolveLinks(name)
    const stats = fs.statSync(target, { throwIfNoEntry: false })
    if (stats?.isDirectory() || name.endsWith('/')) throw new Error('it is a folder')
    return { name, path: target, stats }
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

function isRegular({ stats }: Place): boolean {
  return stats === undefined || stats.isFile()
}

function checkDistinct(places: readonly Place[], inputs: readonly string[]): void {
  const regular = places.filter(isRegular)
  if (new Set(regular.map((place) => place.path)).size < regular.length) {
    throw new UsageError('--output and --public: expected two files, got one')
  }
  for (const { name, stats } of regular) {
    if (stats && inputs.some((input) => isFileOf(input, stats))) {
      throw new UsageError(`${name}: expected another file to write to, got an input`)
    }
  }
}

function isFileOf(input: string, { dev, ino }: fs.Stats): boolean {
  try {
    const stats = fs.statSync(input)
    return stats.dev === dev && stats.ino === ino
  } catch {
    // What cannot be read is said by what reads it.
    return false
  }
}

function tryToWrite(path: string, stats: fs.Stats | undefined): void {
  // A file that may not be written is not replaced either.
  if (stats) fs.accessSync(path, fs.constants.W_OK)
  if (stats && !stats.isFile()) return
  const file = temporaryName(path)
  fs.closeSync(fs.openSync(file, 'wx'))
  fs.rmSync(file)
}

function temporaryName(target: string): string {
  const suffix = randomBytes(6).toString('hex')
  return path.join(path.dirname(target), `.nalloc-${suffix}.tmp`)
}

function putInPlace(staged: Staged): void {
  const { file, backup, place } = staged
  try {
    fs.linkSync(place.path, backup)
  } catch {
    // Nothing is there, or this file system has no links: then a file that is taken back is gone.
  }
  fs.renameSync(file, place.path)
  staged.isPlaced = true
}

function takeBack({ backup, place }: Staged): void {
  if (fs.existsSync(backup)) fs.renameSync(backup, place.path)
  else fs.rmSync(place.path)
}

async function writeAsItIs(place: Place, pieces: Pieces, signal: AbortSignal): Promise<void> {
  const refusal = place.stats?.isFIFO() ? 'ENXIO' : 'none'
  const file = await attempted(place, refusal, signal, () =>
    fs.openSync(place.path, O_WRONLY | O_NONBLOCK | O_NOCTTY),
  )
  if (file === undefined) return
  try {
    for await (const bytes of pieces) {
      for (let offset = 0; offset < bytes.length; ) {
        const written = await attempted(place, 'EAGAIN', signal, () =>
          fs.writeSync(file, bytes, offset),
        )
        if (written === undefined) return
        offset += written
      }
    }
  } finally {
    fs.closeSync(file)
  }
}

/** As `retried`; undefined when the reader has left, who wanted no more. */
async function attempted<T>(
  { name }: Place,
  refusal: string,
  signal: AbortSignal,
  work: () => T,
): Promise<T | undefined> {
  try {
    return await retried(refusal, signal, work)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (codeOf(error) === 'EPIPE') return undefined
    throw new OutputError(name, error)
  }
}

/** Repeats what is refused because the other side is not ready. */
async function retried<T>(refusal: string, signal: AbortSignal, work: () => T): Promise<T> {
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (codeOf(error) !== refusal) throw error
    }
    await setTimeout(RETRY_MS, undefined, { signal })
  }
}

function wrapped<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new OutputError(name, error)
  }
}
