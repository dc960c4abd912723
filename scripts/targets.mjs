// The four platforms that binaries are shipped for, and where their files lie.

import path from 'node:path'
import { root } from './steps.mjs'

/** The oldest glibc that Node 20 itself runs on: no binary may need a newer one. */
export const GLIBC_MAX = '2.28'
/** What the linker is told: older than needed, so that `nalloc run` serves old programs too. */
export const GLIBC_LINKED = '2.17'

const target = (cpu, libc, triple) => {
  const tuple = `linux-${cpu}-${libc === 'glibc' ? 'gnu' : 'musl'}`
  const folder = path.join(root, 'npm', tuple)
  const addon = path.join(folder, `nalloc.${tuple}.node`)
  const preload = path.join(folder, `libnalloc_preload.${tuple}.so`)
  return { tuple, cpu, libc, triple, folder, addon, preload }
}

/** One for each platform package, in the order of its name. */
export const TARGETS = [
  target('arm64', 'glibc', 'aarch64-unknown-linux-gnu'),
  target('arm64', 'musl', 'aarch64-unknown-linux-musl'),
  target('x64', 'glibc', 'x86_64-unknown-linux-gnu'),
  target('x64', 'musl', 'x86_64-unknown-linux-musl'),
]

/** The targets whose tuples a command names, or all. */
export function targetsNamed(tuples, fail) {
  const unknown = tuples.filter((name) => !TARGETS.some(({ tuple }) => tuple === name))
  const known = TARGETS.map(({ tuple }) => tuple).join(', ')
  if (unknown.length > 0) fail(`no target ${unknown.join(', ')}; there are ${known}`)
  return TARGETS.filter(({ tuple }) => tuples.length === 0 || tuples.includes(tuple))
}
