// Writes one .mjs and one .d.mts beside each CommonJS entry of package.json's "exports", so that
// `import` and `require` share one instance: a class from one is instanceof that of the other.

import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { root } from './steps.mjs'

/** Entries that are imported for what they do, and export nothing. */
const EFFECTS = ['./register']

export function writeReexports() {
  const { exports } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  const require = createRequire(import.meta.url)
  for (const [name, entry] of Object.entries(exports)) {
    if (typeof entry === 'string') continue
    const commonJs = path.join(root, entry.require.default)
    const from = `./${path.basename(commonJs)}`
    fs.writeFileSync(path.join(root, entry.import.types), `export * from '${from}'\n`)
    if (EFFECTS.includes(name)) {
      fs.writeFileSync(path.join(root, entry.import.default), `import '${from}'\n`)
      continue
    }
    // Read from the module itself: what tsc emitted is what is there. The names are known without
    // the addon, which the modules load on first use.
    const names = Object.keys(require(commonJs)).sort()
    if (names.length === 0) throw new Error(`${commonJs}: expected named exports, got none`)
    const reexports = `export { ${names.join(', ')} } from '${from}'\n`
    fs.writeFileSync(path.join(root, entry.import.default), reexports)
  }
}
