// What the application of a campaign does: sets, updates, writes through views, deletes, and long values, each stamped with
// its reign and a step, so that whoever reads a session can tell which write it is.
import { defineTable } from 'holdfast'

/** Ids of pages in what is told; those of sessions are below. */
const PAGES_FROM = 1_000_000
const IDS = 400
const PAGES = 60
const WRITES = 10
const BODY_MAX = 2_000
/** One run of writes in so many also deletes. */
const DELETES_EVERY = 4

export const tables = {
  sessions: defineTable({
    name: 'sessions',
    key: { id: 'u32' },
    fields: { reign: 'u53', step: 'u53' },
    capacity: 4_000,
  }),
  pages: defineTable({
    name: 'pages',
    key: { id: 'u32' },
    fields: { reign: 'u53', step: 'u53', body: 'text' },
    capacity: 500,
    arena: 2 * 1024 * 1024,
  }),
}

/** A value that no other write has; the beginning and the end are often those of the value before. */
function bodyOf(id, reign, step) {
  const length = (Math.imul(step, 2_654_435_761) >>> 0) % BODY_MAX
  const half = `${id}`.repeat(Math.ceil(length / 8))
  return `${half}<${reign}/${step}>${half}`
}

/** On the machine's monotonic clock, which all processes share, ms. */
const now = () => Number(process.hrtime.bigint()) / 1e6

export class Workload {
  #node
  #tell
  #step = 0
  #ticks = 0
  /** Ids about to be deleted: nothing else is written to them until they are. */
  #condemned = new Set()

  constructor(node, tell) {
    this.#node = node
    this.#tell = tell
  }

  /** [id, reign, step] of every session of both tables. */
  content() {
    const { sessions, pages } = this.#node.tables
    const all = [...sessions].map(({ id, reign, step }) => [id, reign, step])
    for (const { id, reign, step, body } of pages) {
      if (body !== bodyOf(id, reign, step))
        this.#tell({ told: 'error', text: `page ${id} of ${reign}/${step} holds ${body.slice(0, 60)}` })
      all.push([PAGES_FROM + id, reign, step])
    }
    return all
  }

  /** One synchronous run of writes, then the promise that they are held; an effect; sometimes deletes. */
  tick() {
    const node = this.#node
    if (node.role !== 'primary') return
    const { epoch } = node
    const writes = []
    const at = {}
    this.#trying(() => {
      for (let i = 0; i < WRITES; i++) this.#write(writes, epoch, at, i === 0)
    })
    this.#hold(epoch, writes)
    if (at.last !== undefined) this.#tell({ told: 'acted', epoch, from: at.first, to: at.last })
    node.gate((token) => this.#tell({ told: 'effect', epoch: token })).catch(() => {})
    if (++this.#ticks % DELETES_EVERY === 0) this.#delete(epoch)
  }

  #trying(body) {
    try {
      body()
    } catch (error) {
      if (error.code !== 'ERR_NOT_PRIMARY') this.#tell({ told: 'error', text: String(error.stack) })
    }
  }

  #hold(epoch, writes) {
    if (writes.length === 0) return
    this.#node.replicated({ alone: 'reject' }).then(
      () => this.#tell({ told: 'held', epoch, writes }),
      () => {},
    )
  }

  #write(writes, reign, at, isPage) {
    const id = Math.floor(Math.random() * (isPage ? PAGES : IDS))
    const told = isPage ? PAGES_FROM + id : id
    if (this.#condemned.has(told)) return
    const table = this.#node.tables[isPage ? 'pages' : 'sessions']
    const step = this.#step + 1
    const fields = isPage ? { reign, step, body: bodyOf(id, reign, step) } : { reign, step }
    const began = now()
    if (!this.#apply(table, { id }, fields)) return
    this.#step = step
    at.first ??= now()
    at.last = began
    writes.push([told, step])
  }

  /** False: there was no such session, and nothing was written. */
  #apply(table, key, fields) {
    const chance = Math.random()
    if (chance < 0.4) return table.update(key, fields)
    if (chance < 0.6) {
      const view = table.get(key)
      if (view !== undefined) Object.assign(view, fields)
      return view !== undefined
    }
    table.set(key, fields)
    return true
  }

  /**
   * Told before it is done, and done once that has left the process: whoever finds a session gone later, after this
   * process was killed, has heard that it may be.
   */
  #delete(epoch) {
    const ids = [Math.floor(Math.random() * IDS), PAGES_FROM + Math.floor(Math.random() * PAGES)]
    const free = ids.filter((id) => !this.#condemned.has(id))
    const deletes = free.map((id) => [id, ++this.#step])
    for (const id of free) this.#condemned.add(id)
    this.#tell({ told: 'deleting', epoch, deletes }, () => {
      const { sessions, pages } = this.#node.tables
      const done = []
      if (this.#node.epoch === epoch) {
        this.#trying(() => {
          for (const [id, step] of deletes) {
            const isGone = id < PAGES_FROM ? sessions.delete({ id }) : pages.delete({ id: id - PAGES_FROM })
            if (isGone) done.push([id, step])
          }
        })
        this.#hold(epoch, done)
      }
      for (const id of free) this.#condemned.delete(id)
    })
  }
}
