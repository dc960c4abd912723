// The page of `nalloc report`: that it needs nothing else, that names stay text, and that a browser
// draws it.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import pc from 'picocolors'
import type { TraceEvent } from '../ts/trace/event.ts'
import { hasChromium, openPage } from './_chromium.ts'
import { report } from './_internal.ts'
import { temporaryFolder } from './_temporary.ts'
import { testIf } from './_testIf.ts'
import { eventOf, eventsOf, RECORDED, recordedText } from './_trace.ts'

const HOSTILE = `</script><img src=x onerror="document.title='taken'">'&\u202e\u0007`
/** Every chart and its table, for a trace that says everything. */
const CHARTS = ['timeline', 'hit-rate', 'page-faults']
const TABLES = 6

type Profile = ReturnType<InstanceType<typeof report.Profiler>['finish']>

/** Three phases, hits and misses, and samples. */
function events(name: string): readonly TraceEvent[] {
  const all: TraceEvent[] = []
  let faults = 100
  for (let i = 0; i < 300; i += 1) {
    const timeUs = i * 5000
    if (i % 100 === 0) all.push(eventOf({ kind: 'begin', timeUs, phase: `${name} ${i / 100}` }))
    if (i % 3 === 2) all.push(eventOf({ kind: 'free', timeUs, block: i - 1 }))
    else all.push(eventOf({ timeUs, block: i, bytes: 65_536 * (1 + (i % 40)), isHit: i > 20 }))
    faults += i % 7
    const sample = {
      liveBytes: 0,
      highBytes: 0,
      cachedBytes: i * 4096,
      residentBytes: 2 ** 28 + i * 8192,
      minorFaults: faults,
      majorFaults: 0,
    }
    all.push(eventOf({ kind: 'sample', timeUs, sample }))
    if (i % 100 === 99) {
      all.push(eventOf({ kind: 'end', timeUs, phase: `${name} ${Math.floor(i / 100)}` }))
    }
  }
  return all
}

function profileOf(name: string, list: readonly TraceEvent[]): Profile {
  const profiler = new report.Profiler()
  for (const event of list) profiler.take(event)
  const end = { eventCount: list.length, shortfalls: [`${name} is short.`], process: undefined }
  return profiler.finish(name, end)
}

function written(t: ExecutionContext, page: string): string {
  const file = path.join(temporaryFolder(t), 'report.html')
  fs.writeFileSync(file, page)
  return file
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length
}

test('the policy of a page allows its own script and style, and nothing else', (t) => {
  const page = report.pageOf([profileOf('trace', events('phase'))])
  const digest = (text = ''): string =>
    `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const [, style] = /<style>(.*?)<\/style>/s.exec(page) ?? []
  const [, script] = /<script>(.*?)<\/script>/s.exec(page) ?? []

  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? []

  t.deepEqual(policy?.split('; '), [
    "default-src 'none'",
    `script-src ${digest(script)}`,
    `style-src ${digest(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ])
})

