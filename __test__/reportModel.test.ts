// What a trace amounts to: steps that keep every peak, phases, and what was live at the peak.

import test from 'ava'
import type { TraceEvent } from '../ts/trace/event.ts'
import { report } from './_internal.ts'
import { randomWords } from './_random.ts'
import { eventOf, eventsOf, RECORDED, recordedText } from './_trace.ts'

const END = { eventCount: 0, shortfalls: [], process: undefined }
const MIB = 2 ** 20

type Profile = ReturnType<InstanceType<typeof report.Profiler>['finish']>

function profileOf(events: readonly TraceEvent[]): Profile {
  const profiler = new report.Profiler()
  for (const event of events) profiler.take(event)
  return profiler.finish('trace', END)
}

/** Births, changes and ends of blocks at random times, some of them long apart. */
function randomEvents(seed: number, count: number): readonly TraceEvent[] {
  const next = randomWords(seed)
  const live: number[] = []
  let [timeUs, births] = [0, 0]
  return Array.from({ length: count }, () => {
    timeUs += next() % 50 === 0 ? next() % 1_000_000 : next() % 30
    const bytes = 1 + (next() % (64 * MIB))
    const at = next() % (live.length + 1)
    const block = live[at]
    if (block === undefined || next() % 3 === 0) {
      births += 1
      live.push(births)
      return eventOf({ timeUs, block: births, bytes })
    }
    if (next() % 2 === 0) return eventOf({ kind: 'resize', timeUs, block, bytes })
    live.splice(at, 1)
    return eventOf({ kind: 'free', timeUs, block })
  })
}

/** What is live from each time on, by the plainest means. */
function liveSteps(
  events: readonly TraceEvent[],
): readonly (readonly [us: number, live: number])[] {
  const blocks = new Map<number, number>()
  let live = 0
  return events.map(({ kind, block, bytes, timeUs }) => {
    live += (kind === 'free' ? 0 : bytes) - (blocks.get(block) ?? 0)
    if (kind === 'free') blocks.delete(block)
    else blocks.set(block, bytes)
    return [timeUs, live] as const
  })
}

for (const seed of [1, 2, 3]) {
  test(`steps hold the least and the most that was live in them, seed ${seed}`, (t) => {
    const events = randomEvents(seed, 20_000)
    const { timeline, peak } = profileOf(events)
    const { min, max } = timeline.range('live')
    const expected = Array.from({ length: timeline.length }, () => ({ min: Infinity, max: -1 }))
    const see = (us: number, live: number): void => {
      const step = expected[Math.floor(us / timeline.stepUs)]
      if (!step) return
      step.min = Math.min(step.min, live)
      step.max = Math.max(step.max, live)
    }
    let before: readonly [us: number, live: number] = [0, 0]
    for (const [us, live] of [...liveSteps(events), [events.at(-1)?.timeUs ?? 0, -1] as const]) {
      // A value holds in every step until the next.
      for (let at = before[0]; at <= us; at += timeline.stepUs) see(at, before[1])
      if (Math.floor(us / timeline.stepUs) > Math.floor(before[0] / timeline.stepUs)) {
        see(us, before[1])
      }
      if (live >= 0) see(us, live)
      before = [us, live]
    }

    t.true(timeline.length > report.STEPS_MAX / 2 && timeline.length <= report.STEPS_MAX)
    t.deepEqual(
      [...min],
      expected.map((step) => step.min),
    )
    t.deepEqual(
      [...max],
      expected.map((step) => step.max),
    )
    t.is(Math.max(...max), peak.bytes)
  })
}

test('a block that lives for a microsecond of an hour is a peak', (t) => {
  const hourUs = 3600e6
  const events = [
    eventOf({ block: 1, bytes: MIB }),
    eventOf({ timeUs: hourUs / 3, block: 2, bytes: 900 * MIB }),
    eventOf({ kind: 'free', timeUs: hourUs / 3 + 1, block: 2 }),
    eventOf({ kind: 'free', timeUs: hourUs, block: 1 }),
  ]

  const { peak, timeline } = profileOf(events)
  const { min, max } = timeline.range('live')
  const step = Math.floor(hourUs / 3 / timeline.stepUs)

  t.like(peak, { bytes: 901 * MIB, blocks: 2, timeUs: hourUs / 3 })
  t.deepEqual([min[step], max[step]], [MIB, 901 * MIB])
  t.deepEqual([min[step + 1], max[step + 1]], [MIB, MIB])
})

test('what was live at the peak is what a list of blocks says, by phase and size', (t) => {
  for (const seed of [4, 5, 6]) {
    const events = randomEvents(seed, 5000).flatMap((event, i) =>
      i % 50 === 0
        ? [
            ...(i > 0 ? [eventOf({ ...event, kind: 'end', phase: `${(i / 50 - 1) % 7}` })] : []),
            eventOf({ ...event, kind: 'begin', phase: `${(i / 50) % 7}` }),
            event,
          ]
        : [event],
    )
    const { peak, phases } = profileOf(events)
    const blocks = new Map<number, { bytes: number; phase: string }>()
    let [phase, most] = ['', 0]
    let atPeak = new Map<string, number>()
    for (const { kind, block, bytes, phase: name } of events) {
      if (kind === 'begin') phase = name
      else if (kind === 'free') blocks.delete(block)
      else if (kind !== 'end')
        blocks.set(block, { bytes, phase: blocks.get(block)?.phase ?? phase })
      const live = [...blocks.values()].reduce((sum, { bytes }) => sum + bytes, 0)
      if (live <= most) continue
      most = live
      atPeak = new Map()
      for (const { bytes, phase } of blocks.values()) {
        const cell = `${phase} ${Math.floor(Math.log2(bytes))}`
        atPeak.set(cell, (atPeak.get(cell) ?? 0) + bytes)
      }
    }

    const cells = peak.cells.map((cell): [string, number] => [
      `${phases[cell.phase]?.name} ${cell.log2Bytes}`,
      cell.bytes,
    ])
    t.is(peak.bytes, most)
    t.deepEqual(cells.sort(), [...atPeak].sort())
  }
})

