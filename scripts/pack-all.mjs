// Makes the tarballs that are published: the main package and one for each platform, in
// target/packages/tarballs. `npm run pack:all`.
//
// Works on copies, so that what only users need (the platform packages by name) is never in the
// repository's package.json or lock file, and what only developers need is not in the tarball.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkBinaries } from './binaries.mjs'
import { licenceTexts } from './licences.mjs'
import { fail, orFail, root } from './steps.mjs'
import { TARGETS } from './targets.mjs'
import { outputOf } from './tools.mjs'

const STAGE = path.join(root, 'target/packages/stage')
/** Where the tarballs are. */
export const TARBALLS = path.join(root, 'target/packages/tarballs')
const LICENCES = ['LICENSE-MIT', 'LICENSE-APACHE']
const LICENCES_OF_OTHERS = 'LICENSES-OF-OTHERS.txt'
/** Of package.json, what means nothing to who installs it. `prepare` and others would even run. */
const FOR_DEVELOPERS = ['scripts', 'devDependencies', 'overrides', 'ava', 'napi']
const KIB = 1024

/** Packs everything anew; what npm says about each tarball, the main package first. */
export function packAll(targets = TARGETS) {
  for (const folder of [STAGE, TARBALLS]) fs.rmSync(folder, { recursive: true, force: true })
  const manifest = readManifest(root)
  return [packMain(manifest), ...targets.map((target) => packPlatform(target, manifest))]
}

/** Packs the main package, which needs no binary. */
export function packMain(manifest = readManifest(root)) {
  const folder = path.join(STAGE, manifest.name)
  fs.mkdirSync(folder, { recursive: true })
  // Whole folders: npm itself applies the patterns of "files".
  const patterns = manifest.files.filter((pattern) => !pattern.startsWith('!'))
  const names = ['README.md', ...patterns].map((pattern) => pattern.split('/')[0])
  for (const name of names) copy(name, folder)
  const published = { ...manifest }
  for (const field of FOR_DEVELOPERS) delete published[field]
  published.optionalDependencies = Object.fromEntries(
    TARGETS.map(({ tuple }) => [`@nalloc/${tuple}`, manifest.version]),
  )
  published.typesVersions = { '*': typesOf(manifest.exports) }
  writeManifest(folder, published)
  return pack(folder)
}

/** Where the types of each subpath are, for TypeScript's `moduleResolution: node10`. */
function typesOf(subpaths) {
  const entries = Object.entries(subpaths).filter(([, entry]) => typeof entry === 'object')
  return Object.fromEntries(
    entries.map(([name, { require }]) => [name.replace('./', ''), [require.types]]),
  )
}

function packPlatform({ tuple, folder: source }, { version, engines }) {
  const manifest = readManifest(source)
  if (manifest.version !== version) {
    fail(`npm/${tuple}/package.json: expected version ${version}, found ${manifest.version}`)
  }
  if (manifest.engines.node !== engines.node) {
    fail(
      `npm/${tuple}/package.json: expected engines.node ${engines.node}, as the main package has`,
    )
  }
  const folder = path.join(STAGE, tuple)
  fs.mkdirSync(folder, { recursive: true })
  for (const name of manifest.files) {
    const file = path.join(source, name)
    if (!fs.existsSync(file)) fail(`${path.relative(root, file)} is missing: npm run build:all`)
    fs.copyFileSync(file, path.join(folder, name))
  }
  for (const name of LICENCES) copy(name, folder)
  // Of what is linked into the binaries.
  fs.writeFileSync(path.join(folder, LICENCES_OF_OTHERS), licenceTexts())
  const title = `# @nalloc/${tuple}\n\n${manifest.description}. Install \`nalloc\`, which takes it.\n`
  fs.writeFileSync(path.join(folder, 'README.md'), title)
  writeManifest(folder, { ...manifest, files: [...manifest.files, LICENCES_OF_OTHERS] })
  return pack(folder)
}

/** What `npm pack` makes of a folder: its name, sizes, files and tarball. */
function pack(folder) {
  fs.mkdirSync(TARBALLS, { recursive: true })
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', TARBALLS]
  const packed = JSON.parse(
    outputOf('npm', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] }),
  )
  // An array, or since npm 12 an object by names.
  const [result] = Object.values(packed)
  return { ...result, tarball: path.join(TARBALLS, path.basename(result.filename)) }
}

function copy(name, folder) {
  const source = path.join(root, name)
  if (!fs.existsSync(source)) fail(`${name} is missing: npm run prepare:all`)
  fs.cpSync(source, path.join(folder, name), { recursive: true })
}

function readManifest(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
}

function writeManifest(folder, manifest) {
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const binaries = TARGETS.flatMap(({ addon, preload }) => [addon, preload])
  if (!orFail(() => checkBinaries(binaries))) fail('a binary may not be shipped: see above')
  const kib = (bytes) => `${(bytes / KIB).toFixed(0)} KiB`.padStart(9)
  for (const { name, version, size, unpackedSize, entryCount } of orFail(() => packAll())) {
    const title = `${name}@${version}`.padEnd(34)
    console.log(`${title} ${kib(size)} packed, ${kib(unpackedSize)} unpacked, ${entryCount} files`)
  }
}
