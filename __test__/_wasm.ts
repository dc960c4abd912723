// Makes small WebAssembly modules: calculators that lie, and modules that are none.

/** A function that returns a constant, traps, or never ends. */
export interface WasmFunction {
  readonly parameters: number
  readonly result?: number | 'trap' | 'loop'
}

/** What a made module has. */
export interface WasmParts {
  readonly importsMemory?: boolean
  readonly importedFunctions?: readonly (readonly [module: string, name: string])[]
  readonly exportsMemory?: boolean
  readonly functions?: Readonly<Record<string, WasmFunction>>
  /** Bytes that lie at the start of the memory. */
  readonly data?: Uint8Array
}

const I32 = 0x7f
const FUNCTION = 0
const MEMORY = 2

/** The functions of a circom 2 calculator without inputs, each of which answers with a constant. */
export function calculatorFunctions(
  changes: Readonly<Record<string, WasmFunction>> = {},
): Record<string, WasmFunction> {
  return {
    getVersion: { parameters: 0, result: 2 },
    getFieldNumLen32: { parameters: 0, result: 8 },
    getRawPrime: { parameters: 0 },
    getSharedRWMemoryStart: { parameters: 0, result: 0 },
    init: { parameters: 1 },
    getInputSize: { parameters: 0, result: 0 },
    getInputSignalSize: { parameters: 2, result: 0 },
    setInputSignal: { parameters: 3 },
    getMessageChar: { parameters: 0, result: 0 },
    getWitnessSize: { parameters: 0, result: 1 },
    getWitness: { parameters: 1 },
    ...changes,
  }
}

/** The bytes of a module. */
export function wasmModule(parts: WasmParts): Uint8Array {
  const imported = parts.importedFunctions ?? []
  const functions = Object.entries(parts.functions ?? {})
  const types = [
    [0x60, ...vector([]), ...vector([])],
    ...functions.map(([, { parameters, result }]) => [
      0x60,
      ...vector(Array.from({ length: parameters }, () => [I32])),
      ...vector(result === undefined ? [] : [[I32]]),
    ]),
  ]
  const imports = [
    ...(parts.importsMemory ? [[...name('env'), ...name('memory'), MEMORY, 0, 1]] : []),
    ...imported.map(([module, field]) => [...name(module), ...name(field), FUNCTION, 0]),
  ]
  const exports = [
    ...(parts.exportsMemory ? [[...name('memory'), MEMORY, 0]] : []),
    ...functions.map(([field], i) => [...name(field), FUNCTION, ...leb(imported.length + i)]),
  ]
  const bodies = functions.map(([, { result }]) => sized([0, ...instructions(result), 0x0b]))
  const data = parts.data && [[0, 0x41, 0, 0x0b, ...vector([...parts.data].map((byte) => [byte]))]]
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, imports),
    ...section(
      3,
      functions.map((_, i) => leb(i + 1)),
    ),
    ...section(5, parts.exportsMemory ? [[0, 1]] : []),
    ...section(7, exports),
    ...section(10, bodies),
    ...section(11, data ?? []),
  ])
}

function instructions(result: WasmFunction['result']): number[] {
  if (result === undefined) return []
  if (result === 'loop') return [0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00]
  return result === 'trap' ? [0x00] : [0x41, ...signedLeb(result)]
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  return items.length === 0 ? [] : [id, ...sized(vector(items))]
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()]
}

function sized(bytes: readonly number[]): number[] {
  return [...leb(bytes.length), ...bytes]
}

function name(text: string): number[] {
  return sized([...Buffer.from(text)])
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]
}

function signedLeb(value: number): number[] {
  const low = value & 0x7f
  const rest = value >> 7
  const isLast = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)
  return isLast ? [low] : [low | 0x80, ...signedLeb(rest)]
}