test('a phase has its times, its time, its peak, and the requests while it began last', (t) => {
  const { phases, timeline } = profileOf([
    eventOf({ block: 1, bytes: MIB }),
    eventOf({ kind: 'begin', timeUs: 10, phase: 'outer' }),
    eventOf({ timeUs: 20, block: 2, bytes: 3 * MIB, isHit: true }),
    eventOf({ kind: 'begin', timeUs: 30, phase: 'inner' }),
    eventOf({ timeUs: 31, block: 3, bytes: 5 * MIB, isHit: false }),
    eventOf({ kind: 'free', timeUs: 32, block: 3 }),
    eventOf({ kind: 'end', timeUs: 40, phase: 'inner' }),
    eventOf({ kind: 'resize', timeUs: 45, block: 2, bytes: 2 * MIB }),
    eventOf({ kind: 'end', timeUs: 50, phase: 'outer' }),
    eventOf({ kind: 'begin', timeUs: 60, phase: 'inner' }),
    eventOf({ timeUs: 70, block: 4, bytes: MIB }),
  ])

  t.is(phases.length, 3)
  t.like(phases[0], { name: undefined, requests: 1, bytes: MIB, peakLiveBytes: MIB * 3 })
  t.like(phases[1], { name: 'outer', times: 1, openUs: 40, requests: 2, bytes: 5 * MIB, hits: 1 })
  t.like(phases[1], { peakLiveBytes: 9 * MIB })
  t.like(phases[2], { name: 'inner', times: 2, openUs: 20, requests: 2, misses: 1 })
  t.is(phases[2]?.peakLiveBytes, 9 * MIB)
  t.deepEqual(timeline.spans(2), [
    { from: 30, to: 41 },
    { from: 60, to: 71 },
  ])
})

test('more names than can be told apart are one phase', (t) => {
  const events = Array.from({ length: 100 }, (_, i) => [
    eventOf({ kind: 'begin', timeUs: i, phase: `name ${i}` }),
    eventOf({ timeUs: i, block: i }),
    eventOf({ kind: 'end', timeUs: i, phase: `name ${i}` }),
  ]).flat()

  const { phases } = profileOf(events)

  t.is(phases.length, 34)
  t.like(phases.at(-1), { name: 'further phases', times: 68, requests: 68 })
})

test('samples tell of the cache, of the process, and of faults between them', (t) => {
  const sample = { liveBytes: 0, highBytes: 0, cachedBytes: 0, residentBytes: 0 }
  const at = (timeUs: number, cached: number, resident: number, faults: number): TraceEvent =>
    eventOf({
      kind: 'sample',
      timeUs,
      sample: {
        ...sample,
        cachedBytes: cached,
        residentBytes: resident,
        minorFaults: faults,
        majorFaults: 1,
      },
    })

  const profile = profileOf([at(0, 1, 10, 500), at(5, 7, 30, 512), at(9, 2, 20, 512)])

  t.like(profile, { peakCachedBytes: 7, peakResidentBytes: 30, faults: 12 })
  t.deepEqual([...profile.timeline.range('resident').max], [10, 10, 10, 10, 10, 30, 30, 30, 30, 30])
  t.deepEqual([...profile.timeline.range('resident').min].slice(4), [10, 10, 30, 30, 30, 20])
})

test('blocks that nobody saw the birth or the end of do no harm', (t) => {
  const { peak } = profileOf([
    eventOf({ kind: 'free', block: 7 }),
    eventOf({ kind: 'resize', timeUs: 1, block: 8, movedTo: 9, bytes: MIB }),
    eventOf({ kind: 'alloc', timeUs: 2, block: 9, bytes: 2 * MIB }),
    eventOf({ kind: 'resize', timeUs: 3, block: 10, movedTo: 9, bytes: 5 * MIB }),
    eventOf({ kind: 'end', timeUs: 4 }),
  ])

  t.like(peak, { bytes: 5 * MIB, blocks: 1 })
})

test('recorded provers have the peaks that the replay finds too', (t) => {
  const peaks = RECORDED.map((name) => {
    const { events } = eventsOf(Buffer.from(recordedText(name)))
    return Math.floor(profileOf(events).peak.bytes / MIB)
  })

  t.deepEqual(peaks, [66, 75, 677, 692, 109, 586])
})

test('rectangles of the treemap fill the box, with areas like their weights', (t) => {
  const next = randomWords(9)
  for (let round = 0; round < 50; round += 1) {
    const count = 1 + (next() % 40)
    const weights = Array.from({ length: count }, () => 1 + (next() % 1000)).sort((a, b) => b - a)
    const box = { x: 10, y: 20, width: 1080, height: 420 }
    const all = weights.reduce((sum, weight) => sum + weight, 0)

    const boxes = report.squarified(weights, box)

    t.is(boxes.length, count)
    for (const [i, { x, y, width, height }] of boxes.entries()) {
      const expected = ((weights[i] ?? 0) / all) * box.width * box.height
      t.true(Math.abs(width * height - expected) < 1e-6 * expected)
      t.true(x >= 10 - 1e-6 && y >= 20 - 1e-6)
      t.true(x + width <= 1090 + 1e-6 && y + height <= 440 + 1e-6)
    }
  }
})
