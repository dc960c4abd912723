// Looks for secrets in the memory of a process whose worker has ended with them, and of one that has
// ended by itself, just before it is gone: a debugger stops it there.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import test from 'ava'
import { childFile } from './_child.ts'
import { canTrace, debug, NO_DEBUGGER } from './_debugger.ts'
import { NEEDLES, needle } from './_needles.ts'
import { matches } from './_processMemory.ts'

const WAYS = ['end', 'exit', 'throw', 'handler']
const PATTERN_BYTES = 32
const STOPPED = 'stopped before its end'
const COMMANDS = [
  'handle all nostop noprint pass',
  'catch syscall exit_group',
  'run',
  `shell echo ${STOPPED}; read -r line`,
]

/** What may hold a needle: pages that are written, or sealed. Larger ones are reserved, no more. */
function isSearched(access: string, bytes: bigint): boolean {
  return access.startsWith('rw') || (access.startsWith('---') && bytes < 2n ** 20n)
}

/** Which needles lie in the memory of a process. */
function found(pid: number): number[] {
  const wanted = NEEDLES.map((number) => needle(number).subarray(0, PATTERN_BYTES))
  const seen = new Set([...matches(pid, wanted, isSearched)].map(({ pattern }) => pattern))
  return NEEDLES.filter((_, i) => seen.has(wanted[i] as Buffer))
}

/** Those of them that are secrets: the first one is the control. */
function secretsIn(pid: number): number[] {
  return found(pid).filter((number) => number !== NEEDLES[0])
}

test.serial('no secret is left when a worker is terminated', async (t) => {
  const args = [childFile('exitWithSecrets'), 'worker']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const said: string[] = []

  for await (const line of createInterface({ input: child.stdout })) {
    const [what = '', pid] = line.split(' ')
    said.push(what)
    if (what === 'held') {
      t.deepEqual(found(Number(pid)), [...NEEDLES], 'control: they are found')
      child.kill('SIGUSR2')
    } else {
      t.deepEqual(secretsIn(Number(pid)), [], 'nothing of a secret is left')
      child.kill('SIGKILL')
    }
  }

  t.deepEqual(said, ['held', 'ended'])
})

for (const way of WAYS) {
  const title = `no secret is left when a process ends by itself: ${way}`
  if (!canTrace) {
    test.skip(`${title} ${NO_DEBUGGER}`, () => {})
    continue
  }
  test.serial(title, async (t) => {
    const gdb = debug(COMMANDS, 'exitWithSecrets', [way])
    t.teardown(() => gdb.kill('SIGKILL'))
    let pid = Number.NaN
    let isStopped = false

    for await (const line of createInterface({ input: gdb.stdout })) {
      const held = /^held (\d+)$/.exec(line)
      if (held !== null) {
        pid = Number(held[1])
        t.teardown(() => {
          if (!isStopped) process.kill(pid, 'SIGKILL')
        })
        t.deepEqual(found(pid), [...NEEDLES], 'control: they are found')
        process.kill(pid, 'SIGUSR2')
      } else if (line === STOPPED) {
        t.deepEqual(secretsIn(pid), [], 'nothing of a secret is left')
        isStopped = true
        gdb.stdin.write('\n')
      }
    }

    t.true(isStopped, 'it came to its end')
  })
}
