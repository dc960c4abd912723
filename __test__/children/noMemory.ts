// Asks for more address space than it may have. Prints the codes, and what it can do afterwards.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { Arena, type NallocError, SecretBuf } from 'nalloc'

const MIB = 2 ** 20
const GIB = 2 ** 30

function codeOf(call: () => unknown): string {
  try {
    call()
    return 'none'
  } catch (error) {
    return (error as NallocError).code
  }
}

function main(): void {
  const arena = new Arena(GIB)
  const status = fs.readFileSync('/proc/self/status', 'utf8')
  const mappedBytes = Number(/^VmSize:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  execFileSync('prlimit', ['--pid', `${process.pid}`, `--as=${mappedBytes + 256 * MIB}`])

  const codes = [codeOf(() => arena.alloc('u8', 1)), codeOf(() => new SecretBuf(GIB))]
  const left = [arena.usedBytes, new Arena('1M').alloc('u8', 10).length]
  process.stdout.write([...codes, ...left].join(' '))
}

main()
