// The points of a ceremony in native memory.

import { Call, callNative } from '../_call.ts'
import { checkInteger, checkOptions, checkSize, show } from '../_check.ts'
import { type NativeFile, runWithFile } from '../_nativeFile.ts'
import { type Bytes, checkSource, type Opened, type Source, unshared } from '../_source.ts'
import { wrongType, wrongValue } from '../errors.ts'
import { binding, type NativeSrs, type NativeSrsSettings, type NativeTask } from '../native.ts'
import type { FieldLike } from '../options.ts'
import { compute } from './_compute.ts'
import { elementBytes, LENGTH_MAX } from './_elements.ts'
import { Owned } from './_owned.ts'
import type { ComputeOptions } from './options.ts'

/** How points are written; docs/bn254.md has their bytes. */
export type PointEncoding =
  | 'arkworks'
  | 'arkworks-compressed'
  | 'ethereum'
  | 'gnark-compressed'
  | 'ignition'
  | 'montgomery'

/** What a flat file of points holds, which nothing in it says. */
export interface RawLayout {
  /** How each point is written. */
  readonly encoding: PointEncoding
  /** tau times the generator of G2, in the same encoding. It is checked like everything else. */
  readonly tauG2: Bytes
  /** Bytes before the first point. @defaultValue 0 */
  readonly skipBytes?: number | undefined
  /**
   * What the first point is: the generator, or tau times it, where the generator is left out because
   * everybody knows it. @defaultValue 'generator'
   */
  readonly first?: 'generator' | 'tau' | undefined
}

type StartReading = (
  file: NativeFile,
  settings: NativeSrsSettings,
  task: NativeTask,
) => Promise<NativeSrs>

const ENCODINGS: readonly PointEncoding[] = [
  'arkworks',
  'arkworks-compressed',
  'ethereum',
  'gnark-compressed',
  'ignition',
  'montgomery',
]

/** Reads an SRS. */
let read: (
  source: Opened,
  maxDegree: number,
  options: ComputeOptions | undefined,
  start: StartReading,
) => Promise<Srs>
/** The native points of an `Srs`. @internal */
export let nativeSrsOf: (srs: Srs) => NativeSrs

/**
 * A structured reference string: powers of a secret tau, times the generators of both groups, as a
 * ceremony leaves them, checked once. Commitments to polynomials up to `maxDegree` are made with it.
 *
 * @example
 * import { Srs } from 'nalloc/bn254'
 *
 * using srs = await Srs.unsafeForTests(5n, 100)
 * console.log(`${srs}`) // Srs(degree up to 100)
 */
export class Srs extends Owned {
  /** The highest degree of a polynomial that can be committed to. */
  readonly maxDegree: number
  readonly #native: NativeSrs

  static {
    nativeSrsOf = (srs) => srs.#native
    read = async (source, maxDegree, options, start) => {
      const checked = checkOptions(options)
      const memoryLimitBytes = checkSize('memoryLimit', checked.memoryLimit)
      const settings = {
        degreeMax: checkDegree(maxDegree),
        name: source.name,
        ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
      }
      const call = new Call(checked)
      return new Srs(await runWithFile(source, call, (file, task) => start(file, settings, task)))
    }
  }

  private constructor(native: NativeSrs) {
    super()
    this.#native = native
    this.maxDegree = native.degreeMax
  }

  /**
   * Powers of a tau that the caller knows, from 1 to `maxDegree`. **For tests alone**: whoever knows
   * tau can open a commitment to any value.
   *
   * @throws ERR_NON_CANONICAL, ERR_INVALID_ARG; ERR_BAD_SRS for a tau of zero; ERR_LIMIT, ERR_NO_MEMORY,
   * ERR_QUEUE_FULL
   */
  static async unsafeForTests(
    tau: FieldLike,
    maxDegree: number,
    options?: ComputeOptions,
  ): Promise<Srs> {
    const bytes = elementBytes('tau', tau)
    const degree = checkDegree(maxDegree)
    const { unsafeSrsForTests } = binding()
    return new Srs(
      await compute(options, (limit, task) => unsafeSrsForTests(bytes, degree, limit, task)),
    )
  }

  /**
   * Reads the powers of a ceremony from a `.ptau` file as snarkjs writes it, prepared for the second
   * phase or not: up to that of `maxDegree`, and no more of the file. Bytes must not change before the
   * promise has settled.
   *
   * Every point is checked: that it is one, that of G2 is in the group, and that all of them are
   * successive powers of one tau, by a pairing of two random sums, which a file that lies passes with
   * a probability of at most 2^-128. What no check can show is that nobody knows tau.
   *
   * @throws ERR_IO; ERR_BAD_MAGIC, ERR_TRUNCATED, ERR_UNSUPPORTED_CURVE, ERR_NON_CANONICAL,
   * ERR_NOT_ON_CURVE and others that name the section and the point; ERR_BAD_SRS for powers that do not
   * follow each other; ERR_DEGREE where the ceremony has fewer; ERR_LIMIT above `memoryLimit`
   * @example
   * import { Kzg, Polynomial, Srs } from 'nalloc/bn254'
   *
   * using srs = await Srs.fromPtau('powersOfTau.ptau', 7)
   * using polynomial = await Polynomial.fromCoefficients([1, 2, 3])
   * const kzg = new Kzg(srs)
   * console.log(await kzg.verify(await kzg.open(polynomial, 10))) // true
   */
  static async fromPtau(ptau: Source, maxDegree: number, options?: ComputeOptions): Promise<Srs> {
    const source = checkSource('ptau', ptau)
    const { openPtau } = binding()
    return read(source, maxDegree, options, (file, settings, task) =>
      openPtau(file, settings, task),
    )
  }

