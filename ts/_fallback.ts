// Whether snarkjs proves in nalloc's place: where nalloc has no binary for the platform, and
// NALLOC_FALLBACK=1 asks for that. Without it, such a place is an error; nothing slow happens in
// silence.

import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { codeOf } from './errors.ts'
import { binding } from './native.ts'

/** Workers that are started later know it. */
const SAID = 'nalloc.fallback'

let isDecided: boolean | undefined

/** True when snarkjs has to prove, which is said once. @internal */
export function fallsBack(): boolean {
  isDecided ??= decide()
  return isDecided
}

/**
 * `ours`, each of whose functions leads to that of `theirs` when snarkjs has to prove. Throws
 * ERR_SNARKJS_MISSING then, if there is none. @internal
 */
export function orTheirs<T extends object>(ours: T, theirs: () => Partial<T>): T {
  const functions = Object.entries(ours).map(([name, own]) => {
    const choose = (...args: readonly unknown[]): unknown => {
      const chosen = fallsBack() ? theirs()[name as keyof T] : own
      return (chosen as (...args: readonly unknown[]) => unknown)(...args)
    }
    return [name, choose]
  })
  return Object.freeze(Object.fromEntries(functions)) as T
}

function decide(): boolean {
  if (process.env['NALLOC_FALLBACK'] !== '1') return false
  try {
    binding()
    return false
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'ERR_PLATFORM' && code !== 'ERR_BINARY_MISSING') throw error
    say(error as Error)
    return true
  }
}

function say({ message }: Error): void {
  if (getEnvironmentData(SAID) === true) return
  setEnvironmentData(SAID, true)
  const line = message.replaceAll(/\s+/g, ' ')
  process.stderr.write(`nalloc: snarkjs proves instead (NALLOC_FALLBACK=1): ${line}\n`)
}
