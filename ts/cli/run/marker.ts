// The file in which every process that the preload was loaded into leaves a line.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Which processes the preload was loaded into. */
export interface Loaded {
  /** Whether the program itself is one of them. */
  readonly isInProgram: boolean
  /** All of them. */
  readonly pids: ReadonlySet<number>
}

/** A file for the lines, in a folder of its own that ends with it. */
export class Marker implements Disposable {
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'nalloc-run-'))

  constructor() {
    writeFileSync(this.path, '')
  }

  /** What the variable NALLOC_RUN_MARKER names. */
  get path(): string {
    return path.join(this.#folder, 'marker')
  }

  /** What has been left so far by the process `pid` and others. */
  read(pid: number): Loaded {
    const lines = readFileSync(this.path, 'utf8').split('\n').filter(Boolean)
    const pids = new Set(lines.map((line) => Number(line.split(' ').at(-1))))
    return { isInProgram: pids.has(pid), pids }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
