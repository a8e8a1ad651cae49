// What the sync thread's core is started with: from the checked options, and from what was prepared.
import { randomBytes } from 'node:crypto'
import type { ThreadData } from './io/thread-messages.ts'
import type { Prepared } from './prepared.ts'
import type { Settings } from './settings.ts'
import type { Table } from './table/index.ts'
import { CONTRIBUTION_BYTES } from './wire/constants.ts'

const INCARNATION_BYTES = 8

export function coreOptions(
  settings: Settings,
  stores: readonly Table[],
  { state, restored }: Prepared,
): ThreadData['core'] {
  return {
    id: settings.id,
    peer: settings.peer,
    cluster: settings.cluster,
    priority: settings.priority,
    mode: settings.mode,
    leaseMs: settings.leaseMs,
    interval: settings.interval,
    lost: settings.lost,
    holdDownMs: settings.holdDownMs,
    stallTimeoutMs: settings.stallTimeoutMs,
    fastDetection: settings.fastDetection,
    sending: settings.sending,
    promoteUnsynced: settings.promoteUnsynced,
    uptimeMarginMs: settings.uptimeMarginMs,
    override: settings.override,
    switching: settings.switching,
    choiceMs: settings.onConflict === undefined ? undefined : settings.conflictTimeoutMs,
    tables: stores.map(({ name, schemaHash, capacity, arenaBytes, deltasMax, schema }) => {
      return { name, schemaHash, capacity, arena: arenaBytes, deltasMax, schema }
    }),
    epochFloor: state?.epochFloor ?? Date.now(),
    reserved: state?.reserved,
    loaded: restored && { standing: restored.standing, lineageAgeMs: restored.lineageAgeMs },
    incarnation: randomBytes(INCARNATION_BYTES).toString('hex'),
    contribution: Uint8Array.from(randomBytes(CONTRIBUTION_BYTES)),
  }
}
