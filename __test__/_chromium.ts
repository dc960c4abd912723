// Opens pages in a headless Chromium, with a profile of its own that goes away.

import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** What a page became. */
export interface Opened {
  /** The document after its scripts ran. */
  readonly dom: string
  /** What the page or the browser complained of in the console. */
  readonly console: readonly string[]
}

const NAME = 'chromium'
/** No page of ours takes this long, unless it hangs. */
const LIFE_MS = 60_000
const OPTIONS = [
  '--headless',
  // There is no user to give the sandbox to in a container.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--enable-logging=stderr',
]

export const hasChromium = spawnSync(NAME, ['--version'], { stdio: 'ignore' }).status === 0

/** Opens a file and hands over what it became. */
export async function openPage(file: string, args: readonly string[] = []): Promise<Opened> {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  try {
    const [dom, log] = await run([`--user-data-dir=${profile}`, ...args, '--dump-dom', url(file)])
    return { dom, console: log.split('\n').filter((line) => /CONSOLE|Uncaught/.test(line)) }
  } finally {
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

function url(file: string): string {
  return `file://${path.resolve(file)}`
}

function run(args: readonly string[]): Promise<[stdout: string, stderr: string]> {
  return new Promise((resolve, reject) => {
    const child = spawn(NAME, [...OPTIONS, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIFE_MS,
      killSignal: 'SIGKILL',
    })
    const texts: [string, string] = ['', '']
    for (const [i, stream] of [child.stdout, child.stderr].entries()) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        texts[i] += text
      })
    }
    child.on('error', reject)
    child.on('close', (status, signal) => {
      if (status === 0) resolve(texts)
      else reject(new Error(`${NAME} ended with ${signal ?? status}: ${texts[1]}`))
    })
  })
}
