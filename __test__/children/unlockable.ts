// Makes secrets where no memory can be locked, and prints what became of them as JSON.

import { execFileSync } from 'node:child_process'
import { type NallocError, SecretBuf, stats } from 'nalloc'

/** CAP_IPC_LOCK goes over the limit: run again without it, if it is there. */
function giveUpRights(): boolean {
  if (process.argv[2] === 'again' || process.getuid?.() !== 0) return false
  const args = ['--bounding-set=-ipc_lock', '--inh-caps=-ipc_lock', '--', process.execPath]
  const own = [...process.execArgv, __filename, 'again']
  process.stdout.write(execFileSync('setpriv', [...args, ...own]))
  return true
}

function main(): void {
  if (giveUpRights()) return
  execFileSync('prlimit', ['--pid', `${process.pid}`, '--memlock=0:0'])
  const before = stats().secretBytes
  const { locked } = SecretBuf.random(32).status
  const kept = stats().secretBytes
  try {
    SecretBuf.random(32, { require: ['locked'] })
  } catch (error) {
    const { code, message } = error as NallocError
    const secretBytes = stats().secretBytes - kept
    process.stdout.write(JSON.stringify({ locked, code, message, secretBytes, before }))
  }
}

main()
