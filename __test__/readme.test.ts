import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { testBlocks } from './_markdown.ts'
import { root } from './_repository.ts'

const LINES_MAX = 250
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']

testBlocks('README.md')

test('the readme is short', (t) => {
  const lines = read('README.md').split('\n').length
  t.true(lines <= LINES_MAX, `${lines} lines`)
})

test('every link of the documentation leads somewhere', (t) => {
  const docs = fs.readdirSync(path.join(root, 'docs')).filter((file) => file.endsWith('.md'))
  for (const page of [...PAGES, ...docs.map((file) => `docs/${file}`)]) {
    for (const [, target = '', anchor] of read(page).matchAll(/\]\(([^)#\s]*)(?:#([^)]*))?\)/g)) {
      if (/^https?:/.test(target)) continue
      const file = target === '' ? page : path.join(path.dirname(page), target)
      t.true(fs.existsSync(path.join(root, file)), `${page}: ${target}`)
      if (anchor !== undefined) t.true(anchorsOf(file).includes(anchor), `${page}: #${anchor}`)
    }
  }
})

function read(page: string): string {
  return fs.readFileSync(path.join(root, page), 'utf8')
}

/** The anchors of a page's headings. */
function anchorsOf(page: string): string[] {
  const headings = read(page).matchAll(/^#+ (.*)$/gm)
  return [...headings].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