  /**
   * Reads powers from a flat file of points, as public ceremonies publish them: nothing but points,
   * one after the other. Checked as by `fromPtau`; bytes behind the powers are not looked at.
   *
   * @throws ERR_BAD_ENCODING, ERR_NOT_IN_SUBGROUP and others for `tauG2`; what `fromPtau` throws
   * @example
   * import { readFile } from 'node:fs/promises'
   * import { Srs } from 'nalloc/bn254'
   *
   * const tauG2 = await readFile('tau_g2.dat')
   * using srs = await Srs.fromRaw('g1.dat', { encoding: 'ethereum', tauG2 }, 7)
   * console.log(srs.maxDegree) // 7
   */
  static async fromRaw(
    points: Source,
    layout: RawLayout,
    maxDegree: number,
    options?: ComputeOptions,
  ): Promise<Srs> {
    const source = checkSource('points', points)
    const { tauG2, ...checked } = checkLayout(layout)
    const { openRaw } = binding()
    return read(source, maxDegree, options, (file, settings, task) =>
      openRaw(file, checked, tauG2, settings, task),
    )
  }

  /**
   * Another handle of points that are in memory, by the ticket of `share()`: how worker threads use
   * one SRS without reading it again. Each handle is disposed for itself, the points go with the last
   * one.
   *
   * @throws ERR_DISPOSED when no handle of them is left; ERR_INVALID_ARG for what is no ticket of
   * this process
   * @example
   * import { Worker } from 'node:worker_threads'
   * import { Srs } from 'nalloc/bn254'
   *
   * const srs = await Srs.fromPtau('powersOfTau.ptau', 15)
   * const program = `
   *   const { workerData } = require('node:worker_threads')
   *   const { Kzg, Polynomial, Srs } = require('nalloc/bn254')
   *   const kzg = new Kzg(Srs.fromShared(workerData))
   *   Polynomial.fromCoefficients([1, 2, 3])
   *     .then((polynomial) => kzg.open(polynomial, 10))
   *     .then(({ value }) => console.log(value)) // 321n
   * `
   * new Worker(program, { eval: true, workerData: srs.share() })
   */
  static fromShared(ticket: string): Srs {
    const expected = 'text that share() gave'
    if (typeof ticket !== 'string') throw wrongType('ticket', expected, show(ticket))
    return new Srs(callNative(() => binding().sharedSrs(ticket)))
  }

  /**
   * A ticket that `Srs.fromShared` turns into another handle, in any worker thread of this process.
   * It is text and keeps nothing open.
   *
   * @throws ERR_DISPOSED
   * @example
   * import { Srs } from 'nalloc/bn254'
   *
   * using srs = await Srs.unsafeForTests(5n, 100)
   * using other = Srs.fromShared(srs.share())
   * console.log(other.maxDegree) // 100
   */
  share(): string {
    return callNative(() => this.#native.share())
  }

  /** True after `dispose()`. */
  get isDisposed(): boolean {
    return this.#native.isDisposed
  }

  dispose(): void {
    this.#native.dispose()
  }

  /** @internal */
  protected describe(): readonly [kind: string, size: string] {
    return ['Srs', `degree up to ${this.maxDegree}`]
  }
}

function checkDegree(maxDegree: number): number {
  const degree = checkInteger('maxDegree', maxDegree, [1, LENGTH_MAX - 1])
  if (degree === undefined) throw wrongType('maxDegree', 'an integer', 'undefined')
  return degree
}

function checkLayout(layout: RawLayout) {
  if (typeof layout !== 'object' || layout === null) {
    throw wrongType('layout', 'an object with encoding and tauG2', show(layout))
  }
  const { encoding, first = 'generator' } = layout
  if (!ENCODINGS.includes(encoding)) {
    throw wrongValue('layout.encoding', `one of ${ENCODINGS.join(', ')}`, show(encoding))
  }
  if (first !== 'generator' && first !== 'tau') {
    throw wrongValue('layout.first', "'generator' or 'tau'", show(first))
  }
  const skipBytes = checkInteger('layout.skipBytes', layout.skipBytes, [0, Number.MAX_SAFE_INTEGER])
  const tauG2 = checkSource('layout.tauG2', layout.tauG2)
  if (tauG2.kind === 'path') throw wrongType('layout.tauG2', 'bytes', 'a path')
  return {
    encoding,
    startsWithTau: first === 'tau',
    skipBytes: skipBytes ?? 0,
    tauG2: unshared(tauG2.bytes),
  }
}
