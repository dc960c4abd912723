// Packs the main package, and lets publint and attw judge the tarball: whether its entries are what
// package.json says, and whether types resolve in every mode of TypeScript. `npm run lint:packages`.

import { packMain } from './pack-all.mjs'
import { orFail, run } from './steps.mjs'

const { tarball, files } = orFail(() => packMain())
const strays = files
  .map(({ path }) => path)
  .filter((file) => /(^|\/)\.|\.(node|so|ts\.map)$/.test(file))
if (strays.length > 0) throw new Error(`files that must not ship: ${strays.join(', ')}`)
const options = { stdio: ['ignore', 'inherit', 'inherit'] }
run('node_modules/.bin/publint', ['run', tarball, '--strict'], options)
run('node_modules/.bin/attw', [tarball, '--format', 'table'], options)
