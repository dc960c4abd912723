// Where an application meets snarkjs: the hooks that put `nalloc/snarkjs` in its place.
//
// Owns the rule which files are entries of snarkjs, and what is loaded instead of them. An entry is
// a file that the package.json of a package called snarkjs names, wherever that package lies: so
// each importer keeps the copy of snarkjs that it would have got. A CommonJS entry is loaded as it
// is, with a line at its end that exchanges `exports.groth16`. An entry that is an ES module has
// exports that nobody can exchange, so a module in its place exports again what it exports, and
// `groth16` of its own. Nothing else of snarkjs is known here, and no other file is touched.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

type Format = 'module' | 'commonjs'

/** What a hook knows of a module that is to be loaded. */
interface LoadContext {
  readonly format?: string | null | undefined
}

/** What a hook answers. */
interface Loaded {
  readonly format: string | null | undefined
  readonly source?: string | ArrayBuffer | NodeJS.TypedArray | null | undefined
  readonly shortCircuit?: boolean | undefined
}

/** The part of a package.json that says which files are its entries. */
interface Manifest {
  readonly name?: unknown
  readonly type?: unknown
  readonly main?: unknown
  readonly module?: unknown
  readonly exports?: unknown
}

/** Behind the URL of a module that is snarkjs' own. */
const MARK = 'nalloc-original'
/** Every path to snarkjs has its name, at least in the name that an application gave it. */
const HINT = 'snarkjs'

/** The hook of `module.registerHooks`. @internal */
export function loadSync<C extends LoadContext>(
  url: string,
  context: C,
  nextLoad: (url: string, context?: Partial<C>) => Loaded,
): Loaded & { format: string; source: string } {
  const format = entryFormat(url)
  if (format === 'module') return inPlaceOf(url)
  const loaded = nextLoad(url, context)
  if (format !== 'commonjs') return loaded as Loaded & { format: string; source: string }
  return { ...loaded, format, source: textOf(loaded.source, url) + suffix() }
}

/** The hook of `module.register`, which sees no CommonJS. @internal */
export async function load<C extends LoadContext>(
  url: string,
  context: C,
  nextLoad: (url: string, context: C) => Promise<Loaded>,
): Promise<Loaded> {
  return entryFormat(url) === 'module' ? inPlaceOf(url) : nextLoad(url, context)
}

/** How Node reads the file, if it is an entry of snarkjs. @internal */
export function entryFormat(url: string): Format | undefined {
  if (!url.startsWith('file:') || !url.includes(HINT)) return undefined
  const parsed = new URL(url)
  if (parsed.searchParams.has(MARK)) return undefined
  const file = fileURLToPath(parsed)
  const extension = path.extname(file)
  if (!['.js', '.mjs', '.cjs'].includes(extension)) return undefined
  const found = manifestOf(path.dirname(file))
  if (found?.manifest.name !== 'snarkjs') return undefined
  const { main, module, exports, type } = found.manifest
  const entries = [main, module, exports].flatMap(filesIn)
  if (!entries.some((entry) => path.join(found.folder, entry) === file)) return undefined
  const isModule = extension === '.mjs' || (extension === '.js' && type === 'module')
  return isModule ? 'module' : 'commonjs'
}

/** The line behind a CommonJS entry. @internal */
export function suffix(): string {
  return `\n;require(${JSON.stringify(redirection())}).redirectExports(module.exports);\n`
}

/** The module in the place of an entry that is one. */
function inPlaceOf(url: string): { format: 'module'; source: string; shortCircuit: true } {
  const original = new URL(url)
  original.searchParams.set(MARK, '')
  const theirs = JSON.stringify(original.href)
  const ours = JSON.stringify(pathToFileURL(redirection()).href)
  const source = [
    `import * as theirs from ${theirs}`,
    `import { redirected } from ${ours}`,
    `export * from ${theirs}`,
    'export const groth16 = redirected(theirs.groth16)',
  ]
  return { format: 'module', source: source.join('\n'), shortCircuit: true }
}

function redirection(): string {
  return path.join(__dirname, '_redirection.js')
}

function textOf(source: Loaded['source'], url: string): string {
  if (typeof source === 'string') return source
  if (source === null || source === undefined) return fs.readFileSync(new URL(url), 'utf8')
  return new TextDecoder().decode(source)
}

/** The package.json that a folder belongs to. */
function manifestOf(folder: string): { folder: string; manifest: Manifest } | undefined {
  const text = readText(path.join(folder, 'package.json'))
  if (text !== undefined) return { folder, manifest: parse(text) }
  const parent = path.dirname(folder)
  return parent === folder ? undefined : manifestOf(parent)
}

function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** A manifest that is not JSON is Node's to complain about. */
function parse(text: string): Manifest {
  try {
    return (JSON.parse(text) ?? {}) as Manifest
  } catch {
    return {}
  }
}

/** Every file that a field of a package.json names, under whatever conditions. */
function filesIn(field: unknown): string[] {
  if (typeof field === 'string') return [field]
  if (typeof field !== 'object' || field === null) return []
  return Object.values(field).flatMap(filesIn)
}
