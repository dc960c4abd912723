// Proves a witness that is a secret, so that its memory can be looked at. Says what it has done on
// stdout, goes on at each line on stdin.

import { createInterface } from 'node:readline'
import { type NallocError, ProvingKey, SecretBuf } from 'nalloc'
import { semaphore } from '../_repository.ts'

/** A byte of the last value. */
const ALTERED_FROM_END = 32

async function main(wtns: string): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const say = async (text: string): Promise<void> => {
    process.stdout.write(`${text}\n`)
    await lines.next()
  }
  const key = await ProvingKey.open(semaphore(5).zkey)
  const secret = await SecretBuf.fromFile(wtns)
  await say('sealed')
  await secret.withBytesAsync(() => say('open'))
  await say('closed')
  await Promise.all([key.prove(secret), key.prove(secret)])
  await say('proved')

  const alter = (bytes: Uint8Array): void => {
    const at = bytes.length - ALTERED_FROM_END
    bytes[at] = (bytes[at] ?? 0) ^ 1
  }
  secret.withBytes(alter, { write: true })
  const error = await key.prove(secret).catch((thrown: NallocError) => thrown)
  await say('code' in error ? String(error.code) : 'a proof')
  secret.dispose()
  await say('disposed')
  key.dispose()
  process.exit(0)
}

main(process.argv[2] ?? '')
