// A store for hono-sessions over a table of a holdfast node: four functions.
import { defineTable, string } from 'holdfast'

/** The table: an id of hono-sessions is a UUID, its data is JSON. Sessions end half an hour after their last request. */
export const sessions = defineTable({
  name: 'sessions',
  key: { sid: string(36) },
  fields: { data: 'text' },
  capacity: 100_000,
  arena: 64 * 1024 * 1024,
  timeout: 30 * 60,
})

export class HonoStore {
  #node
  #table

  constructor(node, table) {
    this.#node = node
    this.#table = table
  }

  getSessionById(sid) {
    // Whoever sends a cookie chooses what stands in it.
    if (typeof sid !== 'string' || sid.length > 36) return null
    const session = this.#table.get({ sid })
    return session === undefined ? null : JSON.parse(session.data)
  }

  async createSession(sid, data) {
    this.#table.set({ sid }, { data: JSON.stringify(data) })
    await this.#held()
  }

  async persistSessionData(sid, data) {
    this.#table.set({ sid }, { data: JSON.stringify(data) })
    await this.#held()
  }

  async deleteSession(sid) {
    this.#table.delete({ sid })
    await this.#held()
  }

  /** hono-sessions answers after these have resolved: what it answers, the other node knows. */
  #held() {
    return this.#node.replicated({ alone: 'resolve' })
  }
}
