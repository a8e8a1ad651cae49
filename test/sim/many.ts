// Calls of the simulated application for many sessions at once: what they write, and what they must answer.
import { KeyTakenError, TableFullError } from '../../src/errors.ts'
import type { History, Reign } from './history.ts'
import type { Prng } from './prng.ts'
import type { Pair, SimTable, TableKind } from './tables.ts'
import { Violation } from './world.ts'

export type ManyName = 'setMany' | 'updateMany' | 'deleteMany'

export interface ManyRow {
  readonly key: number
  /** Undefined: deleted. */
  readonly value: number | undefined
  readonly pair: Pair
  /** The key has a session when its turn comes. */
  readonly isKnown: boolean
  /** The row changes something. */
  readonly isWrite: boolean
}

interface Scene {
  readonly reign: Reign
  readonly table: number
  readonly history: History
  readonly random: Prng
}

/** Rows in order, each with the number its write will have; a key may come twice. */
export function drawRows(keys: readonly number[], kind: TableKind, name: ManyName, scene: Scene): ManyRow[] {
  const { reign, table, history, random } = scene
  const known = new Map<number, boolean>()
  let writes = 0
  return keys.map((key) => {
    const isKnown = known.get(key) ?? reign.content[table]!.get(key)?.row !== undefined
    const isWrite = name === 'setMany' || isKnown
    known.set(key, name === 'setMany' || (name === 'updateMany' && isKnown))
    const value = name === 'deleteMany' ? undefined : random.below(60_000)
    const fields = kind.fields({ version: history.upcoming + writes, value: value ?? 0 }, true)
    if (isWrite) writes++
    return { key, value, pair: [kind.key(key), fields] as const, isKnown, isWrite }
  })
}

/** Makes the call; gives how many rows were done, and the error that stopped it. */
export function callMany(
  name: ManyName,
  rows: readonly ManyRow[],
  table: SimTable,
  who: string,
): { readonly rows: number; readonly error: unknown } {
  const pairs = rows.map(({ pair }) => pair)
  const known = rows.filter(({ isKnown }) => isKnown).length
  let found: number
  try {
    if (name === 'setMany') {
      const { created, replaced } = table.setMany(pairs)
      if (created + replaced !== rows.length) throw new Violation(`${who}: setMany did ${created + replaced}`)
      found = replaced
    } else if (name === 'updateMany') found = table.updateMany(pairs)
    else found = table.deleteMany(pairs.map(([key]) => key))
  } catch (error) {
    if (!(error instanceof KeyTakenError || error instanceof TableFullError)) throw error
    return { rows: error.stored, error }
  }
  if (found !== known) throw new Violation(`${who}: ${name} found ${found} sessions instead of ${known}`)
  return { rows: rows.length, error: undefined }
}
