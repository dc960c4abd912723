// Makes the keys and witnesses of `npm run bench:service`: chains of squarings on domains of 2^16 and
// 2^15, in target/service, when what makes them has changed.

import { run, step } from './steps.mjs'

for (const steps of ['65533', '32765']) {
  const out = `target/service/${steps}`
  step({
    title: `making a key of ${steps} constraints`,
    stamp: `${out}/.stamp`,
    inputs: [
      'crates/testkit/src',
      'crates/nalloc-bn254/src/field',
      'crates/nalloc-bn254/src/curve',
    ],
    outputs: [`${out}/chain${steps}.zkey`, `${out}/chain${steps}.wtns`],
    work: () =>
      run('cargo', ['run', '--release', '-q', '-p', 'testkit', '--bin', 'chain', '--', steps, out]),
  })
}
