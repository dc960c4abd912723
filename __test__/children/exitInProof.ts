// Ends the process in the middle of a proof: at once, or at the given progress report.

import { Circuit, ProvingKey } from 'nalloc'
import { semaphore } from '../_repository.ts'

const EXIT_CODE = 7

async function main(lastReport: number): Promise<void> {
  const { zkey, wasm, input } = semaphore(32)
  const key = await ProvingKey.open(zkey)
  const witness = await (await Circuit.open(wasm)).witness(input)
  let reports = 0
  const proving = key.prove(witness, {
    onProgress: () => {
      reports += 1
      if (reports === lastReport) process.exit(EXIT_CODE)
    },
  })
  if (lastReport === 0) process.exit(EXIT_CODE)
  await proving
  throw new Error(`the proof ended after ${reports} reports, expected ${lastReport}`)
}

main(Number(process.argv[2]))
