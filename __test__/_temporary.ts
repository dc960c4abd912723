// Folders and files that go away with their test.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { ExecutionContext } from 'ava'
import { root } from './_repository.ts'

/** An empty folder. */
export function temporaryFolder(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A file with these bytes. */
export function temporaryFile(t: ExecutionContext, name: string, bytes: Uint8Array): string {
  const file = path.join(temporaryFolder(t), name)
  fs.writeFileSync(file, bytes)
  return file
}

/** The package in another place, without an addon beside it; the folder of its package.json. */
export function packageWithoutAddon(t: ExecutionContext): string {
  const folder = temporaryFolder(t)
  fs.cpSync(path.join(root, 'dist'), path.join(folder, 'dist'), { recursive: true })
  fs.copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'))
  fs.mkdirSync(path.join(folder, 'node_modules'))
  for (const name of ['commander', 'picocolors']) {
    const from = path.join(root, 'node_modules', name)
    fs.cpSync(from, path.join(folder, 'node_modules', name), { recursive: true })
  }
  return folder
}
