// Traces as CSV: what is read, what is refused, and that the way to a trace and back is safe.

import test from 'ava'
import { NallocError } from 'nalloc'
import type { TraceEvent } from '../ts/trace/event.ts'
import { trace } from './_internal.ts'
import { eventOf, eventsOf, RECORDED, recordedText, traceOf } from './_trace.ts'

function csvOf(events: readonly TraceEvent[], keepsIds: boolean): string {
  const writer = new trace.CsvWriter({ keepsIds })
  return writer.header + events.map((event) => writer.linesOf(event)).join('')
}

function refusalOf(text: string): NallocError | undefined {
  try {
    eventsOf(Buffer.from(text))
    return undefined
  } catch (error) {
    if (error instanceof NallocError) return error
    throw error
  }
}

for (const name of RECORDED) {
  test(`${name}: CSV to a trace and back gives the same lines`, (t) => {
    const text = recordedText(name)

    const { events } = eventsOf(Buffer.from(text), 4099)
    const { events: read, end } = eventsOf(traceOf(events))

    t.is(csvOf(read, true), text)
    t.deepEqual(end.shortfalls, [])
  })
}

test('a trace of a process becomes lines with a number for each birth', (t) => {
  const events = [
    eventOf({ kind: 'begin', phase: 'load' }),
    eventOf({ timeUs: 1, block: 9, bytes: 70_000 }),
    eventOf({ kind: 'begin', timeUs: 2 }),
    eventOf({ kind: 'resize', timeUs: 3, block: 9, movedTo: -40, bytes: 90_000 }),
    eventOf({ kind: 'zeroed', timeUs: 4, block: 9, bytes: 65_536 }),
    eventOf({ kind: 'refused', timeUs: 4 }),
    // Nobody saw the end of what was there.
    eventOf({ timeUs: 5, block: 9, bytes: 80_000, log2Align: 6 }),
    eventOf({ kind: 'free', timeUs: 6, block: 1234 }),
    eventOf({ kind: 'resize', timeUs: 7, block: 777, movedTo: 777, bytes: 66_000 }),
    eventOf({ kind: 'free', timeUs: 8, thread: 1, block: -40 }),
    eventOf({ kind: 'end', timeUs: 9 }),
  ]

  t.deepEqual(csvOf(events, false).trimEnd().split('\n'), [
    '# t_us,tid,op,id,size,log2align',
    '1,0,a,0,70000,4',
    '2,0,m,0,0,0',
    '3,0,r,0,90000,4',
    '4,0,z,1,65536,4',
    '5,0,f,1,65536,4',
    '5,0,a,2,80000,6',
    '7,0,a,3,66000,4',
    '8,1,f,0,90000,4',
    '9,0,m,1,0,0',
  ])
})

test('a line that cannot be is named with its number and its byte', (t) => {
  const start = '# a comment\n0,0,a,0,70000,3\n'
  const rows: [line: string, message: RegExp][] = [
    ['1,0,x,0,1,3', /line 3, byte 28: expected an operation a, z, g, r, f or m, got "x"/],
    ['1,0,a,1', /expected a size of at least 1 byte, got 0/],
    ['1,0,a', /expected t_us,tid,op,id,size,log2align, got "1,0,a"/],
    ['1,0,a,1,2,3,4', /expected t_us,tid,op,id,size,log2align/],
    ['1,0,a,0,70000,3', /expected a block that can have a, got block 0, which lives already/],
    ['1,0,f,1,0,0', /expected a block that can have f, got block 1, which does not live/],
    ['1,0,r,1,9,0', /block 1, which does not live/],
    ['1,0,m,1,0,0', /expected a mark that fits those before, got 1, of a span that has not begun/],
    ['-1,0,a,1,9,0', /expected a time in microseconds, got "-1"/],
    ['1.5,0,a,1,9,0', /expected a time in microseconds, got "1.5"/],
    ['1,0,a,1,9,64', /expected a power of two, got "64"/],
    ['1,0,a,99999999999999999,9,3', /expected the number of a block, got "99999999999999999"/],
    [`1,0,${'a'.repeat(60)},1,9,3`, /got "a{40}\.\.\."/],
    ['x'.repeat(5000), /expected a line of at most 4096 bytes/],
  ]
  for (const [line, message] of rows) {
    const refusal = refusalOf(`${start}${line}\n`)

    t.is(refusal?.code, 'ERR_BAD_HEADER', line)
    t.regex(refusal?.message ?? '', message)
  }
  t.regex(refusalOf('5,0,m,0\n4,0,m,1\n')?.message ?? '', /a time of 5 us or later, got 4/)
})

test('a text that was cut off is used to its last whole line, and says so', (t) => {
  const text = '0,0,a,0,70000,3\r\n1,0,f,0,700'

  const { events, end } = eventsOf(Buffer.from(text), 3)

  t.is(events.length, 1)
  t.deepEqual(end.shortfalls, ['It was cut off in line 2, byte 17.'])
})
