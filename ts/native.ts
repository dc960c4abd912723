// Finds and loads the native addon, on first use.
//
// Looks at two places only: the local build beside package.json (in a checkout of the repository),
// then the platform package that npm installed. No environment variable can redirect it, no program
// is run to find out which libc this is, nothing is downloaded.

import { existsSync } from 'node:fs'
import path from 'node:path'
import { isMainThread } from 'node:worker_threads'
import type * as Addon from '../index.js'
import { codeOf, NallocError } from './errors.ts'

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
  /** The folder of package.json. */
  readonly root: string
  readonly load: (id: string) => unknown
}

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
  const localFile = path.join(host.root, name)
  if (existsSync(localFile)) return localFile
  const id = `@nalloc/${tuple}/${name}`
  try {
    return require.resolve(id)
  } catch (cause) {
    throw loadError(host, tuple, id, cause)
  }
}

/** As `binding`, for a given host and without remembering. @internal */
export function loadBinding(host: Host): Binding {
  const tuple = tupleOf(host)
  const localFile = path.join(host.root, `nalloc.${tuple}.node`)
  const id = existsSync(localFile) ? localFile : `@nalloc/${tuple}`
  try {
    return host.load(id) as Binding
  } catch (cause) {
    throw loadError(host, tuple, id, cause)
  }
}

function thisHost(): Host {
  return {
    platform: process.platform,
    arch: process.arch,
    isGlibc: hasGlibc(),
    root: path.join(__dirname, '..'),
    load: require,
  }
}

function tupleOf({ platform, arch, isGlibc }: Host): string {
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) {
    throw new NallocError('ERR_PLATFORM', `linux x64/arm64 only (found ${platform}-${arch}).`, {
      hint: 'Prove on a Linux server, or with snarkjs here: NALLOC_FALLBACK=1, see docs/register.md.',
      details: { platform, arch },
    })
  }
  return `linux-${arch}-${isGlibc ? 'gnu' : 'musl'}`
}

function loadError(host: Host, tuple: string, id: string, cause: unknown): NallocError {
  const libc = host.isGlibc ? 'glibc' : 'musl'
  const install = `npm i --os=linux --cpu=${host.arch} --libc=${libc} nalloc`
  const message = cause instanceof Error ? cause.message : String(cause)
  // Only "there is no such package" means missing; a package that is there and fails says why
  // itself.
  const isAbsent = codeOf(cause) === 'MODULE_NOT_FOUND' && message.includes(`'${id}'`)
  const details = { tuple, binary: id }
  if (isAbsent) {
    return new NallocError('ERR_BINARY_MISSING', `no prebuilt for ${tuple} in node_modules.`, {
      hint: `Lockfile from another OS? ${install}`,
      details,
      cause,
    })
  }
  return new NallocError('ERR_BINARY_MISSING', `${id} is there and does not load: ${message}.`, {
    hint: `Install it again: ${install}`,
    details,
    cause,
  })
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
