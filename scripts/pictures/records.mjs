// The records of benchmarks, as the pictures read them.

import fs from 'node:fs'
import path from 'node:path'
import { root } from '../steps.mjs'

/** A CSV of ours: a header, no line breaks inside of fields. */
export function readRecords(name) {
  const text = fs.readFileSync(path.join(root, 'benches/record', name), 'utf8')
  const [header, ...rows] = text.trimEnd().split('\n').map(splitRow)
  return rows.map((row) => Object.fromEntries(header.map((column, i) => [column, row[i]])))
}

/** The newest record of each contestant in one case, by the contestants' names. */
export function newest(records, name) {
  const rows = records.filter((row) => row.case === name)
  return new Map(rows.map((row) => [row.contestant, row]))
}

function splitRow(line) {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain,
  )
}
