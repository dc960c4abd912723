// Steps that run a command when their inputs changed, and say so. Only Node's own modules: this file
// works before anything is installed.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/** Ends the process with a message that says what to do. */
export function fail(message) {
  console.error(`nalloc: ${message}`)
  process.exit(1)
}

/** What `work` returns; ends the process with the message of what it throws. */
export function orFail(work) {
  try {
    return work()
  } catch (error) {
    return fail(error.message)
  }
}

/** Runs a command in the repository, its talk on stderr; ends the process when it fails. */
export function run(command, args, options = {}) {
  orFail(() => tryRun(command, args, options))
}

/** As `run`, and throws when the command fails. */
export function tryRun(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    ...options,
  })
  if (error) throw new Error(`cannot start ${command}: ${error.message}`)
  if (status !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${signal ?? status}`)
  }
}

/** SHA-256 over the names and contents of files; folders are taken whole. */
export function digest(inputs) {
  const hash = createHash('sha256').update(process.version)
  for (const file of inputs.flatMap(filesBelow).sort()) {
    hash.update(`\0${path.relative(root, file)}\0`).update(fs.readFileSync(file))
  }
  return hash.digest('hex')
}

function filesBelow(name) {
  const full = path.resolve(root, name)
  if (!fs.existsSync(full)) return []
  if (!fs.statSync(full).isDirectory()) return [full]
  return fs
    .readdirSync(full, { withFileTypes: true })
    .flatMap((entry) => filesBelow(path.join(full, entry.name)))
}

/**
 * Runs `work` unless `outputs` exist and were made from the same `inputs`. The stamp lies in the
 * folder that the step fills, so that deleting the folder runs the step again.
 */
export function step({ title, stamp, inputs, outputs, work }) {
  const stampFile = path.join(root, stamp)
  const wanted = digest(inputs)
  const isDone =
    outputs.every((output) => fs.existsSync(path.join(root, output))) &&
    fs.existsSync(stampFile) &&
    fs.readFileSync(stampFile, 'utf8') === wanted
  if (isDone) return
  const started = Date.now()
  process.stderr.write(`nalloc: ${title} ...\n`)
  work()
  fs.mkdirSync(path.dirname(stampFile), { recursive: true })
  fs.writeFileSync(stampFile, wanted)
  process.stderr.write(`nalloc: ${title}: ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
}
