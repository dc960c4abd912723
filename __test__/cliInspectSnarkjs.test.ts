// The files that snarkjs makes, inspected, against what snarkjs says of them.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import * as snarkjs from 'snarkjs'
import { endSnarkjs, holdCeremony } from './_ceremony.ts'
import { inspection } from './_internal.ts'
import { fixtures } from './_repository.ts'

const { inspectFile } = inspection
const POWER = 6
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nalloc-'))
const file = (name: string) => path.join(folder, name)
const circuit = path.join(fixtures, 'full_domain.r1cs')
const look = (path: string) => inspectFile(path, path)

interface Setups {
  readonly plonk: { setup(r1cs: string, ptau: string, zkey: string): Promise<unknown> }
  readonly fflonk: { setup(r1cs: string, ptau: string, zkey: string): Promise<unknown> }
}

test.before(async () => {
  const { second } = await holdCeremony(POWER, folder)
  await snarkjs.powersOfTau.preparePhase2(second, file('final.ptau'))
})

test.after.always(async () => {
  await endSnarkjs()
  fs.rmSync(folder, { recursive: true })
})

test.serial('an .r1cs has the counts that snarkjs reads', async (t) => {
  for (const name of fs.readdirSync(fixtures).filter((name) => name.endsWith('.r1cs'))) {
    const theirs = await snarkjs.r1cs.info(path.join(fixtures, name))

    const ours = await look(path.join(fixtures, name))

    t.like(ours, {
      kind: 'r1cs',
      nVars: theirs.nVars,
      nOutputs: theirs.nOutputs,
      nPublicInputs: theirs.nPubInputs,
      nPrivateInputs: theirs.nPrvInputs,
      nLabels: Number(theirs.nLabels),
      nConstraints: theirs.nConstraints,
      hasCustomGates: false,
    })
  }
})

test.serial('a .ptau has its power, its contributions and whether it is prepared', async (t) => {
  const shared = { kind: 'ptau', curve: 'bn128', power: POWER, domainSizeMax: 2 ** POWER }

  t.like(await look(file('new.ptau')), { ...shared, contributions: 0, isPrepared: false })
  t.like(await look(file('one.ptau')), { ...shared, contributions: 1, isPrepared: false })
  t.like(await look(file('final.ptau')), { ...shared, contributions: 2, isPrepared: true })
})

test.serial('a truncated .ptau names the ceremony that it was cut out of', async (t) => {
  await snarkjs.powersOfTau.truncate(file('final.ptau'), file('cut_'))

  const found = await look(file('cut_04.ptau'))

  t.like(found, { power: 4, ceremonyPower: POWER, domainSizeMax: 16, contributions: 2 })
})

test.serial(
  'the largest circuit of a .ptau gets a key, and one constraint more does not',
  async (t) => {
    const [fits, over] = ['full_domain.r1cs', 'over_domain.r1cs']
    const sizes = await Promise.all([fits, over].map((name) => look(path.join(fixtures, name))))
    const [small, large] = sizes.map((found) => found.kind === 'r1cs' && found.predictedDomainSize)
    await snarkjs.powersOfTau.truncate(file('final.ptau'), file('small_'))
    const found = await look(file('small_05.ptau'))
    const ceremony = file('small_05.ptau')

    t.like(found, { domainSizeMax: small })
    t.is(large, 2 * Number(small))
    await snarkjs.zKey.newZKey(path.join(fixtures, fits), ceremony, file('fits.zkey'))
    t.like(await look(file('fits.zkey')), { domainSize: small })
    // In memory: when snarkjs refuses a circuit, it leaves its files open.
    const refused = fs.readFileSync(path.join(fixtures, over))
    t.is(await snarkjs.zKey.newZKey(refused, fs.readFileSync(ceremony), { type: 'mem' }), -1)
  },
)

test.serial(
  'contributions to a Groth16 key are counted, and without one it is insecure',
  async (t) => {
    const shared = { kind: 'zkey', protocol: 'groth16', nConstraints: 29, nPublic: 2 }
    await snarkjs.zKey.newZKey(circuit, file('final.ptau'), file('zero.zkey'))
    await snarkjs.zKey.contribute(file('zero.zkey'), file('one.zkey'), 'one', 'entropy')
    await snarkjs.zKey.contribute(file('one.zkey'), file('two.zkey'), 'two', 'entropy')

    t.like(await look(file('zero.zkey')), { ...shared, contributions: 0, isInsecure: true })
    t.like(await look(file('one.zkey')), { ...shared, contributions: 1, isInsecure: false })
    t.like(await look(file('two.zkey')), { ...shared, contributions: 2, isInsecure: false })
  },
)

for (const protocol of ['plonk', 'fflonk'] as const) {
  test.serial(`a ${protocol} key has its protocol and its counts`, async (t) => {
    const name = file(`${protocol}.zkey`)
    const setups = snarkjs as unknown as Setups
    await setups[protocol].setup(
      path.join(fixtures, 'one_constraint.r1cs'),
      file('final.ptau'),
      name,
    )
    const key = (await snarkjs.zKey.exportVerificationKey(name)) as Record<string, unknown>

    const found = await look(name)

    const facts = { kind: 'zkey', protocol, curve: 'bn128', nVars: 3, nPublic: 1, domainSize: 8 }
    t.like(found, { ...facts, nConstraints: 2, nAdditions: 0 })
    t.like(key, { protocol, nPublic: 1, power: 3 })
  })
}
