// biome-ignore-all lint/correctness/noUnusedVariables: the other parts of the script use them.
// Numbers as the charts show them: the first part of the page's script.

const UNITS: readonly (readonly [bytes: number, name: string])[] = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
]
const TIME_UNITS: readonly (readonly [untilUs: number, us: number, name: string])[] = [
  [2e3, 1, 'microseconds'],
  [2e6, 1e3, 'milliseconds'],
  [180e6, 1e6, 'seconds'],
  [10_800e6, 60e6, 'minutes'],
  [Number.POSITIVE_INFINITY, 3600e6, 'hours'],
]

function bytesText(bytes: number, digits: number): string {
  const [unit, name] = UNITS.find(([unit]) => bytes >= unit) ?? [1, 'bytes']
  return `${(bytes / unit).toFixed(digits).replace(/\.0+$/, '')} ${name}`
}

function bytesBetween(least: number | null | undefined, most: number | null | undefined): string {
  if (typeof least !== 'number' || typeof most !== 'number') return '–'
  const text = bytesText(most, 1)
  return least === most ? text : `${bytesText(least, 1)} to ${text}`
}

function timeUnit(durationUs: number): [us: number, name: string] {
  const [, us, name] = TIME_UNITS.find(([untilUs]) => durationUs < untilUs) ?? [0, 1e6, 'seconds']
  return [us, name]
}

function durationText(us: number): string {
  if (us < 1e3) return `${us.toFixed(0)} us`
  if (us < 1e6) return `${(us / 1e3).toFixed(1)} ms`
  if (us < 120e6) return `${(us / 1e6).toFixed(2)} s`
  return us < 7200e6 ? `${(us / 60e6).toFixed(1)} min` : `${(us / 3600e6).toFixed(2)} h`
}

function percentText(percent: number | null): string {
  return percent === null ? '–' : `${percent.toFixed(1)} %`
}
