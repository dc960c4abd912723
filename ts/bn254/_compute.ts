// One call that computes: its options, checked, and its native task.

import { Call } from '../_call.ts'
import { checkOptions, checkSize } from '../_check.ts'
import type { NativeTask } from '../native.ts'
import type { ComputeOptions } from './options.ts'

/** Runs a native task with the options of its caller. @internal */
export async function compute<T>(
  options: ComputeOptions | undefined,
  start: (memoryLimitBytes: number | undefined, task: NativeTask) => Promise<T>,
): Promise<T> {
  const checked = checkOptions(options)
  const memoryLimitBytes = checkSize('memoryLimit', checked.memoryLimit)
  return new Call(checked).run((task) => start(memoryLimitBytes, task))
}
