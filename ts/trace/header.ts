// The header of a trace in its binary form.

import { NallocError } from '../errors.ts'
import { HEADER_BYTES_MAX, HEADER_BYTES_MIN, MAGIC, VERSION } from './format.ts'
import { malformed } from './parser.ts'

const AT = {
  version: 8,
  headerBytes: 12,
  startUnixNs: 16,
  startMonotonicNs: 24,
  pid: 32,
  forkedFromPid: 36,
  pageBytes: 40,
  sampleUs: 44,
  cacheLimitBytes: 48,
  memoryLimitBytes: 56,
  textLengths: 64,
  zero: 70,
} as const

/** What the header says that anybody here asks for. */
export interface TraceHeader {
  readonly startUnixMs: number
  /** 0 for a trace that was made from CSV. */
  readonly pid: number
  /** 0 for a process that was not made by fork, or by one without a trace. */
  readonly forkedFromPid: number
  readonly program: string
  readonly recorder: string
  readonly recorderVersion: string
}

/** How long a header is, by its first HEADER_BYTES_MIN bytes. Throws ERR_UNSUPPORTED_VERSION. */
export function headerBytesOf(bytes: Uint8Array, file: string): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES_MIN)
  const version = view.getUint32(AT.version, true)
  if (version !== VERSION) {
    const expected = `expected a trace of version ${VERSION}, got ${version}`
    const message = `${file}, byte ${AT.version}: ${expected}.`
    throw new NallocError('ERR_UNSUPPORTED_VERSION', message, {
      hint: 'Read it with the nalloc that recorded it, or record it again with this one.',
      details: { file, version },
    })
  }
  const length = view.getUint32(AT.headerBytes, true)
  const least = HEADER_BYTES_MIN + textLengths(view).reduce((sum, text) => sum + text, 0)
  if (length < least || length > HEADER_BYTES_MAX || length % 8 !== 0) {
    const expected = `a header of ${least} to ${HEADER_BYTES_MAX} bytes, a multiple of 8`
    throw fault(file, AT.headerBytes, expected, length)
  }
  const zero = view.getUint16(AT.zero, true)
  if (zero !== 0) throw fault(file, AT.zero, '0', zero)
  return length
}

/** A whole header, whose length is known to be right. */
export function readHeader(bytes: Uint8Array, file: string): TraceHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = HEADER_BYTES_MIN
  const [program = '', recorder = '', recorderVersion = ''] = textLengths(view).map((length) => {
    const text = textOf(bytes.subarray(at, at + length))
    if (text === undefined) throw fault(file, at, `${length} bytes of UTF-8`, 'others')
    at += length
    return text
  })
  const other = bytes.subarray(at).findIndex((byte) => byte !== 0)
  if (other >= 0) throw fault(file, at + other, '0', bytes[at + other] as number)
  return {
    startUnixMs: Number(view.getBigUint64(AT.startUnixNs, true) / 1_000_000n),
    pid: view.getUint32(AT.pid, true),
    forkedFromPid: view.getUint32(AT.forkedFromPid, true),
    program,
    recorder,
    recorderVersion,
  }
}

/** The header of a trace that no process recorded. */
export function writeHeader(program: string, recorderVersion: string): Uint8Array {
  const texts = [program, '', recorderVersion].map((text) => Buffer.from(text))
  const used = texts.reduce((sum, text) => sum + text.length, HEADER_BYTES_MIN)
  const header = Buffer.alloc(Math.ceil(used / 8) * 8)
  header.write(MAGIC, 'latin1')
  header.writeUInt32LE(VERSION, AT.version)
  header.writeUInt32LE(header.length, AT.headerBytes)
  header.writeUInt32LE(4096, AT.pageBytes)
  for (const [i, text] of texts.entries()) header.writeUInt16LE(text.length, AT.textLengths + 2 * i)
  Buffer.concat(texts).copy(header, HEADER_BYTES_MIN)
  return header
}

/** Text of UTF-8; undefined for what is none. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function textLengths(view: DataView): readonly number[] {
  return [0, 2, 4].map((at) => view.getUint16(AT.textLengths + at, true))
}

function fault(file: string, offset: number, expected: string, got: string | number): NallocError {
  return malformed({ file, where: `byte ${offset}`, expected, got: String(got), offset })
}
