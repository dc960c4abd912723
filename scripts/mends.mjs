// What goes wrong with installed packages: each case must be one line that says what is wrong, and
// the command on that line must mend it. Rows of test-packages.mjs.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { choiceOf, installedTuples, makeFolder, npm, smoke, start } from './installed.mjs'
import { fromNpm, muslNode, node } from './runtimes.mjs'
import { TARGETS } from './targets.mjs'

const CUT_BYTES = 100_000
const OLD_NODE = 18
const onNode = () => [process.execPath]
const onMusl = () => muslNode(22, 'x86_64')

/** The cases: on which target, what, and which other target's package it needs. */
export const MENDS = [
  mend('linux-x64-gnu', 'node_modules of musl', { also: ['linux-x64-musl'] }, (url, folder) =>
    installAs(url, folder, 'linux-x64-musl'),
  ),
  mend('linux-x64-gnu', 'node_modules of arm64', { also: ['linux-arm64-gnu'] }, (url, folder) =>
    installAs(url, folder, 'linux-arm64-gnu'),
  ),
  mend('linux-x64-musl', 'node_modules of glibc', { also: ['linux-x64-gnu'] }, (url, folder) =>
    installAs(url, folder, 'linux-x64-gnu'),
  ),
  mend('linux-x64-gnu', 'no optional packages', {}, (url, folder) =>
    npm(url, folder, ['install', '--omit=optional', 'nalloc']),
  ),
  mend('linux-x64-gnu', 'binary cut short', {}, async (url, folder) => {
    await installAs(url, folder, 'linux-x64-gnu')
    fs.truncateSync(binaryOf(folder, 'linux-x64-gnu'), CUT_BYTES)
  }),
  mend('linux-x64-gnu', 'binary of arm64', { also: ['linux-arm64-gnu'] }, async (url, folder) => {
    await installAs(url, folder, 'linux-x64-gnu')
    const { addon } = targetOf('linux-arm64-gnu')
    fs.copyFileSync(addon, binaryOf(folder, 'linux-x64-gnu'))
  }),
  lockFile('linux-x64-gnu', 'linux-x64-musl'),
  lockFile('linux-x64-musl', 'linux-x64-gnu'),
  { tuple: 'linux-x64-gnu', runtime: `Node ${OLD_NODE}`, work: tryOldNode },
]

/** Installs, breaks, reads the line, does what it says, and tries again. */
function mend(tuple, name, { also }, breakIt) {
  const work = async (url) => {
    const folder = makeFolder(`${tuple} ${name}`)
    const runtime = tuple.endsWith('musl') ? onMusl() : onNode()
    await breakIt(url, folder)
    const broken = start(runtime, folder, {}, ['-e', "require('nalloc').stats()"])
    const line = lineOf(broken)
    const [, removed] = /rm -r '([^']+)' && /.exec(line) ?? []
    const [, command = ''] = /\bnpm (i [^&]*)$/.exec(line) ?? []
    assert.notEqual(command, '', `expected a command in: ${line}`)

    if (removed !== undefined) fs.rmSync(removed, { recursive: true })
    const { output } = await npm(url, folder, command.split(' '))
    assert.equal(installedTuples(folder).includes(tuple), true, `${command}: ${output}`)
    const { status, problem } = smoke(runtime, folder)
    assert.equal(status, 0, problem)
    return line.slice(0, line.indexOf('. ') + 1).replaceAll(`${folder}/`, '')
  }
  return { tuple, runtime: `mended: ${name}`, also, work }
}

/** A lock file that was made on the other system serves this one. */
function lockFile(tuple, other) {
  const work = async (url) => {
    const folder = makeFolder(`${tuple} by the lock file of ${other}`)
    await installAs(url, folder, other)
    fs.rmSync(path.join(folder, 'node_modules'), { recursive: true })
    const { output } = await npm(url, folder, ['ci', ...choiceOf(targetOf(tuple))])
    assert.deepEqual(installedTuples(folder), [tuple], output)
    const { status, problem } = smoke(tuple.endsWith('musl') ? onMusl() : onNode(), folder)
    assert.equal(status, 0, problem)
    return `npm ci takes @nalloc/${tuple}`
  }
  // A lock file names every platform that the registry has.
  const also = TARGETS.map((target) => target.tuple)
  return { tuple, runtime: `lock file of ${other}`, also, work }
}

async function tryOldNode(url) {
  const folder = makeFolder('old Node')
  await installAs(url, folder, 'linux-x64-gnu')
  const old = [fromNpm(node('x64', OLD_NODE))]
  const line = lineOf(start(old, folder, {}, ['-e', "require('nalloc').stats()"]))
  assert.match(line, /^Node 20\.19 or newer only \(found 18\.[\d.]+\)\. Install a newer one: nvm/)
  return line
}

async function installAs(url, folder, tuple) {
  const choice = choiceOf(targetOf(tuple))
  const { status, output } = await npm(url, folder, ['install', ...choice, 'nalloc'])
  assert.deepEqual([status, installedTuples(folder)], [0, [tuple]], output)
}

/** The message of the error that a program has died of. */
function lineOf({ status, stderr, problem }) {
  assert.equal(status, 1, `expected an error, got ${problem}`)
  const [, line] = /^NallocError: (.*)$/m.exec(stderr) ?? []
  assert.notEqual(line, undefined, `expected an error of nalloc's, got ${stderr}`)
  return line
}

function targetOf(tuple) {
  return TARGETS.find((target) => target.tuple === tuple)
}

function binaryOf(folder, tuple) {
  return path.join(folder, 'node_modules/@nalloc', tuple, `nalloc.${tuple}.node`)
}
