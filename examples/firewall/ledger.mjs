// What the kernel tells, entered into the tables of a primary: events one by one, or its whole table against ours.
import { FAMILIES, nameOf, ZERO } from './flow.mjs'
import { parseLine } from './parse.mjs'

/** Flows between two turns of the event loop: a few milliseconds. */
const PORTION = 1024

export class Ledger {
  /** Flows passed over, by reason; events by kind. */
  counts = { new: 0, update: 0, destroy: 0, full: 0, notKept: {} }
  #tables
  #ignored
  /** While the kernel's table is read: what it held, and what events have told since, which is newer. */
  #entries
  #touched

  /** @param {Iterable<string>} ignored addresses; a flow from or to one of them is none of ours */
  constructor(tables, ignored) {
    this.#tables = tables
    this.#ignored = new Set(ignored)
  }

  /** The node may cease to be primary between any two lines: the rest is left out then. */
  takeEvents(lines) {
    whilePrimary(() => {
      for (const line of lines) {
        const told = this.#read(line)
        if (told === undefined || told.event === 'entry') continue
        this.counts[told.event]++
        this.#touched?.add(nameOf(told.key))
        if (told.event === 'destroy') this.#tables[told.family].delete(told.key)
        else this.#put(told)
      }
    })
  }

  /** Whether one of these events tells of a flow of ours that is there. */
  hasOurs(lines) {
    return lines.some((line) => {
      const told = parseLine(line)
      if (told === undefined || told.event === 'destroy') return false
      return told.notKept === undefined && !this.#isIgnored(told.key)
    })
  }

  /** A flow that is ours to keep; others are counted. */
  #read(line) {
    const told = parseLine(line)
    if (told === undefined) return undefined
    const why = told.notKept ?? (this.#isIgnored(told.key) ? 'ignored' : undefined)
    if (why === undefined) return told
    this.counts.notKept[why] = (this.counts.notKept[why] ?? 0) + 1
    return undefined
  }

  #isIgnored({ src, dst }) {
    return this.#ignored.has(src) || this.#ignored.has(dst)
  }

  /** An update may leave out the state; a new flow in the place of an old one starts from zero. */
  #put({ event, family, key, fields }) {
    const table = this.#tables[family]
    try {
      if (event === 'new' || !table.update(key, fields)) table.set(key, fields)
      return true
    } catch (error) {
      if (error.code !== 'ERR_TABLE_FULL') throw error
      this.counts.full++
      return false
    }
  }

  /** Puts a line of a dump to the flows that are ours, or to those that are not. */
  sort(line, { flows, ignored }) {
    const told = parseLine(line)
    if (told === undefined) return
    if (told.notKept === undefined && !this.#isIgnored(told.key)) flows.push(told)
    else if (told.notKept === undefined) ignored.push({ ...ZERO, ...told.key, ...told.fields })
  }

  beginReconciling() {
    this.#entries = new Map()
    this.#touched = new Set()
  }

  takeEntry(line) {
    const told = this.#read(line)
    if (told !== undefined) this.#entries?.set(nameOf(told.key), told)
  }

  /**
   * Enters what was read, but for flows that events have told of since; drops what the kernel does not have. In portions,
   * with turns of the event loop between them; ends early when `goesOn()` says no.
   */
  async finishReconciling(goesOn) {
    let set = 0
    let deleted = 0
    const portion = portions()
    for (const [name, told] of this.#entries) {
      if ((await portion()) && !goesOn()) return undefined
      if (this.#touched.has(name)) continue
      const { timeout = 0 } = told.fields
      const session = this.#tables[told.family].get(told.key)
      // What is left of a time-out says less than the whole of it, which packets renew.
      if (session !== undefined && session.timeout > timeout) told.fields.timeout = session.timeout
      if (this.#put(told)) set++
    }
    const gone = []
    for (const family of FAMILIES) {
      for (const session of this.#tables[family]) {
        if ((await portion()) && !goesOn()) return undefined
        if (!this.#entries.has(nameOf(session))) gone.push([family, keyOf(session)])
      }
    }
    for (const [family, key] of gone) {
      if ((await portion()) && !goesOn()) return undefined
      if (!this.#touched.has(nameOf(key)) && this.#tables[family].delete(key)) deleted++
    }
    return { set, deleted }
  }

  endReconciling() {
    this.#entries = undefined
    this.#touched = undefined
  }
}

const keyOf = ({ proto, src, dst, sport, dport }) => ({ proto, src, dst, sport, dport })

/** Runs `body`, up to its first write that is refused because this node is not primary. */
function whilePrimary(body) {
  try {
    body()
  } catch (error) {
    if (error.code !== 'ERR_NOT_PRIMARY') throw error
  }
}

/** True after a turn of the event loop, which it takes now and then. */
function portions() {
  let count = 0
  return () => (++count % PORTION === 0 ? new Promise((resolve) => setImmediate(() => resolve(true))) : false)
}
