// One picture of the pair from what comes in: the status of one node (its admin server) or the report of a
// demonstration, which sees both nodes and their clients. Pure, but for the memory that rates need.

const RATE_MS = 1000
/** Without a word for so long, a running process of the demonstration has a blocked main thread. */
const BLOCKED_MS = 400

export class World {
  #rates = new Map()
  #metAt = -Infinity

  /** Two primaries met, says an event of the node. */
  handleSplit(now) {
    this.#metAt = now
  }

  /** @param {object} status body of GET /status */
  fromNode(status, now) {
    const { id, role, links, history, peer } = status
    return {
      kind: 'node',
      now,
      title: `node ${id}`,
      nodes: [{ id, role, state: 'running', status, peer: null }, this.#peer(peer, now)],
      links: this.#links(links, now, { m1: false, m2: false }),
      history: history.map((change) => ({ ...change, id })),
      clients: null,
      act: null,
      series: {
        sessions: [sessionsOf(status)],
        updates: [this.#changes(status, now)],
        lag: [lagOf(status)],
        last: [links.m1.rttMs, links.m2.rttMs],
      },
    }
  }

  /** @param {object} report what examples/demo/web.mjs tells */
  fromDemo(report, now) {
    const { nodes, cables, clients, roles, act, flows } = report
    const boxes = Object.entries(nodes).map(([id, node]) => demoNode(id, node))
    const awake = boxes.filter(({ state, status }) => state === 'running' && status)
    const lead = awake.find(({ role }) => role === 'primary') ?? awake[0]
    return {
      kind: 'demo',
      now,
      title: `demonstration: ${flows.toLocaleString('en-US')} clients`,
      nodes: boxes,
      links: this.#links(lead?.status.links, now, cables),
      history: roles,
      clients,
      act,
      series: {
        sessions: boxes.map(({ state, status }) => (state === 'gone' || !status ? null : sessionsOf(status))),
        updates: [lead?.role === 'primary' ? lead.status.stats.packetsPerSecond : null],
        lag: [lead?.role === 'primary' ? lagOf(lead.status) : null],
        last: [clients.gapMs],
      },
    }
  }

  #peer(peer, now) {
    if (peer === null) return { id: 'peer', role: 'starting', state: 'unknown', status: null, peer: null }
    const { id, alive } = peer
    const role = now - this.#metAt < 5000 ? 'primary' : peer.role
    return { id, role, state: alive ? 'running' : 'silent', status: null, peer }
  }

  #links(links, now, cut) {
    const shown = (name) => {
      const link = links?.[name]
      if (!link) return { up: false, cut: cut[name], known: false }
      const bytes = this.#rate(name, link.bytesSent + link.bytesReceived, now)
      return { ...link, cut: cut[name], known: true, bytesPerSecond: link.up ? bytes : null }
    }
    return { m1: shown('m1'), m2: shown('m2') }
  }

  /** Changes of sessions a second, sent or applied, over all tables. */
  #changes({ tables, role }, now) {
    const way = role === 'primary' ? 'sent' : 'received'
    let sum = 0
    for (const table of Object.values(tables)) {
      const counts = table[way]
      if (counts === undefined) return null
      sum += counts.create + counts.update + counts.delete
    }
    return this.#rate(way, sum, now)
  }

  /** Of a count that grows, over the last second or more; null until that has passed. */
  #rate(name, value, now) {
    const rate = this.#rates.get(name)
    if (rate === undefined || value < rate.value) {
      this.#rates.set(name, { value, at: now, perSecond: null })
      return null
    }
    if (now - rate.at >= RATE_MS) {
      const perSecond = (1000 * (value - rate.value)) / (now - rate.at)
      this.#rates.set(name, { value, at: now, perSecond })
      return perSecond
    }
    return rate.perSecond
  }
}

function demoNode(id, { process, ageMs, status }) {
  const state = process === 'running' && ageMs > BLOCKED_MS ? 'blocked' : process
  if (state === 'running' && !status)
    return { id, role: 'starting', state: 'starting', status: null, peer: null }
  return { id, role: status?.role ?? 'starting', state, status, peer: null }
}

/** Null where there is no secondary to lag behind. */
const lagOf = ({ role, peer, lag }) => (role === 'primary' && peer?.alive ? lag.ms : null)

const sessionsOf = ({ tables }) => Object.values(tables).reduce((sum, { sessions }) => sum + sessions, 0)
