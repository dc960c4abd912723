// Runs every code block of a page, so that what it shows is what happens.
//
// `ts` runs as a module, `sh` line by line; `console` has commands behind `$ ` and what they print,
// where digits stand for any digits, a line `...` for any lines, and a finding of the doctor for any
// finding of that check. `rust` is compiled and run as a documentation test of crates/testkit. No
// other language can be shown.

import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { assertEnding, runNode } from './_child.ts'
import { root } from './_repository.ts'
import { makeWorkplace, promisesOf, runShell, type Workplace, writeModule } from './_workplace.ts'

interface Block {
  readonly title: string
  readonly language: string
  readonly code: string
}

/** What is different about a page. */
export interface Changes {
  /** Blocks that are left out. */
  readonly except?: RegExp
  /** Adds to the folder what the page takes for granted. */
  readonly prepare?: (folder: string) => void
}

/** Declares one test for each block of `page`, a path in the repository. */
export function testBlocks(page: string, { except, prepare }: Changes = {}): void {
  let place: Workplace
  test.before(async () => {
    place = await makeWorkplace()
    prepare?.(place.folder)
  })
  test.after.always(() => place.remove())

  const blocks = blocksOf(page).filter(({ code }) => except === undefined || !except.test(code))
  for (const block of blocks) {
    test.serial(`${block.title} (${block.language}) does what it shows`, async (t) => {
      const { folder } = place
      if (block.language === 'ts') await runModule(t, block, folder)
      else if (block.language === 'sh') await runLines(t, block, folder)
      else if (block.language === 'console') await runSession(t, block, folder)
      else assertDocumentationTest(t, block, page)
    })
  }
}

/** The fenced blocks of a page, in its order. */
export function blocksOf(page: string): Block[] {
  const text = fs.readFileSync(path.join(root, page), 'utf8')
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, language = '', code = ''] = match
    const line = text.slice(0, match.index).split('\n').length
    return { title: `${page} line ${line}`, language, code }
  })
}

async function runModule(t: ExecutionContext, block: Block, folder: string): Promise<void> {
  const ending = await runNode([writeModule(folder, block.title, block.code)], folder)

  assertEnding(t, ending, 0)
  for (const value of promisesOf(block.code)) t.true(ending.stdout.includes(value), ending.stdout)
}

async function runLines(t: ExecutionContext, { code }: Block, folder: string): Promise<void> {
  for (const line of code.split('\n')) {
    const command = line.replace(/#.*/, '').trim()
    if (command !== '') await run(t, command, folder)
  }
}

async function runSession(t: ExecutionContext, { code }: Block, folder: string): Promise<void> {
  for (const part of code.split(/^\$ /m).filter((text) => text.trim() !== '')) {
    const [command = '', ...shown] = part.trimEnd().split('\n')
    const { output } = await run(t, command, folder)
    const pattern = shown
      .map((line) => (line === '...' ? '[\\s\\S]*' : `${literal(masked(line))}\n`))
      .join('')
    t.regex(masked(output), new RegExp(`^${pattern}$`), `${command}\n${output}`)
  }
}

function assertDocumentationTest(t: ExecutionContext, { language }: Block, page: string): void {
  t.is(language, 'rust', 'no way to run this language is known')
  const testkit = fs.readFileSync(path.join(root, 'crates/testkit/src/lib.rs'), 'utf8')
  t.true(testkit.includes(`include_str!("../../../${page}")`), 'cargo does not test this page')
}

/** Runs a command as a reader would: `npm` where package.json is, everything else in the folder. */
async function run(
  t: ExecutionContext,
  command: string,
  folder: string,
): Promise<{ readonly output: string }> {
  if (command === 'npm test') {
    t.is(process.env['npm_lifecycle_event'] ?? 'test', 'test', 'what runs this is npm test itself')
    return { output: '' }
  }
  if (command === 'npm install nalloc') {
    t.true(fs.existsSync(path.join(folder, 'node_modules/nalloc')), 'the workplace has it')
    return { output: '' }
  }
  const isOfRepository = /^(npm|cargo) /.test(command)
  const { status, output } = await runShell(
    isOfRepository ? `cd '${root}'; ${command}` : command,
    folder,
  )
  t.is(status, 0, `${command}\n${output}`)
  return { output }
}

/** What of an output must not differ from machine to machine. */
function masked(text: string): string {
  // npm tells what it thinks of its user's settings.
  const lines = text
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('npm '))
  if (lines.join('').trim() === '') return ''
  const plain = lines.map((line) => {
    const [, check] = /^ +(?:ok|warn|fail) +(\S.*?) {2}/.exec(line) ?? []
    if (check !== undefined) return check
    return line
      .replace(/\d[\d,.]*/g, '0')
      .replace(/\s+/g, ' ')
      .trim()
  })
  return `${plain.join('\n')}\n`
}

function literal(line: string): string {
  return line.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
