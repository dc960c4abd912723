// Finds and loads the native addon, on first use.
//
// Looks at two places only: the local build beside package.json (in a checkout of the repository),
// then the platform package that npm installed. No environment variable can redirect it, no program
// is run to find out which libc this is, nothing is downloaded. What stands in the way is one line,
// with the command that mends it.

import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { isMainThread } from 'node:worker_threads'
import type * as Addon from '../index.js'
import { binaryProblem } from './_binary.ts'
import { NallocError } from './errors.ts'

/** What the addon exports. @internal */
export type Binding = typeof Addon
/** One native call in progress. @internal */
export type NativeTask = Addon.Task
/** A file's bytes on their way to native memory. @internal */
export type NativeFileBytes = Addon.FileBytes
/** A parsed proving key in native memory. @internal */
export type NativeProvingKey = Addon.ProvingKeyHandle
/** What a native proof settles to. @internal */
export type NativeProofOutput = Addon.ProofOutput
/** A proof and its public signals as texts. @internal */
export type NativeProofTexts = Addon.ProofTexts
/** A key for development that is being made. @internal */
export type NativeSetup = Addon.SetupHandle
/** A checked verification key in native memory. @internal */
export type NativeVerifyingKey = Addon.VerifyingKeyHandle
/** The native side of an arena. @internal */
export type NativeArena = Addon.ArenaHandle
/** Native memory that JavaScript can see. @internal */
export type NativeRegion = Addon.Region
/** A secret in sealed native memory. @internal */
export type NativeSecret = Addon.SecretHandle
/** Field elements in native memory. @internal */
export type NativeFrVector = Addon.FrVectorHandle
/** Points of G1 in native memory. @internal */
export type NativeG1Vector = Addon.G1VectorHandle
/** A polynomial in native memory. @internal */
export type NativePolynomial = Addon.PolynomialHandle
/** Points of a ceremony in native memory. @internal */
export type NativeSrs = Addon.SrsHandle
/** How an SRS is read. @internal */
export type NativeSrsSettings = Addon.SrsSettings
/** What a secret must have. @internal */
export type SecretRequirements = Addon.SecretRequirements
/** A witness in secret native memory. @internal */
export type NativeWitness = Addon.WitnessHandle

/**
 * What the choice of a binary depends on: a parameter, so that tests can be another machine.
 * @internal
 */
export interface Host {
  readonly platform: string
  readonly arch: string
  readonly isGlibc: boolean
  readonly nodeVersion: string
  /** The folder of package.json. */
  readonly root: string
  /** The file of a package, or of a file in one; throws MODULE_NOT_FOUND. */
  readonly resolve: (id: string) => string
  readonly load: (file: string) => unknown
}

/** The oldest Node that works: its major and minor version. @internal */
export const NODE_MIN = [20, 19] as const

let loaded: Binding | undefined

/** The addon, loaded by the first call. Throws ERR_PLATFORM, ERR_BINARY_MISSING. @internal */
export function binding(): Binding {
  if (loaded !== undefined) return loaded
  const addon = loadBinding(thisHost())
  // Bun calls none of the functions that wipe secrets when a process exits.
  if (isMainThread && 'bun' in process.versions) process.once('exit', () => addon.wipeSecrets())
  loaded = addon
  return addon
}

/** What the addon was built for, such as linux-x64-gnu. Throws ERR_PLATFORM. @internal */
export function hostTuple(): string {
  return tupleOf(thisHost())
}

/** The library that `nalloc run` preloads. Throws ERR_PLATFORM, ERR_BINARY_MISSING. @internal */
export function preloadFile(): string {
  const host = thisHost()
  const tuple = tupleOf(host)
  const name = `libnalloc_preload.${tuple}.so`
  return findBinary(host, tuple, name, `@nalloc/${tuple}/${name}`)
}

