// An express endpoint that proves. `node express.js circuit.wasm circuit.zkey` listens on $PORT, or
// on a free port; POST /prove takes the circuit's inputs as JSON.
//
// The key is opened once. Proofs run on native threads, one after another, so the server keeps
// answering; when a client leaves, its proof stops and the next one begins. $QUEUE_MAX calls wait at
// most, 100 by default: one more is told to come again, which costs it and the others nothing.

import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { Circuit, type CircuitInputs, configure, ProvingKey } from 'nalloc'

/** What an error of the caller, or of a busy server, is in HTTP; everything else is 500. */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  ERR_INPUT: 400,
  ERR_INVALID_ARG: 400,
  ERR_WITNESS: 422,
  ERR_LIMIT: 503,
  ERR_NO_MEMORY: 503,
  ERR_QUEUE_FULL: 503,
}

const RETRY_AFTER_SECONDS = '1'

async function main(): Promise<void> {
  const [wasm, zkey] = process.argv.slice(2)
  if (wasm === undefined || zkey === undefined) {
    console.error('expected two arguments: circuit.wasm circuit.zkey')
    process.exitCode = 2
    return
  }
  configure({ maxQueue: Number(process.env['QUEUE_MAX'] ?? 100) })
  const circuit = await Circuit.open(wasm)
  using key = await ProvingKey.open(zkey)

  const server = http.createServer(application(key, circuit))
  server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1')
  await once(server, 'listening')
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)

  // Answers what has begun, then ends by itself: nothing of nalloc keeps the process alive.
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  server.close()
  await once(server, 'close')
}

function application(key: ProvingKey, circuit: Circuit): Express {
  const app = express()
  app.use(express.json({ limit: '1mb' }))
  app.post('/prove', (request, response) => prove(key, circuit, request, response))
  // Express would log what is wrong with a body, and quote it: inputs are secrets.
  app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    answer(response, 400, { code: 'ERR_INPUT', message: 'expected inputs as JSON, at most 1 MB' })
  })
  return app
}

async function prove(
  key: ProvingKey,
  circuit: Circuit,
  request: Request,
  response: Response,
): Promise<void> {
  const gone = new AbortController()
  // Also comes after an answer, when there is nothing left to stop.
  response.on('close', () => gone.abort())
  try {
    const { proof, publicSignals } = await key.fullProve(request.body as CircuitInputs, circuit, {
      signal: gone.signal,
      memoryLimit: '50%',
    })
    answer(response, 200, { proof, publicSignals })
  } catch (error) {
    if (gone.signal.aborted) return console.log('the client left: proof stopped')
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'ERR_INTERNAL'
    const status = HTTP_STATUS[code]
    // Messages of nalloc name signals and never show a value.
    const message = status !== undefined && error instanceof Error ? error.message : 'no proof'
    answer(response, status ?? 500, { code, message })
  }
}

function answer(response: Response, status: number, body: object): void {
  if (status === 503) response.set('retry-after', RETRY_AFTER_SECONDS)
  response.status(status).json(body)
  console.log(`answered ${status}`)
}

main()
