// The reference of the TypeScript interface, as pages in target/docs: `npm run docs`. A link that
// leads nowhere, or a type that is used and not exported, is an error.

import { OptionDefaults } from 'typedoc'

export default {
  name: 'nalloc',
  entryPoints: ['index', 'groth16', 'bn254', 'snarkjs', 'metrics'].map((name) => `ts/${name}.ts`),
  tsconfig: 'tsconfig.json',
  out: 'target/docs',
  readme: 'none',
  excludeInternal: true,
  excludePrivate: true,
  // It has to be in a comment of this kind to stay in the declarations.
  blockTags: [...OptionDefaults.blockTags, '@ts-ignore'],
  excludeTags: [...OptionDefaults.excludeTags, '@ts-ignore'],
  // Of what the reader sees: `Pick`s of them.
  intentionallyNotExported: ['Views', 'Snarkjs'],
  validation: { notExported: true, invalidLink: true },
  treatWarningsAsErrors: true,
}
