// A folder like that of a user who follows the documentation: the files that it names, and nalloc
// installed.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { groth16 } from 'nalloc'
import ts from 'typescript'
import { calculator } from './_internal.ts'
import { fixtures, root, semaphore } from './_repository.ts'
import { example, recordedFile } from './_trace.ts'
import { WtnsSink } from './_wtns.ts'

const SMALL = semaphore(1)

export interface Workplace {
  readonly folder: string
  readonly remove: () => void
}

export async function makeWorkplace(): Promise<Workplace> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
  const inFolder = (name: string) => path.join(folder, name)
  fs.mkdirSync(inFolder('node_modules/.bin'), { recursive: true })
  fs.symlinkSync(root, inFolder('node_modules/nalloc'))
  fs.mkdirSync(inFolder('node_modules/@opentelemetry'))
  for (const name of ['prom-client', '@opentelemetry/api']) {
    fs.symlinkSync(path.join(root, 'node_modules', name), inFolder(`node_modules/${name}`))
  }
  fs.symlinkSync(path.join(root, 'benches'), inFolder('benches'))
  // As npm would write it; tsc's output is not executable.
  const program = `#!/bin/sh\nexec '${process.execPath}' '${root}/dist/cli/main.js' "$@"\n`
  fs.writeFileSync(inFolder('node_modules/.bin/nalloc'), program, { mode: 0o755 })
  // Stands for a prover of somebody's: it has a large block.
  fs.writeFileSync(inFolder('prove.js'), 'Buffer.alloc(8 << 20, 1)\n')
  const prover = `#!/bin/sh\nexec '${process.execPath}' prove.js\n`
  fs.writeFileSync(inFolder('prover'), prover, { mode: 0o755 })
  fs.copyFileSync(SMALL.zkey, inFolder('circuit.zkey'))
  for (const name of ['trace', 'before']) fs.copyFileSync(example, inFolder(`${name}.nltrace`))
  fs.copyFileSync(recordedFile('winter'), inFolder('recorded.csv.gz'))
  fs.copyFileSync(SMALL.wasm, inFolder('circuit.wasm'))
  fs.copyFileSync(path.join(fixtures, 'bits.r1cs'), inFolder('circuit.r1cs'))
  fs.copyFileSync(path.join(fixtures, 'ceremony.ptau'), inFolder('powersOfTau.ptau'))
  for (const name of ['g1.dat', 'tau_g2.dat']) {
    fs.copyFileSync(path.join(fixtures, name), inFolder(name))
  }
  fs.copyFileSync(SMALL.vk, inFolder('verification_key.json'))
  fs.writeFileSync(inFolder('input.json'), JSON.stringify(SMALL.input))
  const module = await calculator.compileCalculator('circuit', fs.readFileSync(SMALL.wasm))
  const sink = await calculator.calculate(module, SMALL.input, (length) => new WtnsSink(length))
  fs.writeFileSync(inFolder('witness.wtns'), sink.file)
  const { proof, publicSignals } = await groth16.prove(SMALL.zkey, sink.file)
  fs.writeFileSync(inFolder('proof.json'), JSON.stringify(proof))
  fs.writeFileSync(inFolder('public.json'), JSON.stringify(publicSignals))
  return { folder, remove: () => fs.rmSync(folder, { recursive: true, force: true }) }
}

/**
 * Runs a line of shell with `nalloc` and `npx nalloc` at hand; both streams, as they came. Whoever
 * asks for a text, such as a ceremony for entropy, gets a line.
 */
export async function runShell(
  line: string,
  folder: string,
): Promise<{ readonly status: number | null; readonly output: string }> {
  const child = spawn('bash', ['-c', `exec 2>&1; ${line}`], {
    cwd: folder,
    env: { ...process.env, PATH: `${folder}/node_modules/.bin:${process.env['PATH']}` },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  // Most programs end without having read it.
  child.stdin.on('error', () => {}).end('a line that nobody else knows\n')
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, output }
}

/** Writes a TypeScript example as a module that Node runs; the path of the file. */
export function writeModule(folder: string, title: string, code: string): string {
  const { outputText, diagnostics = [] } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    reportDiagnostics: true,
  })
  if (diagnostics.length > 0) {
    const texts = diagnostics.map(({ messageText }) => JSON.stringify(messageText))
    throw new Error(`${title}: ${texts.join(', ')}`)
  }
  const file = path.join(folder, `${title.replaceAll(/\W/g, '_')}.mjs`)
  fs.writeFileSync(file, outputText)
  return file
}

/** What an example promises to print: the comments behind `console.log`. */
export function promisesOf(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, value = '']) => value)
}
