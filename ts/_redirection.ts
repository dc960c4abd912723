// What the hooks of `nalloc/register` put into a copy of snarkjs when it is loaded.

import { orTheirs } from './_fallback.ts'
import { groth16 } from './snarkjs.ts'

/** snarkjs' `groth16` with nalloc's functions in the place of its own. @internal */
export function redirected(theirs: object | undefined): object {
  return Object.freeze({ ...theirs, ...orTheirs(groth16, () => theirs ?? {}) })
}

/** Exchanges `groth16` of a CommonJS module. @internal */
export function redirectExports(exports: { groth16?: object }): void {
  const { groth16: theirs } = exports
  // What names no groth16 is no snarkjs for Node, such as the bundle for a page.
  if (theirs === undefined) return
  Object.defineProperty(exports, 'groth16', { value: redirected(theirs), enumerable: true })
}
