// Proves in every form in a folder that is watched, and says what it wrote and has open.

import fs from 'node:fs'
import path from 'node:path'
import { Circuit, groth16, ProvingKey, SecretBuf, stats } from 'nalloc'
import { artifacts } from '../_repository.ts'

/** Bytes that this process gave to write calls, and those that went to a disk. */
function written(): { calls: number; disk: number } {
  const io = fs.readFileSync('/proc/self/io', 'utf8')
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(io)?.[1])
  return { calls: field('wchar'), disk: field('write_bytes') }
}

/** Regular files that are open, and may be written to. */
function writableFiles(): string[] {
  return fs.readdirSync('/proc/self/fd').flatMap((number) => {
    try {
      const file = fs.readlinkSync(`/proc/self/fd/${number}`)
      const info = fs.readFileSync(`/proc/self/fdinfo/${number}`, 'utf8')
      const flags = Number.parseInt(/^flags:\s+(\d+)$/m.exec(info)?.[1] ?? '0', 8)
      const isWritable = (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0
      return isWritable && file.startsWith('/') && fs.statSync(file).isFile() ? [file] : []
    } catch {
      return [] // It has been closed since the folder was read.
    }
  })
}

async function main([wtns = '', input = '']: readonly string[]): Promise<void> {
  const stem = path.join(artifacts, 'semaphore-5')
  const inputs = JSON.parse(fs.readFileSync(input, 'utf8'))
  const before = written()
  const files = new Set<string>()
  const onProgress = (): void => {
    for (const file of writableFiles()) files.add(file)
  }

  const key = await ProvingKey.open(`${stem}.zkey`, { onProgress })
  const circuit = await Circuit.open(`${stem}.wasm`)
  const secret = await SecretBuf.fromFile(wtns)
  for (const witness of [wtns, fs.readFileSync(wtns), secret]) {
    await key.prove(witness, { onProgress })
  }
  await key.fullProve(inputs, circuit, { onProgress })
  await groth16.fullProve(inputs, `${stem}.wasm`, `${stem}.zkey`, { onProgress })
  const stop = (): never => {
    throw new Error('stop')
  }
  await key.prove(wtns, { onProgress: stop }).catch(() => {})
  await key.fullProve({ ...inputs, secret: '-1' }, circuit).catch(() => {})

  const after = written()
  const { secretBytes } = stats()
  const { calls, disk } = { calls: after.calls - before.calls, disk: after.disk - before.disk }
  process.stdout.write(JSON.stringify({ calls, disk, files: [...files], secretBytes }))
}

main(process.argv.slice(2))
