// Makes secrets where no more memory can be locked than its argument says, and prints what became
// of them as JSON.

import { execFileSync } from 'node:child_process'
import { type NallocError, SecretBuf, stats } from 'nalloc'

const SECRET_BYTES = 100_000

/** CAP_IPC_LOCK goes over the limit: run again without it, if it is there. */
function giveUpRights(limit: string): boolean {
  if (process.argv[3] === 'again' || process.getuid?.() !== 0) return false
  const args = ['--bounding-set=-ipc_lock', '--inh-caps=-ipc_lock', '--', process.execPath]
  const own = [...process.execArgv, __filename, limit, 'again']
  process.stdout.write(execFileSync('setpriv', [...args, ...own]))
  return true
}

function main(limit: string): void {
  if (giveUpRights(limit)) return
  execFileSync('prlimit', ['--pid', `${process.pid}`, `--memlock=${limit}:${limit}`])
  const before = stats().secretBytes
  const { locked } = SecretBuf.random(SECRET_BYTES).status
  const kept = stats().secretBytes
  try {
    SecretBuf.random(SECRET_BYTES, { require: ['locked'] })
  } catch (error) {
    const { code, message } = error as NallocError
    const secretBytes = stats().secretBytes - kept
    process.stdout.write(JSON.stringify({ locked, code, message, secretBytes, before }))
  }
}

main(process.argv[2] ?? '0')
