// The keys and circuits that `nalloc/snarkjs` keeps open between calls that name them by path.
//
// Files only. Bytes in memory have no identity: to know them again they would have to be hashed,
// and the caller may change them meanwhile. For the 3.9 MB of depth-20 Semaphore SHA-256 takes
// 1.9 ms and opening the key 4.2 ms; compiling its circuit takes 3.7 ms (medians of 8, two cores of
// a Zen 5, November 2026). A caller who holds bytes opens a ProvingKey and passes that.

import type { Call } from './_call.ts'
import { checkSize } from './_check.ts'
import { FileCache, type Waiter } from './_fileCache.ts'
import type { Opened } from './_source.ts'
import { Circuit, openCircuit } from './circuit.ts'
import { type KeySettings, openKey, ProvingKey } from './provingKey.ts'

const KEYS_MAX = 16
const CIRCUITS_MAX = 16
/** Of the memory that this process may use. */
const KEY_BYTES_MAX = '25%'
/** Of .wasm files; compiled code takes several times as much. */
const CIRCUIT_BYTES_MAX = 64 * 2 ** 20

interface OpenKey {
  readonly key: ProvingKey
  /** True for a key that only `allowInsecure` opens. */
  readonly isInsecure: boolean
}

const keys = new FileCache<OpenKey>(
  { filesMax: KEYS_MAX, bytesMax: () => checkSize('KEY_BYTES_MAX', KEY_BYTES_MAX) ?? 0 },
  ({ key }) => key.dispose(),
)
const circuits = new FileCache<Circuit>(
  { filesMax: CIRCUITS_MAX, bytesMax: () => CIRCUIT_BYTES_MAX },
  // The garbage collector frees compiled modules.
  () => undefined,
)

/** Uses a key that is open, one of the cache, or one for this call alone. @internal */
export async function useKey<T>(
  checked: ProvingKey | Opened,
  settings: KeySettings,
  waiter: Waiter,
  work: (key: ProvingKey) => Promise<T>,
): Promise<T> {
  if (checked instanceof ProvingKey) return work(checked)
  if (checked.kind === 'bytes') {
    const key = await openKey(checked, settings, waiter.call)
    try {
      return await work(key)
    } finally {
      key.dispose()
    }
  }
  const { allowInsecure, sha256 } = settings
  const opening = {
    path: checked.path,
    settings: JSON.stringify(settings),
    open: async (call: Call) => {
      const key = await openKey(checked, settings, call)
      return { key, isInsecure: allowInsecure && isInsecure(key) }
    },
    accepts: (open: OpenKey) =>
      (allowInsecure || !open.isInsecure) &&
      (sha256 ?? open.key.info.sha256) === open.key.info.sha256,
  }
  return keys.use(opening, waiter, ({ key }) => work(key))
}

/** Uses a circuit that is open, one of the cache, or one for this call alone. @internal */
export async function useCircuit<T>(
  checked: Circuit | Opened,
  waiter: Waiter,
  work: (circuit: Circuit) => Promise<T>,
): Promise<T> {
  if (checked instanceof Circuit) return work(checked)
  if (checked.kind === 'bytes') return work(await openCircuit(checked, waiter.call))
  const opening = {
    path: checked.path,
    settings: '',
    open: (call: Call) => openCircuit(checked, call),
    accepts: () => true,
  }
  return circuits.use(opening, waiter, work)
}

/** How many keys are open, the lengths of their files, and the way to drop them. @internal */
export const openFiles = {
  get keys(): number {
    return keys.size
  },
  get keyBytes(): number {
    return keys.bytes
  },
  get circuits(): number {
    return circuits.size
  },
  clear(): void {
    keys.clear()
    circuits.clear()
  },
} as const

function isInsecure(key: ProvingKey): boolean {
  return key.verifyingKey.isInsecure || key.info.unsafeDev
}
