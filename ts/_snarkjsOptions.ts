// The options of `nalloc/snarkjs`: nalloc's own, and those that snarkjs and its calculator take.
//
// None is ignored: each has its effect, or is met by what nalloc always does, or is refused.

import { Call } from './_call.ts'
import { checkBoolean, checkFunction, checkOptions, show } from './_check.ts'
import type { Waiter } from './_fileCache.ts'
import type { Log } from './_logger.ts'
import { wrongType, wrongValue } from './errors.ts'
import type { OneShotOptions } from './options.ts'
import { type KeySettings, keySettings, type ProofSettings, proofSettings } from './provingKey.ts'

/**
 * Options of `groth16.prove` and `groth16.fullProve`: nalloc's, and snarkjs' own. `memoryLimit`
 * bounds the proof, and the opening of the key by the call that opens it.
 */
export interface CompatOptions extends OneShotOptions {
  /**
   * In snarkjs: start no worker threads. nalloc starts none, whatever this says, and tells the
   * logger so: a proof runs on native threads, whose number `configure` of `nalloc` sets.
   */
  readonly singleThread?: boolean | undefined
}

/** What snarkjs passes on to the witness calculator. Other options are refused. */
export interface CalculatorOptions {
  /**
   * In snarkjs: pages of memory for calculators that bring none. Those of circom 2 bring their own,
   * so that any number is right.
   */
  readonly memorySize?: number | undefined
  /** Let the circuit check its assertions. nalloc always does. */
  readonly sanityCheck?: boolean | undefined
}

/** A call with its options checked. @internal */
export interface Begun {
  readonly opening: KeySettings
  readonly proving: ProofSettings
  readonly waiter: Waiter
}

const OPTION_NAMES: readonly (keyof CompatOptions)[] = [
  'signal',
  'onProgress',
  'sha256',
  'allowInsecure',
  'memoryLimit',
  'selfVerify',
  'unsafeBlinding',
  'singleThread',
]

/** Checks the options and starts the call. Throws ERR_INVALID_ARG. @internal */
export function beginCall(options: CompatOptions | null | undefined, log: Log): Begun {
  const checked = checkOptions(options ?? undefined)
  checkNames('options', checked, OPTION_NAMES)
  if (checkBoolean('singleThread', checked.singleThread, false)) {
    log.debug('singleThread: no worker threads are started, as in every call')
  }
  const onProgress = log.watch(checkFunction('onProgress', checked.onProgress))
  const { signal } = checked
  return {
    opening: keySettings(checked),
    proving: proofSettings(checked),
    waiter: { call: new Call({ signal, onProgress }), signal },
  }
}

/** Throws ERR_INVALID_ARG. @internal */
export function checkCalculatorOptions(options: CalculatorOptions | null | undefined): void {
  const { memorySize, sanityCheck, ...others } = checkOptions(options ?? undefined)
  // Those that log signals and components: circom 2 calls none of them, here or in snarkjs.
  checkNames('wtnsCalcOptions', others, ['memorySize', 'sanityCheck'])
  checkBoolean('wtnsCalcOptions.sanityCheck', sanityCheck, true)
  if (memorySize === undefined) return
  if (typeof memorySize !== 'number') {
    throw wrongType('wtnsCalcOptions.memorySize', 'a number of pages', show(memorySize))
  }
  if (!Number.isSafeInteger(memorySize) || memorySize < 0) {
    throw wrongValue('wtnsCalcOptions.memorySize', 'a number of pages', show(memorySize))
  }
}

/** Refuses what would be ignored. */
function checkNames(name: string, options: object, known: readonly string[]): void {
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || known.includes(key)) continue
    throw wrongValue(name, `none but ${known.join(', ')}`, show(key))
  }
}
