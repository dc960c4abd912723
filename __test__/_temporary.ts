// Folders and files that go away with their test.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { ExecutionContext } from 'ava'

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
