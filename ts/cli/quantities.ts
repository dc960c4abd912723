// Numbers as the command line shows them to people.

const UNITS = [
  { name: 'TiB', bytes: 2 ** 40 },
  { name: 'GiB', bytes: 2 ** 30 },
  { name: 'MiB', bytes: 2 ** 20 },
  { name: 'KiB', bytes: 2 ** 10 },
] as const

/** `3.7 MiB`, `12 bytes`. */
export function sizeText(bytes: number): string {
  const unit = UNITS.find((unit) => bytes >= unit.bytes)
  return unit ? `${(bytes / unit.bytes).toFixed(1)} ${unit.name}` : `${bytes} bytes`
}

/** `6,431`. */
export function countText(value: number): string {
  return value.toLocaleString('en-US')
}

/** `85 us`, `12.3 ms`, `4.56 s`, `59.8 min`. */
export function durationText(us: number): string {
  if (us < 1000) return `${Math.round(us)} us`
  if (us < 1e6) return `${(us / 1e3).toFixed(1)} ms`
  if (us < 120e6) return `${(us / 1e6).toFixed(2)} s`
  return us < 7200e6 ? `${(us / 60e6).toFixed(1)} min` : `${(us / 3600e6).toFixed(2)} h`
}

/** `97.3 %`; a dash for a share of nothing. */
export function shareText(part: number, whole: number): string {
  return whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : '-'
}
