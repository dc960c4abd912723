// Runs the witness calculators that circom 2 compiles.
//
// Owns the four functions that such a module may import, and the order of the calls to its exports.
// Each computation gets an instance of its own, whose memory comes from outside and is overwritten
// afterwards: it holds every witness value. Values go from its shared words through a small buffer, which
// is wiped, to the sink; none of them ever becomes a number, a bigint or a string. What the wipe
// cannot reach are the registers and the stack of the compiled code.

import { ELEMENT_BYTES, isPrime } from './_field.ts'
import { MEMORY_IMPORT, type MemoryLimits, withImportedMemory } from './_sharedMemory.ts'
import { type Expected, type NameHash, readSignals, type Signals } from './_signals.ts'
import { type WasmModule, type WasmSharedMemory, webAssembly } from './_webAssembly.ts'
import { NallocError } from './errors.ts'
import type { CircuitInputs } from './inputs.ts'

/** Where a witness goes. @internal */
export interface WitnessSink {
  /** Takes plain little-endian elements of 32 bytes; `index` is that of the first one. */
  write(index: number, bytes: Uint8Array): void
  /** Wipes what was written, when the rest cannot be had. */
  dispose(): void
}

/** A compiled calculator, as it goes from thread to thread. @internal */
export interface CalculatorCode {
  readonly module: WasmModule
  /** Of the memory that it imports. */
  readonly limits: MemoryLimits
}

/** A compiled calculator that can be asked. @internal */
export interface CompiledCalculator extends CalculatorCode {
  /** Computes nothing. Throws ERR_WITNESS, ERR_LIMIT. */
  shape(): CalculatorShape
}

/** Where the memory of a computation comes from; all of it is zero. @internal */
export type MakeMemory = (limits: MemoryLimits) => WasmSharedMemory

interface Calculator {
  readonly memory: { readonly buffer: SharedArrayBuffer }
  getVersion(): number
  getFieldNumLen32(): number
  getRawPrime(): void
  getSharedRWMemoryStart(): number
  init(sanityCheck: number): void
  getInputSize(): number
  getInputSignalSize(high: number, low: number): number
  setInputSignal(high: number, low: number, position: number): void
  getMessageChar(): number
  getWitnessSize(): number
  getWitness(index: number): void
}

const IMPORTS = [
  'exceptionHandler',
  'printErrorMessage',
  'writeBufferMessage',
  'showSharedRWMemory',
]
const EXPORTS: readonly (keyof Calculator)[] = [
  'memory',
  'getVersion',
  'getFieldNumLen32',
  'getRawPrime',
  'getSharedRWMemoryStart',
  'init',
  'getInputSize',
  'getInputSignalSize',
  'setInputSignal',
  'getMessageChar',
  'getWitnessSize',
  'getWitness',
]
const STAGED_ELEMENTS_MAX = 1024
const WITNESS_LENGTH_MAX = 2 ** 28
const FRAMES_MAX = 32
const MESSAGE_CHARS_MAX = 1024
const FIELD_WORDS = ELEMENT_BYTES / 4

/**
 * Compiles a calculator and checks that it is one, for circom 2 and BN254. Throws ERR_BAD_MAGIC,
 * ERR_UNSUPPORTED_VERSION, ERR_PRIME_MISMATCH. @internal
 */
export async function compileCalculator(
  name: string,
  bytes: Uint8Array,
): Promise<CompiledCalculator> {
  const changed = withImportedMemory(bytes)
  const module = await webAssembly.compile(changed?.bytes ?? bytes).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `${name}: expected a WebAssembly module: ${reason}.`
    throw new NallocError('ERR_BAD_MAGIC', message, { cause })
  })
  checkInterface(name, module)
  if (changed === undefined) throw versionError(name, 'a module that defines no memory')
  const { limits } = changed
  const instance = await Instance.make({ module, limits }, newMemory)
  const { version, isBn254 } = instance.identify()
  if (version !== 2) throw versionError(name, `a calculator of circom ${version}`)
  if (!isBn254) {
    throw new NallocError('ERR_PRIME_MISMATCH', `${name}: the circuit is not over BN254.`, {
      hint: 'Compile it with circom --prime bn128.',
    })
  }
  return { module, limits, shape: () => instance.shape() }
}

/** A memory of its own. @internal */
export function newMemory({ initial, maximum }: MemoryLimits): WasmSharedMemory {
  return new webAssembly.Memory({ initial, maximum, shared: true })
}

/** What a calculator takes and gives; asking it computes nothing. @internal */
export interface CalculatorShape extends Expected {
  /** Values of its witness. */
  readonly witnessLength: number
}

