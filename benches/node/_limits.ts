// Figures that must not be above a bound, beside `Target`s, which must not be below one.

import { table } from './_bench.ts'

/** A figure and the most that it may be. */
export interface Limit {
  readonly name: string
  /** Empty for a count. */
  readonly unit: 'ms' | 'MiB' | 'x' | ''
  readonly most: number
  readonly measured: number
  /** The least that it may be. @defaultValue none */
  readonly least?: number
}

/** Whether a figure is within its bounds; what is no number is not. */
export function isWithin({ measured, most, least = Number.NEGATIVE_INFINITY }: Limit): boolean {
  return measured <= most && measured >= least
}

/** A line for each limit, with pass or FAIL. */
export function reportLimits(limits: readonly Limit[]): string {
  const rows = limits.map((limit) => {
    const { name, unit, most, measured, least } = limit
    const digits = unit === '' ? 0 : unit === 'ms' ? 1 : 2
    const show = (figure: number): string => `${figure.toFixed(digits)} ${unit}`.trimEnd()
    const bounds = least === undefined ? show(most) : `${least.toFixed(digits)} to ${show(most)}`
    return [name, bounds, show(measured), isWithin(limit) ? 'pass' : 'FAIL']
  })
  return table([['limit', 'at most', 'measured', ''], ...rows])
}
