// Tools that packaging needs beyond a clone's: found, or installed from Debian and PyPI where that is
// possible. Where it is not, what these functions throw says the command that gets them.

import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { root, tryRun } from './steps.mjs'

const OUTPUT_BYTES_MAX = 2 ** 26
const VENV = path.join(root, 'target/tools/venv')

/** Whether a program is on PATH, or at its path. */
export function has(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** What a command prints, without its last line's end. */
export function outputOf(command, args, options = {}) {
  const settings = { cwd: root, encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX, ...options }
  return execFileSync(command, args, settings).trimEnd()
}

/**
 * Installs Debian's packages, of which `isThere` says whether they are needed. Packages of another
 * architecture are named with it: `libc6:arm64`.
 */
export function needDebian(packages, isThere) {
  if (isThere()) return
  const foreign = packages.some((name) => name.endsWith(':arm64'))
  const commands = [
    ...(foreign ? [['dpkg', '--add-architecture', 'arm64']] : []),
    ['apt-get', 'update', '-qq'],
    ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]
  const line = commands.map((command) => command.join(' ')).join(' && ')
  if (process.getuid() !== 0 || !has('apt-get')) {
    throw new Error(`${packages.join(', ')} missing, get it by: ${line}`)
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const [command, ...args] of commands) tryRun(command, args, { env })
  if (!isThere()) throw new Error(`${packages.join(', ')}: installed, and not what was expected`)
}

/** The folder with the programs of PyPI's packages, such as `ziglang==0.17.0`, installed once. */
export function needPython(packages) {
  const hasVenv = () => spawnSync('python3', ['-m', 'ensurepip', '--version']).status === 0
  needDebian(['python3-venv'], hasVenv)
  const python = path.join(VENV, 'bin/python')
  if (!fs.existsSync(python)) run('python3', ['-m', 'venv', VENV])
  const pip = ['-m', 'pip', '--disable-pip-version-check']
  const installed = outputOf(python, [...pip, 'freeze']).split('\n')
  const missing = packages.filter((name) => !installed.includes(name))
  if (missing.length > 0) tryRun(python, [...pip, 'install', '--quiet', ...missing])
  return path.join(VENV, 'bin')
}