/**
 * Computes the witness of `inputs` and hands it to the sink that `makeSink` makes for its length;
 * the sink is disposed on failure. Throws ERR_INPUT, ERR_WITNESS. @internal
 */
export async function calculate<S extends WitnessSink>(
  calculator: CompiledCalculator,
  inputs: CircuitInputs,
  makeSink: (length: number) => S,
): Promise<S> {
  const signals = readSignals(inputs, calculator.shape())
  try {
    return await calculateSignals(calculator, signals, makeSink)
  } finally {
    signals.words.fill(0)
  }
}

/**
 * As `calculate`, from inputs that were read; the caller wipes them. The memory is zero again
 * afterwards. @internal
 */
export async function calculateSignals<S extends WitnessSink>(
  code: CalculatorCode,
  signals: Signals,
  makeSink: (length: number) => S,
  makeMemory: MakeMemory = newMemory,
): Promise<S> {
  const instance = await Instance.make(code, makeMemory)
  try {
    instance.compute(signals)
    return instance.drain(makeSink)
  } finally {
    instance.wipe()
  }
}

/** One instance of a calculator, to be asked or for one computation. */
class Instance {
  readonly #exports: Calculator
  /** The field element that the module and we pass to each other. */
  #shared: Uint32Array = new Uint32Array()
  /** Where the module says that it fails, innermost template first. */
  readonly #frames: string[] = []

  private constructor(exports: Calculator, frames: string[]) {
    this.#exports = exports
    this.#frames = frames
  }

  static async make({ module, limits }: CalculatorCode, makeMemory: MakeMemory): Promise<Instance> {
    const frames: string[] = []
    const runtime = {
      exceptionHandler: (code: number) => {
        throw new CalculatorException(code)
      },
      printErrorMessage: () => {
        if (frames.length < FRAMES_MAX && calculator) frames.push(readMessage(calculator))
      },
      // What a circuit logs may be secret and is not ours to print.
      writeBufferMessage: () => undefined,
      showSharedRWMemory: () => undefined,
    }
    let calculator: Calculator | undefined
    let memory: WasmSharedMemory | undefined
    try {
      memory = makeMemory(limits)
      const imports = { runtime, [MEMORY_IMPORT.module]: { [MEMORY_IMPORT.name]: memory } }
      const instance = await webAssembly.instantiate(module, imports)
      // `checkInterface` has compared names and kinds; the signatures are circom's.
      calculator = instance.exports as unknown as Calculator
      return new Instance(calculator, frames)
    } catch (error) {
      // It may have been written to.
      if (memory !== undefined) new Uint8Array(memory.buffer).fill(0)
      throw explain(error, frames)
    }
  }

  identify(): { version: number; isBn254: boolean } {
    return this.#guard(() => {
      const version = this.#exports.getVersion()
      this.#exports.getRawPrime()
      const isBn254 =
        this.#exports.getFieldNumLen32() === FIELD_WORDS && isPrime(this.#sharedWords())
      return { version, isBn254 }
    })
  }

  shape(): CalculatorShape {
    const exports = this.#exports
    return {
      sizeOf: ({ high, low }: NameHash) => this.#guard(() => exports.getInputSignalSize(high, low)),
      total: this.#guard(() => exports.getInputSize()) >>> 0,
      witnessLength: this.#witnessLength(),
    }
  }

  compute(signals: Signals): void {
    this.#guard(() => this.#exports.init(1))
    this.#guard(() => this.#setInputs(signals))
  }

  drain<S extends WitnessSink>(makeSink: (length: number) => S): S {
    const length = this.#witnessLength()
    const sink = makeSink(length)
    const staged = new Uint8Array(Math.min(length, STAGED_ELEMENTS_MAX) * ELEMENT_BYTES)
    try {
      for (let index = 0; index < length; index += STAGED_ELEMENTS_MAX) {
        const count = Math.min(STAGED_ELEMENTS_MAX, length - index)
        this.#guard(() => this.#stage(index, count, staged))
        sink.write(index, staged.subarray(0, count * ELEMENT_BYTES))
      }
      return sink
    } catch (error) {
      sink.dispose()
      throw error
    } finally {
      staged.fill(0)
    }
  }

  wipe(): void {
    new Uint8Array(this.#exports.memory.buffer).fill(0)
  }

  #witnessLength(): number {
    const length = this.#guard(() => this.#exports.getWitnessSize()) >>> 0
    if (length >= 1 && length <= WITNESS_LENGTH_MAX) return length
    const message = `the circuit says that its witness has ${length} values, expected 1..2^28.`
    throw new NallocError('ERR_LIMIT', message, { details: { length } })
  }

  #setInputs({ list, words }: Signals): void {
    for (const { hash, first, count } of list) {
      for (let position = 0; position < count; position += 1) {
        const start = (first + position) * FIELD_WORDS
        this.#sharedWords().set(words.subarray(start, start + FIELD_WORDS))
        this.#exports.setInputSignal(hash.high, hash.low, position)
      }
    }
  }

  #stage(index: number, count: number, staged: Uint8Array): void {
    const target = new Uint32Array(staged.buffer)
    for (let i = 0; i < count; i += 1) {
      this.#exports.getWitness(index + i)
      target.set(this.#sharedWords(), i * FIELD_WORDS)
    }
  }

  #sharedWords(): Uint32Array {
    // A memory that has grown may have detached its earlier buffer, and the view is empty then.
    if (this.#shared.length === 0) {
      const { memory, getSharedRWMemoryStart } = this.#exports
      this.#shared = new Uint32Array(memory.buffer, getSharedRWMemoryStart(), FIELD_WORDS)
    }
    return this.#shared
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw explain(error, this.#frames)
    }
  }
}

