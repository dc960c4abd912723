// The express example as its users have it, a server in a process of its own; and the pipeline of
// commands.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type Groth16Proof, groth16 } from 'nalloc'
import { root, semaphore } from './_repository.ts'
import { makeWorkplace, runShell } from './_workplace.ts'

const DEPTH = 20
/** Everything that must happen by itself. */
const WAIT_MS = 10_000
/** Requests at once; one is at work, and one waits. */
const CROWD = 12
/** Requests beside that of the client that leaves. */
const WAITING = 6
const ATTEMPTS_MAX = 20
const STOPPED = 'the client left: proof stopped'
const OUTCOME = new RegExp(`answered 200|${STOPPED}`)
const HEADERS = { 'content-type': 'application/json', connection: 'close' }

interface Server {
  readonly url: string
  readonly child: ChildProcess
  /** Resolves with all output once it contains `text` so many times. */
  readonly said: (text: string | RegExp, times?: number) => Promise<string>
}

async function start(t: ExecutionContext, variables = {}): Promise<Server> {
  const { wasm, zkey } = semaphore(DEPTH)
  const program = path.join(root, 'build/examples/express.js')
  const child = spawn(process.execPath, [program, wasm, zkey], {
    env: { ...process.env, PORT: '0', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const said = async (text: string | RegExp, times = 1): Promise<string> => {
    for (const endMs = performance.now() + WAIT_MS; performance.now() < endMs; await sleep(5)) {
      if (output.split(text).length > times) return output
    }
    throw new Error(`expected ${text}, got: ${output}`)
  }
  const [, url = ''] = /listening on (\S+)/.exec(await said('listening on http')) ?? []
  return { url: `${url}/prove`, child, said }
}

function post(url: string, body: string): Promise<Response> {
  return fetch(url, { method: 'POST', headers: HEADERS, body })
}

/** Sends a whole request, and ends the connection at once. */
async function leave(url: string, body: string): Promise<void> {
  const request = http.request(url, { method: 'POST', headers: HEADERS })
  request.on('error', () => undefined)
  request.end(body)
  await once(request, 'finish')
  request.destroy()
}

test('the endpoint proves, and ends by itself when it is told to', async (t) => {
  const { url, child } = await start(t)
  const { input, vk } = semaphore(DEPTH)

  const response = await post(url, JSON.stringify(input))

  t.is(response.status, 200)
  const answer = (await response.json()) as { proof: Groth16Proof; publicSignals: string[] }
  t.true(await groth16.verify(vk, answer.publicSignals, answer.proof))
  const closed = once(child, 'close', { signal: AbortSignal.timeout(WAIT_MS) })
  child.kill('SIGTERM')
  t.deepEqual(await closed, [0, null])
})

test('wrong inputs are named, and neither answered nor logged by value', async (t) => {
  const { url, said } = await start(t)
  const { input } = semaphore(DEPTH)
  const secret = '9182736455463728190'
  const rows: [status: number, body: string, message: RegExp][] = [
    [400, JSON.stringify({ ...input, passphrase: secret }), /"passphrase"/],
    [400, JSON.stringify({ ...input, secret: [1, secret] }), /"secret"/],
    [400, `{"secret": ${secret}x}`, /expected inputs as JSON/],
    [400, '[]', /./],
  ]

  for (const [status, body, message] of rows) {
    const response = await post(url, body)
    const text = await response.text()

    t.is(response.status, status, text)
    t.regex((JSON.parse(text) as { message: string }).message, message)
    t.false(text.includes(secret.slice(0, 6)), text)
  }
  t.false((await said('answered 400')).includes(secret.slice(0, 6)))
})

test('when a client leaves, its proof stops and the others are answered', async (t) => {
  const { url, said } = await start(t)
  const body = JSON.stringify(semaphore(DEPTH).input)

  let output = ''
  // A proof may be over before the server sees that the connection has ended.
  for (let attempt = 1; attempt <= ATTEMPTS_MAX && !output.includes(STOPPED); attempt += 1) {
    await leave(url, body)
    const others = Array.from({ length: WAITING }, () => post(url, body))
    const statuses = (await Promise.all(others)).map(({ status }) => status)

    t.deepEqual(statuses, Array(WAITING).fill(200))
    output = await said(OUTCOME, attempt * (WAITING + 1))
  }

  t.true(output.includes(STOPPED), output)
})

test('with a full queue a request is answered with 503, and those before it with proofs', async (t) => {
  const { url } = await start(t, { QUEUE_MAX: '1' })
  const body = JSON.stringify(semaphore(DEPTH).input)

  const responses = await Promise.all(Array.from({ length: CROWD }, () => post(url, body)))

  const refused = responses.filter(({ status }) => status === 503)
  const proved = responses.filter(({ status }) => status === 200)
  t.true(refused.length > 0 && proved.length > 0)
  t.is(refused.length + proved.length, CROWD)
  for (const response of refused) {
    t.is(response.headers.get('retry-after'), '1')
    t.is(((await response.json()) as { code: string }).code, 'ERR_QUEUE_FULL')
  }
  t.is((await post(url, body)).status, 200, 'afterwards there is room again')
})

test('the pipeline of commands proves, verifies, and writes what a contract takes', async (t) => {
  const place = await makeWorkplace()
  t.teardown(() => place.remove())
  const script = path.join(root, 'examples/pipeline.sh')

  const good = await runShell(`sh '${script}' input.json out`, place.folder)
  const bad = await runShell(`sh '${script}' verification_key.json out`, place.folder)

  t.is(good.status, 0, good.output)
  t.regex(good.output, /^valid$/m)
  t.regex(
    fs.readFileSync(path.join(place.folder, 'out/calldata.txt'), 'utf8'),
    /^\["0x[0-9a-f]{64}/,
  )
  t.is(bad.status, 3, bad.output)
  t.notRegex(bad.output, /^valid$/m)
})
