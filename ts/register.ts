// The entry point `nalloc/register`: makes an application that imports snarkjs prove with nalloc,
// with no line of it changed. For `node --import nalloc/register app.js`, or `--require`.
//
// Each copy of snarkjs that is loaded keeps all of its exports but `groth16`, whose functions become
// those of `nalloc/snarkjs`. Worker threads inherit the flag, and have hooks of their own.

import module from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { fallsBack } from './_fallback.ts'
import { entryFormat, loadSync, suffix } from './_hooks.ts'

/** What is used of `node:module` that its types leave out: what Node 20 has not, and what is its own. */
interface ModuleClass {
  /** Since Node 22.15. */
  readonly registerHooks?: (hooks: { readonly load: typeof loadSync }) => void
  readonly prototype: { _compile(this: NodeModule, source: string, file: string): unknown }
}

const INSTALLED = Symbol.for('nalloc.register')

function install(): void {
  const { registerHooks } = module as unknown as ModuleClass
  if (registerHooks !== undefined) {
    registerHooks({ load: loadSync })
    return
  }
  // Node 20: import has hooks in a thread of their own, and require has none.
  module.register(pathToFileURL(path.join(__dirname, '_hooksThread.js')))
  hookCompilation()
}

/** Appends to the entries of snarkjs that are CommonJS, whoever loads them. */
function hookCompilation(): void {
  const { prototype } = module as unknown as ModuleClass
  const { _compile: compile } = prototype
  prototype._compile = function (source, file) {
    const isEntry = entryFormat(pathToFileURL(file).href) === 'commonjs'
    return compile.call(this, isEntry ? source + suffix() : source, file)
  }
}

// `--import` and `--require`, or one of them twice: once for each thread.
if (!(INSTALLED in globalThis)) {
  Object.defineProperty(globalThis, INSTALLED, { value: true })
  install()
  // Said once, before there are workers that would all say it.
  if (isMainThread) fallsBack()
}
