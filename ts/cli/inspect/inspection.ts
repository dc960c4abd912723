// What `nalloc inspect` finds out about a file: the object that `--json` prints.
//
// Sizes, counts, names and digests only: no value of a witness, no coefficient, no point. The
// digest of a .wtns tells a guess of all its values from a wrong one, as any digest does.

import { describeStart, START_BYTES } from '../../_sniff.ts'
import { NallocError } from '../../errors.ts'
import { Container, containerKind } from './container.ts'
import { type JsonFacts, readJsonFacts } from './json.ts'
import { hashFile, hashKey, type PassOptions } from './pass.ts'
import { type PtauFacts, readPtau } from './ptau.ts'
import { type R1csFacts, readR1cs } from './r1cs.ts'
import { RegularFile } from './regularFile.ts'
import { readWtns, type WtnsFacts } from './wtns.ts'
import { type Groth16Facts, type PlonkFacts, readZkey } from './zkey.ts'

/** The name and version of the object's form; a version never changes its meaning. */
export const INSPECT_SCHEMA = 'nalloc/inspect@1'

/** One row of the section table. */
export interface SectionRow {
  readonly type: number
  /** What the section holds; null for a number without a meaning. */
  readonly name: string | null
  /** Of the first byte, from the start of the file. */
  readonly offset: number
  readonly bytes: number
}

interface Identity {
  readonly schema: typeof INSPECT_SCHEMA
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

interface ContainerFacts {
  /** Of the container. */
  readonly version: number
  readonly sectionCount: number
  /** The first 64 of them, in the order of the file. */
  readonly sections: readonly SectionRow[]
}

type Kinds =
  | (ContainerFacts & Groth16Facts & { readonly kind: 'zkey'; readonly nConstraints: number })
  | (ContainerFacts & PlonkFacts & { readonly kind: 'zkey' })
  | (ContainerFacts & WtnsFacts & { readonly kind: 'wtns' })
  | (ContainerFacts & R1csFacts & { readonly kind: 'r1cs' })
  | (ContainerFacts & PtauFacts & { readonly kind: 'ptau' })
  | { readonly kind: 'wasm'; readonly version: number }
  | JsonFacts

/** What is known of a file. */
export type Inspection = Identity & Kinds

const GROTH16 = ['IC', 'coefficients', 'A', 'B1', 'B2', 'L', 'H', 'contributions']
const SELECTORS = Array.from({ length: 5 }, () => 'selector')
const WIRES = ['additions', 'wires of a', 'wires of b', 'wires of c']
const PLONK = [...WIRES, ...SELECTORS, 'sigma', 'Lagrange', 'tau G1']
const FFLONK = [...WIRES, ...SELECTORS, 'sigma 1', 'sigma 2', 'sigma 3', 'Lagrange', 'tau G1', 'C0']
const POWERS = ['tau G1', 'tau G2', 'alpha tau G1', 'beta tau G1']
/** Names of sections by their numbers. */
const NAMES = {
  groth16: [null, 'protocol', 'header', ...GROTH16],
  plonk: [null, 'protocol', 'header', ...PLONK],
  fflonk: [null, 'protocol', 'header', ...FFLONK],
  wtns: [null, 'header', 'values'],
  r1cs: [null, 'header', 'constraints', 'labels', 'custom gates', 'uses of custom gates'],
  ptau: [
    ...[null, 'header', ...POWERS, 'beta G2', 'contributions', null, null, null, null],
    ...POWERS.map((name) => `${name}, Lagrange`),
  ],
} as const satisfies Readonly<Record<string, readonly (string | null)[]>>
const MAGIC_BYTES = 4
const EXPECTED =
  'a .zkey, .wtns, .r1cs, .ptau or .wasm file, or the JSON of a proof, its signals or its key'

/**
 * Looks at a file; `name` is what messages call it. Throws ERR_IO, ERR_BAD_MAGIC, ERR_TRUNCATED and
 * others that say what is wrong with it, as opening it would; ERR_FILE_CHANGED; the signal's reason.
 */
export async function inspectFile(
  path: string,
  name: string,
  options: PassOptions = {},
): Promise<Inspection> {
  return RegularFile.with(path, name, async (file) => {
    const start = new Uint8Array(Math.min(file.bytes, START_BYTES))
    await file.read(0, start)
    // What is too short for a magic is a container that was cut off.
    const isContainer = start.length < MAGIC_BYTES || containerKind(start) !== undefined
    if (isContainer) return inspectContainer(await Container.open(file, options.signal), options)
    return withDigest(file, await readOther(file, start), options)
  })
}

async function inspectContainer(container: Container, options: PassOptions): Promise<Inspection> {
  const { file, kind } = container
  switch (kind) {
    case 'zkey': {
      const { facts, coefficients } = await readZkey(container)
      const table = { kind, ...tableOf(container, NAMES[facts.protocol]) }
      if (!coefficients) return withDigest(file, { ...table, ...facts }, options)
      const { sha256, nConstraints } = await hashKey(container, coefficients, options)
      return { ...identityOf(file, sha256), ...table, ...facts, nConstraints }
    }
    case 'wtns': {
      const table = { kind, ...tableOf(container, NAMES.wtns) }
      return withDigest(file, { ...table, ...(await readWtns(container)) }, options)
    }
    case 'r1cs': {
      const table = { kind, ...tableOf(container, NAMES.r1cs) }
      return withDigest(file, { ...table, ...(await readR1cs(container)) }, options)
    }
    case 'ptau': {
      const table = { kind, ...tableOf(container, NAMES.ptau) }
      return withDigest(file, { ...table, ...(await readPtau(container)) }, options)
    }
  }
}

async function withDigest(
  file: RegularFile,
  facts: Kinds,
  options: PassOptions,
): Promise<Inspection> {
  return { ...identityOf(file, await hashFile(file, options)), ...facts }
}

function identityOf(file: RegularFile, sha256: string): Identity {
  return { schema: INSPECT_SCHEMA, file: file.name, bytes: file.bytes, sha256 }
}

function tableOf(container: Container, names: readonly (string | null)[]): ContainerFacts {
  const { version, sectionCount, sections } = container
  const rows = sections.map(({ id, offset, bytes }) => {
    return { type: id, name: names[id] ?? null, offset, bytes }
  })
  return { version, sectionCount, sections: rows }
}

/** What is no container: a module, or JSON of a known shape. */
async function readOther(file: RegularFile, start: Uint8Array): Promise<Kinds> {
  const described = describeStart(start)
  if (described === 'a WebAssembly module' && start.length === START_BYTES) {
    return { kind: 'wasm', version: Buffer.from(start).readUInt32LE(MAGIC_BYTES) }
  }
  const facts = described === 'JSON' ? await readJsonFacts(file) : undefined
  if (facts) return facts
  const found = described === 'JSON' ? 'JSON of another shape' : described
  const message = `${file.name}: expected ${EXPECTED}, got ${found}.`
  throw new NallocError('ERR_BAD_MAGIC', message, { details: { file: file.name, found } })
}
