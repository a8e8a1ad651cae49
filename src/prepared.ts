// What a node has before it starts: its tables, the words both threads share, and, with `stateDir`, its state directory,
// locked and read. Whatever is wrong with them is said before a port is opened.
import { SHARED_WORDS, SharedMoment } from './core/messages.ts'
import { StateError } from './errors.ts'
import { monotonicMs } from './io/clock.ts'
import type { Settings } from './settings.ts'
import { StateDirectory } from './state/directory.ts'
import { loadSnapshot, putAside, type Restored } from './state/snapshot-loader.ts'
import type { Table, WriteGate } from './table/index.ts'
import { createTable, GATE_CLOSED, leasedGate } from './table/index.ts'

export interface Prepared {
  readonly words: Int32Array
  readonly gate: WriteGate
  /** In the order of their definitions' names. */
  readonly entries: readonly { readonly property: string; readonly table: Table }[]
  readonly state: StateDirectory | undefined
  /** The snapshot that the tables hold now. */
  readonly restored: Restored | undefined
  /** Why there is none, though there was one. */
  readonly unusable: StateError | undefined
}

/**
 * @throws SchemaError a table's memory cannot be reserved.
 * @throws StateError the state directory, or what lies in it, cannot be used.
 */
export async function prepare(settings: Settings): Promise<Prepared> {
  const { stateDir, cluster, id } = settings
  const place = stateDir === undefined ? undefined : { directory: stateDir, owner: { cluster, id } }
  const state = place && (await StateDirectory.open(place, Date.now()))
  try {
    const words = new Int32Array(new SharedArrayBuffer(SHARED_WORDS * 4))
    const gate = settings.witness === undefined ? { words, open: GATE_CLOSED } : underLease(words)
    const entries = settings.tables.map(({ property, definition }) => {
      return {
        property,
        table: createTable(definition, { gate, snapshots: settings.snapshot !== undefined }),
      }
    })
    return { words, gate, entries, state, ...(await restore(settings, entries, state)) }
  } catch (error) {
    await state?.close()
    throw error
  }
}

function underLease(words: Int32Array): WriteGate {
  const deadline = new Float64Array(words.buffer).subarray(SharedMoment.DEADLINE)
  return leasedGate(words, deadline, monotonicMs)
}

/** Fills the tables from the snapshot, if there is one. */
async function restore(
  { snapshot }: Settings,
  entries: Prepared['entries'],
  state: StateDirectory | undefined,
): Promise<Pick<Prepared, 'restored' | 'unusable'>> {
  const nothing = { restored: undefined, unusable: undefined }
  if (state === undefined || snapshot === undefined) return nothing
  try {
    const tables = entries.map(({ table }) => table)
    return { restored: await loadSnapshot(state, tables, Date.now()), unusable: undefined }
  } catch (error) {
    if (snapshot.unusable === 'reject' || !(error instanceof StateError)) throw error
    const aside = await putAside(state)
    const unusable = new StateError(
      `${error.message} It was put aside as ${aside}; this node started without sessions.`,
    )
    return { restored: undefined, unusable }
  }
}
