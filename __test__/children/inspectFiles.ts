// Inspects files and prints the process's peak memory in bytes: before, and after each.

import { inspection } from '../_internal.ts'

const peakBytes = () => process.resourceUsage().maxRSS * 1024

async function main(): Promise<void> {
  const peaks = [peakBytes()]
  for (const file of process.argv.slice(2)) {
    await inspection.inspectFile(file, file).catch(() => undefined)
    peaks.push(peakBytes())
  }
  process.stdout.write(peaks.join(' '))
}

main()
