// Numbers as the command line shows them to people.

const UNITS = [
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
