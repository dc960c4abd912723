// Tests that need something that not every machine has.

import test, { type ExecutionContext } from 'ava'

/** Declares a test; where what it needs is missing, one that is skipped and says why. */
export function testIf(
  has: boolean,
  reason: string,
): (title: string, body: (t: ExecutionContext) => PromiseLike<void> | void) => void {
  return (title, body) => {
    if (has) test(title, body)
    else test.skip(`${title} (skipped: ${reason})`, body)
  }
}
