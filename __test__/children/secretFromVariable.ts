// Takes a secret out of its environment and looks for its text. Prints what it found, as JSON.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { SecretBuf } from 'nalloc'

const NAME = 'NALLOC_TEST_SECRET'

/** What is looked for is made of these at run time, one after the other. */
const DIGITS = '0123456789abcdef'

function main(): void {
  if (process.argv[2] !== 'again') {
    const value = Array.from({ length: 64 }, (_, i) => DIGITS[(i * 7 + 3) % 16]).join('')
    const env = { ...process.env, [NAME]: value }
    process.stdout.write(execFileSync(process.execPath, [__filename, 'again'], { env }))
    return
  }
  // The text that the process was started with; JavaScript never asks for it.
  const environ = (): boolean => {
    const text = fs.readFileSync('/proc/self/environ')
    const at = text.indexOf(`${NAME}=`)
    const first = at < 0 ? 0 : (text[at + NAME.length + 1] ?? 0)
    text.fill(0)
    return first !== 0
  }
  const before = environ()
  const secret = SecretBuf.fromEnv(NAME, 'hex', { unset: true })
  const after = environ()
  const isExpected = secret.withBytes((bytes) =>
    bytes.every(
      (byte, i) => byte === ((((2 * i * 7 + 3) % 16) << 4) | (((2 * i + 1) * 7 + 3) % 16)),
    ),
  )
  if (!isExpected) throw new Error('the secret is not what the variable said')
  const left = process.env[NAME] ?? null
  process.stdout.write(JSON.stringify({ before, after, environ: NAME in process.env, left }))
}

main()
