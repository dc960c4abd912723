// Reads stdin as a command does. Prints how often a value stands in its memory while the command
// has it, and afterwards; the value comes as a pattern.

import { inputs, memorySearch } from '../_internal.ts'

async function main(pattern: string): Promise<void> {
  const search = () => memorySearch.searchOwnMemory([JSON.parse(pattern)]).found
  const { signal } = new AbortController()
  const found = await inputs.withInputs(['-'], signal, async (input) => [input?.length, search()])
  process.stdout.write(JSON.stringify([...found, search()]))
}

main(process.argv[2] ?? '')
