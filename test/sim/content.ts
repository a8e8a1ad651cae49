// Reads what a process's tables hold, by the ways an application has, and compares it with what the history says.

import { TwinTable } from '../twins/table.ts'
import type { Content, History, Version } from './history.ts'
import type { SimProcess } from './process.ts'
import { hasPickup, type Row, type SimTable, TAGS, type TableKind } from './tables.ts'
import { Violation } from './world.ts'

/** Every session by its key. */
export function readRows(kind: TableKind, table: SimTable, who: string): Map<number, Row> {
  const rows = new Map<number, Row>()
  for (const session of table) {
    const found = kind.read(session)
    if (found === undefined) {
      throw new Violation(`${who}: a session of ${kind.name} mixes two writes: ${JSON.stringify(session)}`)
    }
    if (rows.has(found.key)) throw new Violation(`${who}: ${kind.name} has key ${found.key} twice`)
    rows.set(found.key, found.row)
    for (const [name, fieldsOf] of Object.entries(kind.indexes)) {
      const fields = fieldsOf(found.row)
      if (fields !== undefined) demandFound(kind, table, name, fields, found.key, who)
    }
  }
  for (let tag = 1; tag <= TAGS && 'tag' in table.by; tag++) {
    const session = table.by.tag!.get({ tag })
    const key = session && kind.read(session)?.key
    if (session !== undefined && (key === undefined || !rows.has(key))) {
      throw new Violation(`${who}: ${kind.name} finds by tag ${tag} a session that is gone`)
    }
  }
  if (kind.timeoutTicks === undefined ? rows.size !== table.size : rows.size > table.size) {
    throw new Violation(`${who}: ${kind.name} says ${table.size} sessions and shows ${rows.size}`)
  }
  return rows
}

/** An index must find a session by its fields. */
function demandFound(
  kind: TableKind,
  table: SimTable,
  name: string,
  fields: Record<string, unknown>,
  key: number,
  who: string,
): void {
  const session = table.by[name]!.get(fields)
  const found = session && kind.read(session)?.key
  if (found !== key) {
    throw new Violation(
      `${who}: ${kind.name} finds by ${name} ${JSON.stringify(fields)} session ${found} instead of ${key}`,
    )
  }
}

/** Throws unless the tables hold exactly that, and show of it what has not expired. */
export function demandContent(process: SimProcess, history: History, content: Content, when: string): void {
  for (const [i, kind] of process.plan.tables.kinds.entries()) {
    const rows = readRows(kind, process.tables[i]!, process.name)
    let live = 0
    for (const version of content[i]!.values()) {
      if (version.row === undefined || !history.lives(version, process.tables[i]!.ticks)) continue
      live++
      const row = rows.get(version.key)
      if (row?.version !== version.row.version || row.value !== version.row.value) {
        throw new Violation(
          `${process.name}, ${when}: ${kind.name} key ${version.key} should be write ${show(version.row)} and is ${show(row)}`,
        )
      }
    }
    if (live !== rows.size) {
      throw new Violation(
        `${process.name}, ${when}: ${kind.name} holds ${rows.size} sessions instead of ${live}`,
      )
    }
  }
}

function show(row: Row | undefined): string {
  return row === undefined ? 'absent' : `${row.version} (value ${row.value})`
}

/**
 * What tables hold that are no one state of a primary: every session must still be one that somebody wrote. An absent
 * session stands for the write in `otherwise` that deleted it, if there is one.
 */
export function contentOf(process: SimProcess, history: History): Content {
  return process.plan.tables.kinds.map((kind, i) => {
    const keys = new Map<number, Version>()
    for (const [key, row] of readRows(kind, process.tables[i]!, process.name)) {
      const version = history.versions.get(row.version)
      if (version === undefined || version.table !== i || version.key !== key) {
        throw new Violation(`${process.name}: ${kind.name} key ${key} holds write ${row.version}, never made`)
      }
      if (version.row?.value !== row.value) {
        throw new Violation(`${process.name}: ${kind.name} key ${key} holds a part of write ${row.version}`)
      }
      keys.set(key, version)
    }
    return keys
  })
}

/** The twin's indexes look through all rows, which is right by itself and slow; those of an expiring table change with time. */
const isIndexed = (kind: TableKind, table: SimTable): boolean =>
  'tag' in table.by && !(table instanceof TwinTable) && kind.timeoutTicks === undefined

/** Four bytes at a time; each step mixes high bits down, so that no two words cancel out. */
function hashBytes(start: number, bytes: Uint8Array): number {
  let hash = start
  let i = 0
  for (; i + 4 <= bytes.length; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    hash = Math.imul(hash ^ word, 0x01000193)
    hash ^= hash >>> 15
  }
  for (; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash
}

/** Of the tags, one in so many is looked for. */
const TAG_STEP = 8

/** A number for all that the tables hold, record ids included, from their images, and for what an index finds that holds nothing back. */
export function hashImages({ tables, plan }: SimProcess): number {
  let hash = 0x811c9dc5
  for (const [i, table] of tables.entries()) {
    for (let segment = 0; segment < table.segments; segment++) {
      const image = table.image(segment)
      hash = hashBytes(Math.imul(hash ^ image.length, 0x01000193), image)
    }
    if (!isIndexed(plan.tables.kinds[i]!, table) || hasPickup(plan.tables, i)) continue
    // Two nodes that hold the same look for the same few tags; which, is another few each time.
    for (let tag = 1 + ((hash >>> 0) % TAG_STEP); tag <= TAGS; tag += TAG_STEP) {
      const session = table.by.tag!.get({ tag })
      hash = Math.imul(hash ^ (session === undefined ? -1 : Number(session.id)), 0x01000193)
    }
  }
  return hash >>> 0
}