/** What the module's exception handler was called with. */
class CalculatorException {
  readonly code: number

  constructor(code: number) {
    this.code = code
  }
}

function checkInterface(name: string, module: WasmModule): void {
  const imports = webAssembly.Module.imports(module)
  if (imports.some((entry) => entry.module === 'env' && entry.name === 'memory')) {
    throw versionError(name, 'a calculator of circom 1')
  }
  const alien = imports.find((entry) => {
    const { module: from, name: key, kind } = entry
    // The one that was put in; a module that brings one as well does not compile.
    if (from === MEMORY_IMPORT.module && key === MEMORY_IMPORT.name) return kind !== 'memory'
    return from !== 'runtime' || kind !== 'function' || !IMPORTS.includes(key)
  })
  if (alien) {
    throw versionError(name, `a module that imports ${alien.kind} ${alien.module}.${alien.name}`)
  }
  const exports = new Map(
    webAssembly.Module.exports(module).map((entry) => [entry.name, entry.kind]),
  )
  const missing = EXPORTS.find(
    (key) => exports.get(key) !== (key === 'memory' ? 'memory' : 'function'),
  )
  if (missing !== undefined) throw versionError(name, `a module that does not export ${missing}`)
}

function versionError(name: string, got: string): NallocError {
  const message = `${name}: expected a witness calculator of circom 2, got ${got}.`
  return new NallocError('ERR_UNSUPPORTED_VERSION', message, {
    hint: 'Compile the circuit with circom 2 and --wasm.',
  })
}

function readMessage(exports: Calculator): string {
  let text = ''
  for (let char = exports.getMessageChar(); char !== 0; char = exports.getMessageChar()) {
    if (text.length === MESSAGE_CHARS_MAX) break
    text += String.fromCharCode(char & 0xff)
  }
  return text
}

function explain(error: unknown, frames: readonly string[]): NallocError {
  if (error instanceof NallocError) return error
  if (!(error instanceof CalculatorException)) {
    const reason = error instanceof Error ? error.message : 'an unknown exception'
    return new NallocError('ERR_WITNESS', `the witness calculator crashed: ${reason}.`)
  }
  const details = { exception: error.code, frames }
  // circom's codes: 1 no such signal, 2 and 3 set twice, 4 assertion, 5 memory, 6 index of an array.
  switch (error.code) {
    case 4: {
      const message = `assert failed${placeOf(frames)}: an input violates the circuit.`
      return new NallocError('ERR_WITNESS', message, { details })
    }
    case 5:
      return new NallocError('ERR_NO_MEMORY', 'the witness calculator ran out of memory.', {
        details,
      })
    case 1:
    case 2:
    case 3:
    case 6: {
      const message = `the witness calculator refused an input (its exception ${error.code}).`
      return new NallocError('ERR_INPUT', message, { details })
    }
    default: {
      const what = `the witness calculator failed with its exception ${error.code}`
      const message = `${what}${placeOf(frames)}.`
      return new NallocError('ERR_WITNESS', message, { details })
    }
  }
}

/** ` in template Num2Bits line 38 (via BabyPbk line 97, Semaphore line 52)` */
function placeOf(frames: readonly string[]): string {
  const places = frames.map((frame) => {
    // circom numbers the instances of a template: Num2Bits_2.
    const [, template, line] = /template (\w+?)(?:_\d+)? line: (\d+)/.exec(frame) ?? []
    return template === undefined ? frame.trim() : `${template} line ${line}`
  })
  const [inner, ...outer] = places
  if (inner === undefined) return ''
  return ` in template ${inner}${outer.length > 0 ? ` (via ${outer.join(', ')})` : ''}`
}
