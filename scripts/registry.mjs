// A registry of npm packages on the loopback interface, which serves tarballs that lie in a folder
// and nothing else: a package that is not there is 404, so that no test reaches any other registry.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { outputOf } from './tools.mjs'

/** Serves the tarballs, each of which has one version; its URL, and what ends it. */
export async function serveTarballs(tarballs) {
  const packages = new Map(tarballs.map((tarball) => [manifestOf(tarball).name, tarball]))
  const server = http.createServer((request, response) => {
    const name = decodeURIComponent(request.url.slice(1))
    const tarball = tarballs.find((file) => path.basename(file) === path.basename(name))
    if (name.endsWith('.tgz') && tarball !== undefined) {
      response.end(fs.readFileSync(tarball))
    } else if (packages.has(name)) {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(packument(packages.get(name), `http://${request.headers.host}`)))
    } else {
      response.writeHead(404).end('{}')
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${server.address().port}/`, close }
}

/** What a registry tells of a package. */
function packument(tarball, origin) {
  const manifest = manifestOf(tarball)
  const { name, version } = manifest
  const sha512 = createHash('sha512').update(fs.readFileSync(tarball)).digest('base64')
  const dist = {
    tarball: `${origin}/-/${path.basename(tarball)}`,
    integrity: `sha512-${sha512}`,
  }
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }
}

/** The package.json in a tarball. */
function manifestOf(tarball) {
  return JSON.parse(outputOf('tar', ['xzOf', tarball, 'package/package.json']))
}
