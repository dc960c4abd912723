import { inspect } from 'node:util'
import test from 'ava'
import { Circuit, NallocError, Witness } from 'nalloc'
import { semaphore } from './_repository.ts'
import { calculatorFunctions, wasmModule } from './_wasm.ts'
import { elementBytes, PRIME } from './_wtns.ts'

const SMALL = semaphore(1)

test('a witness shows its size and nothing else, however it is printed', async (t) => {
  const circuit = await Circuit.open(SMALL.wasm)
  const witness = await circuit.witness(SMALL.input)
  const shown = 'Witness(1761 signals)'

  t.true(witness instanceof Witness)
  t.is(`${witness}`, shown)
  t.is(String(witness), shown)
  t.is(inspect(witness), shown)
  t.is(inspect({ witness }, { showHidden: true, depth: 9 }), `{ witness: ${shown} }`)
  t.is(JSON.stringify({ witness }), `{"witness":"${shown}"}`)
  t.deepEqual(Object.keys(witness), ['length'])
  t.deepEqual(structuredClone(witness), { length: 1761 } as never)
  witness.dispose()
  t.is(`${witness}`, 'Witness(disposed)')
  t.is(witness.length, 1761)
})

test('a calculator that gives a value of r or more is refused', async (t) => {
  const functions = calculatorFunctions()
  const lying = wasmModule({ exportsMemory: true, data: elementBytes(PRIME), functions })
  const circuit = await Circuit.open(lying)

  const error = await t.throwsAsync(circuit.witness({}), { instanceOf: NallocError })
  t.is(error.code, 'ERR_NON_CANONICAL')
})

test('no error about an input quotes a value', async (t) => {
  const circuit = await Circuit.open(SMALL.wasm)
  const secret = '4242424242424242424242'
  const inputs: Record<string, unknown>[] = [
    { ...SMALL.input, secret: `${secret}x` },
    { ...SMALL.input, secret: [secret, secret] },
    { secret },
    { ...SMALL.input, secret: secret.repeat(3), merkleProofLength: secret },
  ]

  for (const input of inputs) {
    const error = await circuit.witness(input as never).catch((thrown: unknown) => thrown)
    t.notRegex(inspect(error, { depth: 9, showHidden: true }), /42424242/)
  }
})
