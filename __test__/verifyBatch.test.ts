// Proofs that are verified together: valid if and only if each of them is.

import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type ProofItem, ProvingKey, type PublicSignals, VerifyingKey } from 'nalloc'
import { fixtures, goldenCases, goldenProof, semaphore } from './_repository.ts'
import { type VerifyCase, verifyCases } from './_verifyCases.ts'

/** More than one native call takes. */
const MANY = 600

/** A key and different proofs of one statement. */
async function proven(
  t: ExecutionContext,
  count: number,
): Promise<{ readonly key: VerifyingKey; readonly items: ProofItem[] }> {
  const key = await ProvingKey.open(path.join(fixtures, 'bits.zkey'))
  t.teardown(() => key.dispose())
  const items: ProofItem[] = []
  while (items.length < count) items.push(await key.prove(path.join(fixtures, 'bits.wtns')))
  return { key: key.verifyingKey, items }
}

/** What is said of all together, checked against what is said of each. */
async function verifyAll(
  t: ExecutionContext,
  key: VerifyingKey,
  items: readonly unknown[],
): Promise<boolean> {
  const answer = await key.verifyBatch(items as ProofItem[])
  const each = items.map((item) => {
    const { proof, publicSignals } = (item ?? {}) as ProofItem
    return key.verify(proof, publicSignals)
  })
  t.is(answer, (await Promise.all(each)).every(Boolean))
  return answer
}

test('valid proofs are valid together, and so are none', async (t) => {
  const { key, items } = await proven(t, 20)

  t.true(await key.verifyBatch([]))
  for (const count of [1, 2, 7, 8, 9, 20]) {
    t.true(await verifyAll(t, key, items.slice(0, count)), `${count}`)
  }
  const many = Array.from({ length: MANY }, (_, i) => items[i % items.length] as ProofItem)
  t.true(await key.verifyBatch(many))
})

test('one wrong proof among many is found wherever it is', async (t) => {
  const { key, items } = await proven(t, 8)
  const [first] = items
  const wrong = { ...first, proof: { ...first?.proof, pi_c: first?.proof.pi_a } } as ProofItem
  for (const index of [0, 63, 255, 256, MANY - 1]) {
    const many = Array.from({ length: MANY }, (_, i) => items[i % items.length] as ProofItem)
    many[index] = wrong

    t.false(await key.verifyBatch(many), `${index}`)
  }
})

for (const { name, vk, proof, publicSignals, expect } of verifyCases) {
  test(`verifyBatch with ${name}: ${expect}`, async (t) => {
    const good = verifyCases.find((candidate) => candidate.expect) as VerifyCase
    const key = VerifyingKey.from(vk)
    const beside = JSON.stringify(vk) === JSON.stringify(good.vk) ? [good, good] : []

    t.is(await verifyAll(t, key, [...beside, { proof, publicSignals }, ...beside]), expect)
  })
}

test('wrong proofs do not make up for each other', async (t) => {
  const { key, items } = await proven(t, 4)
  const [a, b, c, d] = items as [ProofItem, ProofItem, ProofItem, ProofItem]
  const crossed = [
    { ...a, proof: { ...a.proof, pi_c: b.proof.pi_c } },
    { ...b, proof: { ...b.proof, pi_c: a.proof.pi_c } },
  ]

  t.true(await verifyAll(t, key, [a, b, c, d]))
  t.false(await verifyAll(t, key, [...crossed, c, d]))
})

test('proofs of other statements are valid together', async (t) => {
  const [golden] = goldenCases('semaphore')
  const depth = Number(/\d+/.exec(golden?.input ?? golden?.name ?? '')?.[0])
  const vectors = golden?.vectors ?? []
  const items = vectors.map((vector) => ({
    proof: goldenProof(vector.proof),
    publicSignals: goldenProof(vector.public) as unknown as PublicSignals,
  }))

  t.true(items.length > 0)
  t.true(await verifyAll(t, VerifyingKey.from(semaphore(depth).vk), items))
})

test('what is no array is refused, and what is no item is not valid', async (t) => {
  const { key, items } = await proven(t, 1)
  const code = {
    instanceOf: TypeError,
    code: 'ERR_INVALID_ARG',
    message: /^items: expected an array/,
  }

  for (const value of [undefined, null, {}, 'items', 5, { length: 0 }, new Uint8Array(2)]) {
    await t.throwsAsync(key.verifyBatch(value as never), code)
  }
  for (const item of [undefined, null, 0, 'proof', [], {}, { proof: items[0]?.proof }]) {
    t.false(await verifyAll(t, key, [items[0], item]), String(item))
  }
  t.false(await key.verifyBatch(new Array(2 ** 32 - 1)))
})

test('a batch can be stopped before it begins, while it is read and while it is verified', async (t) => {
  const { key, items } = await proven(t, 1)
  const many = Array.from({ length: 20 * MANY }, () => items[0] as ProofItem)
  const reason = new Error('enough')

  const refused = key.verifyBatch(many, { signal: AbortSignal.abort(reason) })
  t.is(await t.throwsAsync(refused), reason)
  for (const turns of [0, 1, 5, 20]) {
    const stop = new AbortController()
    const verifying = key.verifyBatch(many, { signal: stop.signal })
    for (let k = 0; k < turns; k += 1) await turn()
    stop.abort(reason)
    t.is(await t.throwsAsync(verifying), reason, `${turns}`)
  }
  t.true(await key.verifyBatch(items))
})

test('the event loop turns while a large batch is verified', async (t) => {
  const { key, items } = await proven(t, 1)
  const many = Array.from({ length: MANY }, () => items[0] as ProofItem)
  let turns = 0
  let isDone = false
  const verifying = key.verifyBatch(many).finally(() => {
    isDone = true
  })

  while (!isDone) {
    turns += 1
    await turn()
  }

  t.true(await verifying)
  t.true(turns > 10, `${turns}`)
})