/** As `binding`, for a given host and without remembering. @internal */
export function loadBinding(host: Host): Binding {
  const tuple = tupleOf(host)
  const id = `@nalloc/${tuple}`
  const file = findBinary(host, tuple, `nalloc.${tuple}.node`, id)
  try {
    return host.load(file) as Binding
  } catch (cause) {
    throw unloadable(host, tuple, file, cause)
  }
}

/** Whether a Node is one that works. @internal */
export function isSupportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
}

function thisHost(): Host {
  return {
    platform: process.platform,
    arch: process.arch,
    isGlibc: hasGlibc(),
    nodeVersion: process.versions.node,
    root: path.join(__dirname, '..'),
    resolve: (id) => require.resolve(id),
    load: require,
  }
}

function tupleOf({ platform, arch, isGlibc, nodeVersion }: Host): string {
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) {
    throw new NallocError('ERR_PLATFORM', `linux x64/arm64 only (found ${platform}-${arch}).`, {
      hint: 'Prove on a Linux server, or with snarkjs here: NALLOC_FALLBACK=1, see docs/register.md.',
      details: { platform, arch },
    })
  }
  if (!isSupportedNode(nodeVersion)) {
    const expected = NODE_MIN.join('.')
    throw new NallocError(
      'ERR_PLATFORM',
      `Node ${expected} or newer only (found ${nodeVersion}).`,
      {
        hint: 'Install a newer one: nvm install --lts',
        details: { node: nodeVersion },
      },
    )
  }
  return `linux-${arch}-${isGlibc ? 'gnu' : 'musl'}`
}

/** The local build, or what npm installed: a file that nothing speaks against. */
function findBinary(host: Host, tuple: string, name: string, id: string): string {
  const file = fileOf(host, tuple, name, id)
  let problem: string | undefined
  try {
    problem = binaryProblem(file, host.arch)
  } catch (cause) {
    throw unloadable(host, tuple, file, cause)
  }
  if (problem !== undefined) throw unloadable(host, tuple, file, new Error(problem))
  return file
}

function fileOf(host: Host, tuple: string, name: string, id: string): string {
  const localFile = path.join(host.root, name)
  if (existsSync(localFile)) return localFile
  try {
    return host.resolve(id)
  } catch (cause) {
    // Whatever else npm chose: for another system, or on another one.
    const others = installedTuples(host).join(', ')
    const found = others === '' ? '' : `, only ${others}`
    throw new NallocError(
      'ERR_BINARY_MISSING',
      `no prebuilt for ${tuple} in node_modules${found}.`,
      {
        hint: `Lockfile from another OS? ${installCommand(host)}`,
        details: { tuple, binary: id },
        cause,
      },
    )
  }
}

function unloadable(host: Host, tuple: string, file: string, cause: unknown): NallocError {
  const message = cause instanceof Error ? cause.message : String(cause)
  const isLocal = path.dirname(file) === host.root
  // npm takes for good what is there, whatever it is.
  const hint = isLocal
    ? `Build it again: rm '${file}' && npm run prepare:all`
    : `Install it again: rm -r '${path.dirname(file)}' && ${installCommand(host)}`
  return new NallocError('ERR_BINARY_MISSING', `${file} is there and does not load: ${message}.`, {
    hint,
    details: { tuple, binary: file },
    cause,
  })
}

function installCommand({ arch, isGlibc }: Host): string {
  return `npm i --os=linux --cpu=${arch} --libc=${isGlibc ? 'glibc' : 'musl'} nalloc`
}

/** The platform packages beside this one. */
function installedTuples({ root }: Host): string[] {
  try {
    return readdirSync(path.join(root, '../@nalloc')).sort()
  } catch {
    return []
  }
}

/** Whether this Node runs on glibc. @internal */
export function hasGlibc(): boolean {
  // The report would look up the names of all network peers, which can take seconds.
  const report = process.report as { excludeNetwork?: boolean } & NodeJS.ProcessReport
  const before = report.excludeNetwork
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } }
    return header?.glibcVersionRuntime !== undefined
  } finally {
    report.excludeNetwork = before ?? false
  }
}
