// Both nodes run the same build and streams bring what was written into them: neither may refuse what the other says.
import type { Action } from '../../src/core/actions.ts'
import type { ToSync } from '../../src/core/messages.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

/** A link that closes for one of these says that its peer broke the protocol. */
const BREACHES: ReadonlySet<string> = new Set([
  'unknown',
  'malformed',
  'hello-expected',
  'sequence',
  'frame-size',
])

export function demandUnderstood(process: SimProcess, actions: readonly Action[]): void {
  for (const action of actions) {
    if (action.type === 'close' && BREACHES.has(action.reason))
      throw new Violation(`${process.name} refuses what its peer says: ${action.reason}`)
  }
}

/** The same of frames that only the application thread reads. */
export function demandRead(process: SimProcess, messages: readonly ToSync[]): void {
  for (const message of messages) {
    if (message.type === 'refused')
      throw new Violation(`${process.name} cannot read what its peer says: ${message.name}`)
  }
}