test('a page names nothing that would be loaded', (t) => {
  const page = report.pageOf([profileOf('trace', events('phase'))])
  const markup = page.replace(/<script>.*?<\/script>/s, '')

  t.notRegex(
    markup,
    /\b(src|href|srcset|action|data|poster)=|url\(|@import|<(link|img|iframe|object)/,
  )
  t.notRegex(markup, /\sstyle=|\son\w+=/)
  t.regex(page, /MIT License.*Leon Sorokin/s)
})

test('names of phases and of traces are text wherever they stand', (t) => {
  const page = report.pageOf([
    profileOf(HOSTILE, events(HOSTILE)),
    profileOf(`other ${HOSTILE}`, events(HOSTILE)),
  ])

  for (const forbidden of ['<img', '\u202e', '\u0007']) t.false(page.includes(forbidden))
  t.is(count(page, /<\/script>/g), 2)
  t.regex(page, /&lt;\/script&gt;&lt;img src=x onerror=&quot;/)
})

test('names cannot steer a terminal', (t) => {
  const colors = pc.createColors(false)
  const name = 'red \x1b[31m\x9b2J\r\n up\u2066'

  const text = report.reportText([profileOf(name, events(name))], { columns: 120, colors })

  t.regex(text, /red \ufffd\[31m/)
  for (const forbidden of ['\x1b', '\x9b', '\r', '\u2066']) t.false(text.includes(forbidden))
  t.false(/^ ?up/m.test(text))
})

test('every chart has words for those who do not see it, and a table', (t) => {
  const page = report.pageOf([profileOf('trace', events('phase'))])

  for (const id of CHARTS) {
    t.regex(page, new RegExp(`id="${id}" role="img" aria-label="[^"]{30,}"`))
  }
  t.is(count(page, /<svg viewBox[^>]* role="img" aria-label="[^"]{30,}"/g), 2)
  t.is(count(page, /<table>/g), TABLES)
  t.regex(
    page,
    /aria-label="Memory of trace over 1\.50 s\. Most was live with [^"]+ phase 0, phase 1/,
  )
})

test('what is missing from a trace, and what was refused, stands above everything', (t) => {
  const refused = eventOf({ kind: 'refused', timeUs: 2e6 })

  const page = report.pageOf([profileOf('trace', [...events('phase'), refused, refused])])

  const [head = ''] = page.split('<main>')
  t.regex(head, /class="note">trace: trace is short\.</)
  t.regex(
    head,
    /class="note">trace: 2 requests got no memory: a limit was met, or none was left\.</,
  )
})

test('a trace without samples has no chart of what it does not say', (t) => {
  const { events: recorded } = eventsOf(Buffer.from(recordedText('winter')))

  const page = report.pageOf([profileOf('winter', recorded)])

  t.notRegex(page, /id="(hit-rate|page-faults)"/)
  t.regex(page, /does not say what was cached/)
})

test('two traces of different lengths are drawn on one scale of time', (t) => {
  const long = [
    eventOf({ kind: 'begin', timeUs: 0, phase: 'all' }),
    eventOf({ timeUs: 3600e6, block: 1 }),
  ]
  const short = [
    eventOf({ timeUs: 0, block: 1 }),
    eventOf({ kind: 'begin', timeUs: 20e6, phase: 'some' }),
    eventOf({ kind: 'end', timeUs: 40e6, phase: 'some' }),
    eventOf({ timeUs: 60e6, block: 2 }),
  ]

  const page = report.pageOf([profileOf('short', short), profileOf('long', long)])

  const [, json = ''] = /id="data">(.*?)<\/script>/s.exec(page) ?? []
  const { stepUs, steps, traces } = JSON.parse(json)
  t.is(steps, Math.floor(3600e6 / stepUs) + 1)
  t.is(traces[0].live.max.length, Math.floor(60e6 / stepUs) + 1)
  const [from, to] = [20e6, 40e6].map((us) => Math.floor(us / stepUs)) as [number, number]
  t.deepEqual(traces[0].phases[0].spans, [[from, to + 1]])
  t.true(page.includes(`Each step of ${(stepUs / 1e6).toFixed(2)} s`))
})

const drawn = testIf(hasChromium, 'chromium is not installed: apt-get install chromium')

drawn('Chromium draws every chart from file:// without a word in its console', async (t) => {
  const page = report.pageOf([profileOf('one', events('a')), profileOf('two', events(HOSTILE))])

  const { dom, console } = await openPage(written(t, page))

  t.deepEqual(console, [])
  t.notRegex(dom, /<title>taken/)
  for (const id of CHARTS) {
    const [, inside = ''] = new RegExp(`id="${id}"(.*?)</section>`, 's').exec(dom) ?? []
    t.is(count(inside, /<canvas/g), 1, id)
  }
  t.is(count(dom, /<table>/g), TABLES + 4)
})

drawn('Chromium draws what real provers did, in the dark too', async (t) => {
  for (const name of RECORDED.slice(0, 2)) {
    const { events: recorded } = eventsOf(Buffer.from(recordedText(name)))
    const file = written(t, report.pageOf([profileOf(name, recorded)]))

    const { dom, console } = await openPage(file, ['--force-dark-mode'])

    t.deepEqual(console, [])
    t.is(count(dom, /<canvas/g), 1, name)
  }
})

drawn('a control: Chromium says when a page would do what its policy forbids', async (t) => {
  const page = report.pageOf([profileOf('one', events('a'))])
  const file = written(t, page.replace('</body>', '<script>document.title = 1</script></body>'))

  const { console } = await openPage(file)

  t.regex(console.join('\n'), /Content Security Policy/)
})
