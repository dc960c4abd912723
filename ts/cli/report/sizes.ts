// Size classes: powers of two, and what people call them.

import { sizeText } from '../quantities.ts'
import type { Profile } from './profile.ts'

/** Every class from the smallest to the largest of some profiles. */
export function sizeClasses(profiles: readonly Profile[]): number[] {
  const known = profiles.flatMap(({ sizes }) => sizes.map(({ log2Bytes }) => log2Bytes))
  if (known.length === 0) return []
  const [first, last] = [Math.min(...known), Math.max(...known)]
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** `64 to 128 KiB`. */
export function classText(log2Bytes: number): string {
  const [from, unit] = sizeText(2 ** log2Bytes).split(' ') as [string, string]
  const [to, upper] = sizeText(2 ** (log2Bytes + 1)).split(' ') as [string, string]
  const number = (text: string): string => text.replace(/\.0$/, '')
  return `${number(from)}${unit === upper ? '' : ` ${unit}`} to ${number(to)} ${upper}`
}
