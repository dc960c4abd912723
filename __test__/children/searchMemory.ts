// Looks for values in its own memory, in a process that nothing else has put them into. Prints what
// it found, as JSON.

import { doctor, memorySearch } from '../_internal.ts'

/** 32 bytes that occur nowhere until they are decoded. */
const BASE64 = 'q7Hn0p9VbG4tYmFkLWNvZmZlZS1hbmQtYS13aXRuZXM='
const MIB = 2 ** 20
const ROUNDS = 16

const tasks: Readonly<Record<string, () => unknown>> = {
  selfTest: () => doctor.runSelfTest(),
  selfTestBesideCopy: async () => {
    const kept = Buffer.allocUnsafeSlow(Buffer.byteLength(doctor.WITNESS_BASE64, 'base64'))
    kept.write(doctor.WITNESS_BASE64, 'base64')
    const found = await doctor.runSelfTest()
    kept.fill(0)
    return found
  },
  /** How often a value is found before it is there, and at many places one after the other. */
  everywhere: () => {
    const start = Buffer.from(BASE64.slice(0, 8), 'base64').readUInt32LE()
    const area = Buffer.allocUnsafeSlow(5 * MIB).fill(0)
    const search = () => memorySearch.searchOwnMemory([{ start, base64: BASE64 }]).found
    const before = search()
    const counts = new Set<number>()
    for (let round = 0; round < ROUNDS; round += 1) {
      const at = MIB * (1 + (round % 4)) - 32 + round
      area.write(BASE64, at, 'base64')
      counts.add(search())
      area.fill(0)
    }
    return { before, counts: [...counts], after: search() }
  },
}

async function main(): Promise<void> {
  const found = await tasks[process.argv[2] ?? '']?.()
  process.stdout.write(JSON.stringify(found))
}

main()
