// Looks for witness values in the memory of processes that proved them in every form in which a
// witness comes: as bytes, shared bytes, a secret, a file, and from inputs given as bytes.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { childFile } from './_child.ts'
import { patterns, says, search } from './_processMemory.ts'
import { semaphore } from './_repository.ts'
import { temporaryFile, temporaryFolder } from './_temporary.ts'
import { elementBytes, PRIME } from './_wtns.ts'

/** What a form leaves readable while its caller holds it. */
interface Form {
  readonly kind: 'bytes' | 'shared' | 'secret' | 'file' | 'inputs'
  readonly good: string
  readonly wrong: string
  /** The code of the wrong one. */
  readonly code: string
  readonly isReadable: boolean
}

/** The inputs that the proof shows to everybody. */
const PUBLIC = ['message', 'scope']

/**
 * Inputs as files of little-endian elements, with another secret where one is given; the private ones
 * as values.
 */
function writeInputs(t: ExecutionContext, secret?: bigint): { folder: string; values: bigint[] } {
  const folder = temporaryFolder(t)
  const { input } = semaphore(5)
  const values: bigint[] = []
  for (const [name, signal] of Object.entries(input)) {
    const given = [signal].flat(9).map((value) => BigInt(`${value}`))
    const elements = name === 'secret' && secret !== undefined ? [secret] : given
    if (!PUBLIC.includes(name)) values.push(...elements)
    fs.writeFileSync(path.join(folder, name), Buffer.concat(elements.map(elementBytes)))
  }
  return { folder, values }
}

async function lookFor(
  t: ExecutionContext,
  { kind, good, wrong, code, isReadable }: Form,
  wanted: { readonly plain: Buffer[]; readonly montgomery: Buffer[] },
): Promise<void> {
  const child = spawn(process.execPath, [childFile('holdForms'), kind, good, wrong], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const pid = child.pid ?? Number.NaN
  const look = (): readonly string[] => search(pid, [...wanted.plain, ...wanted.montgomery])

  await says(child, 'held', lines)
  if (isReadable) t.true(look().length > 0, 'control: what is held is found')
  for (const state of ['proved', 'stopped', code]) {
    child.stdin.write('\n')
    await says(child, state, lines)
    t.deepEqual(look(), [], `${kind}: ${state}`)
  }
  child.stdin.write('\n')
  const [status] = await once(child, 'exit')
  t.is(status, 0)
}

for (const [kind, isReadable] of [
  ['bytes', true],
  ['shared', true],
  ['secret', false],
  ['file', false],
] as const) {
  test(`nothing of a witness stays that was given as ${kind}, proved, stopped or wrong`, async (t) => {
    const wanted = await patterns()
    const good = temporaryFile(t, 'witness.wtns', wanted.file)
    const altered = Uint8Array.from(wanted.file)
    const last = altered.length - 32
    altered[last] = (altered[last] ?? 0) ^ 1
    const wrong = temporaryFile(t, 'wrong.wtns', altered)

    await lookFor(t, { kind, good, wrong, code: 'ERR_SELF_VERIFY', isReadable }, wanted)
    t.true(wanted.plain.length > 100, `${wanted.plain.length} values looked for`)
  })
}

test('nothing of a witness stays that came from inputs in bytes, nor of the inputs', async (t) => {
  const { plain, montgomery } = await patterns()
  const good = writeInputs(t)
  const wrong = writeInputs(t, PRIME - 1n)
  const secrets = good.values.filter((value) => value > 2n ** 200n)
  const wanted = {
    plain: [...plain, ...secrets.map(elementBytes)],
    montgomery: [...montgomery, ...secrets.map((value) => elementBytes((value << 256n) % PRIME))],
  }

  t.true(secrets.length > 2, `${secrets.length} inputs looked for`)
  await lookFor(
    t,
    {
      kind: 'inputs',
      good: good.folder,
      wrong: wrong.folder,
      code: 'ERR_WITNESS',
      isReadable: true,
    },
    wanted,
  )
})
