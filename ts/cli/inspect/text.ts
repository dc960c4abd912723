// An inspection for people: aligned rows, then the section table.

import { countText, sizeText } from '../quantities.ts'
import type { CurveName } from './curve.ts'
import type { Inspection, SectionRow } from './inspection.ts'
import { DOMAIN_SIZE_MAX, type Predicted } from './predicted.ts'

type Row = readonly [name: string, value: string]
type Of<K extends Inspection['kind']> = Extract<Inspection, { readonly kind: K }>

const CURVES: Readonly<Record<Exclude<CurveName, 'unknown'>, string>> = {
  bn128: 'BN254 (bn128)',
  bls12381: 'BLS12-381',
}
const PROTOCOLS = { groth16: 'Groth16', plonk: 'PLONK', fflonk: 'FFLONK' } as const

/** The lines of an inspection. */
export function inspectionText(inspection: Inspection): string {
  const { file, bytes, sha256 } = inspection
  const rows: readonly Row[] = [
    ['file', file],
    ...factsOf(inspection),
    ['bytes', countText(bytes)],
    ['sha256', sha256],
  ]
  const lines = aligned(rows)
  if (!('sections' in inspection)) return lines.join('\n')
  return [...lines, '', ...tableOf(inspection.sections, inspection.sectionCount)].join('\n')
}

function factsOf(inspection: Inspection): readonly Row[] {
  switch (inspection.kind) {
    case 'zkey':
      return keyRows(inspection)
    case 'wtns':
      return witnessRows(inspection)
    case 'r1cs':
      return circuitRows(inspection)
    case 'ptau':
      return powersRows(inspection)
    case 'wasm':
      return [['kind', `WebAssembly module, version ${inspection.version}, such as circom makes`]]
    default:
      return jsonRows(inspection)
  }
}

function keyRows(key: Of<'zkey'>): readonly Row[] {
  const protocol = PROTOCOLS[key.protocol]
  const shared: readonly Row[] = [
    ['kind', `${protocol} proving key (.zkey, version ${key.version})`],
    ['curve', curve(key)],
    ['constraints', countText(key.nConstraints)],
    ['signals', signals(key)],
    ['domain', domain(key.domainSize)],
  ]
  if (key.protocol !== 'groth16') return [...shared, ['additions', countText(key.nAdditions)]]
  const contributions = key.contributions === null ? 'not listed' : countText(key.contributions)
  const reason = key.unsafeDev ? 'made by nalloc setup --unsafe-dev' : 'gamma equals delta'
  const security = `NONE: ${reason}, everybody can forge proofs`
  return [
    ...shared,
    ['coefficients', countText(key.nCoefficients)],
    ['contributions', key.isInsecure || key.unsafeDev ? security : contributions],
    ['memory', memory(key, key.domainSize)],
  ]
}

function witnessRows(witness: Of<'wtns'>): readonly Row[] {
  return [
    ['kind', `witness (.wtns, version ${witness.version})`],
    ['curve', curve(witness)],
    ['signals', countText(witness.nVars)],
    ['memory', `${sizeText(witness.secretBytes)} of secret memory`],
  ]
}

function circuitRows(circuit: Of<'r1cs'>): readonly Row[] {
  const { nOutputs, nPublicInputs, nPrivateInputs, predictedDomainSize } = circuit
  const inputs = `${countText(nPublicInputs)} public, ${countText(nPrivateInputs)} private`
  return [
    ['kind', `compiled circuit (.r1cs, version ${circuit.version})`],
    ['curve', curve(circuit)],
    ['constraints', countText(circuit.nConstraints)],
    ['signals', signals(circuit)],
    ['outputs', countText(nOutputs)],
    ['inputs', inputs],
    ['labels', countText(circuit.nLabels)],
    ['custom gates', circuit.hasCustomGates ? 'yes: no Groth16 setup takes it' : 'none'],
    ['domain', `${domain(predictedDomainSize)}, predicted`],
    ['memory', memory(circuit, predictedDomainSize)],
  ]
}

function powersRows(powers: Of<'ptau'>): readonly Row[] {
  const { power, ceremonyPower, domainSizeMax } = powers
  const ceremony = ceremonyPower === power ? '' : `, of a ceremony of 2^${ceremonyPower}`
  return [
    ['kind', `powers of tau (.ptau, version ${powers.version})`],
    ['curve', curve(powers)],
    ['power', `${power}${ceremony}`],
    ['largest circuit', `${countText(domainSizeMax)} rows: constraints, public signals and one`],
    ['phase 2', powers.isPrepared ? 'prepared' : 'not prepared: a setup cannot use it yet'],
    ['contributions', countText(powers.contributions)],
  ]
}

function jsonRows(json: Of<'proof' | 'public' | 'verificationKey'>): readonly Row[] {
  const kinds = {
    proof: 'proof (JSON)',
    public: 'public signals (JSON)',
    verificationKey: 'verification key (JSON)',
  }
  const rows: readonly (readonly [string, string | null])[] = [
    ['kind', kinds[json.kind]],
    ['protocol', json.protocol],
    ['curve', json.curve],
    ['public signals', json.nPublic === null ? null : countText(json.nPublic)],
  ]
  return rows.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
}

function tableOf(sections: readonly SectionRow[], total: number): string[] {
  const cells = sections.map(({ type, name, offset, bytes }) => {
    return [String(type), name ?? '-', countText(offset), countText(bytes)]
  })
  const table = [['section', 'holds', 'offset', 'bytes'], ...cells]
  const widths = [0, 1, 2, 3].map((i) => Math.max(...table.map((row) => row[i]?.length ?? 0)))
  const lines = table.map((row) =>
    row
      .map((cell, i) => (i === 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  '),
  )
  const rest = total - sections.length
  return rest > 0 ? [...lines, `and ${countText(rest)} more`] : lines
}

function aligned(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}

function curve({ curve, prime }: { readonly curve: CurveName; readonly prime: string }): string {
  return curve === 'unknown' ? `unknown, of the prime ${prime}` : CURVES[curve]
}

function signals({ nVars, nPublic }: { readonly nVars: number; readonly nPublic: number }): string {
  return `${countText(nVars)}, ${countText(nPublic)} of them public`
}

function domain(points: number): string {
  return `${countText(points)} (2^${Math.log2(points)})`
}

function memory(
  of: { readonly curve: CurveName; readonly predicted: Predicted | null },
  domainSize: number,
): string {
  if (of.predicted) {
    const { keyBytes, proofBytes } = of.predicted
    return `${sizeText(keyBytes)} for the open key, ${sizeText(proofBytes)} for a proof, predicted`
  }
  const isProvable = of.curve === 'bn128' && domainSize <= DOMAIN_SIZE_MAX
  return isProvable ? 'unknown: the addon does not load here' : 'not a circuit that nalloc proves'
}
