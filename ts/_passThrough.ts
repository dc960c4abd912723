// The parts of snarkjs that nalloc does not replace: objects that lead to the user's own snarkjs.
//
// An import binds its names before anything is used, and loading snarkjs takes 36 ms. So each part
// is a proxy that exists at once and loads snarkjs when a property of it is asked for. snarkjs is
// looked for where the application is, then in the working directory, then beside nalloc.

import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { codeOf, NallocError } from './errors.ts'

type Module = Readonly<Record<string, object | undefined>>

let loaded: Module | undefined

/** What snarkjs exports as `name`, loaded on first use. @internal */
export function passThrough<T extends object>(name: string): T {
  const part = (): object => partOf(name)
  const handler: ProxyHandler<object> = {
    get: (_, key) => (isOwnName(key) ? Reflect.get(part(), key) : undefined),
    has: (_, key) => isOwnName(key) && Reflect.has(part(), key),
    ownKeys: () => Object.keys(part()),
    getOwnPropertyDescriptor: (_, key) => {
      const found = isOwnName(key) ? Reflect.getOwnPropertyDescriptor(part(), key) : undefined
      // A proxy may not call a property fixed that its own target does not have.
      return found && { ...found, configurable: true }
    },
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
    preventExtensions: () => false,
    setPrototypeOf: () => false,
  }
  return new Proxy(Object.create(null), handler) as T
}

/** Symbols and `then` are what the language asks of any object, which must not load snarkjs. */
function isOwnName(key: string | symbol): boolean {
  return typeof key === 'string' && key !== 'then'
}

function partOf(name: string): object {
  loaded ??= load()
  const part = loaded[name]
  if (part !== undefined) return part
  throw new NallocError('ERR_SNARKJS_MISSING', `the installed snarkjs has no ${name}.`, {
    hint: 'Install a newer one: npm install snarkjs@latest',
    details: { name },
  })
}

function load(): Module {
  const places = applicationPlaces()
  for (const place of places) {
    const require = createRequire(place)
    const file = resolve(require)
    // What fails inside snarkjs is its own error, and another copy would not be what was asked for.
    if (file !== undefined) return require(file) as Module
  }
  const message =
    'nalloc/snarkjs proves Groth16 itself and leaves the rest to snarkjs, which is not installed.'
  throw new NallocError('ERR_SNARKJS_MISSING', message, {
    hint: 'Install it: npm install snarkjs',
    details: { places },
  })
}

/** Files from whose folders snarkjs is looked for, in this order. */
function applicationPlaces(): string[] {
  const { argv } = process
  const mains = [require.main?.filename, argv[1] && realPath(path.resolve(argv[1]))]
  const found = mains.filter((main) => typeof main === 'string')
  return [...new Set([...found, path.join(process.cwd(), 'index.js'), __filename])]
}

/** `node_modules/.bin` holds links to programs. */
function realPath(file: string): string | undefined {
  try {
    return fs.realpathSync(file)
  } catch {
    return undefined
  }
}

function resolve(require: NodeJS.Require): string | undefined {
  try {
    return require.resolve('snarkjs')
  } catch (error) {
    if (codeOf(error) === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
