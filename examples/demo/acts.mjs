// What the buttons of the page do to the cluster, and what the clients feel of each. One act is watched at a time: the
// next one ends the watching of the one before.
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMs } from './child.mjs'
import { other } from './cluster.mjs'
import { ms } from './panel.mjs'

const LOOK_MS = 250
/** An act is watched at least so long: detection, hold-downs and second thoughts take their time. */
const WATCH_MS_MIN = 3000
const WATCH_MS_MAX = 20_000

const NODES = ['a', 'b']
const LINKS = { m1: ['m1'], m2: ['m2'], both: ['m1', 'm2'] }

/** Per act: which targets it has, what it is called, and what it does. */
const ACTS = {
  kill: [NODES, (id) => `Killed ${id}`, (cluster, id) => cluster.killGateway(id)],
  freeze: [NODES, (id) => `Froze ${id}`, (cluster, id) => cluster.freeze(id)],
  wake: [NODES, (id) => `Woke ${id}`, (cluster, id) => cluster.wake(id)],
  restart: [NODES, (id) => `Restarted ${id}`, (cluster, id) => cluster.restartGateway(id)],
  'block-1': [NODES, (id) => `Blocked ${id} for 1 s`, (cluster, id) => block(cluster, id, 1000)],
  'block-3': [NODES, (id) => `Blocked ${id} for 3 s`, (cluster, id) => block(cluster, id, 3000)],
  handover: [NODES, (id) => `Handed over from ${id}`, (cluster, id) => call(cluster, id, 'handover')],
  cut: [Object.keys(LINKS), (link) => `Cut ${name(link)}`, (cluster, link) => lay(cluster, 'cut', link)],
  mend: [Object.keys(LINKS), (link) => `Mended ${name(link)}`, (cluster, link) => lay(cluster, 'mend', link)],
}

export class Acts {
  #cluster
  #latest = 0
  /** What is watched, or was watched last: { state, title, message, error, clients }; null before the first. */
  shown = null

  /** @param {import('./cluster.mjs').Cluster} cluster */
  constructor(cluster) {
    this.#cluster = cluster
  }

  static isKnown({ act, target } = {}) {
    return Object.hasOwn(ACTS, act) && ACTS[act][0].includes(target)
  }

  /** Resolves when it is done; watching goes on. */
  async press({ act, target }) {
    const [, title, run] = ACTS[act]
    const cluster = this.#cluster
    const turn = ++this.#latest
    const shown = { state: 'watching', title: title(target), message: '', error: '', clients: null }
    await cluster.load.call('mark')
    if (turn !== this.#latest) return
    this.shown = shown
    const begun = { at: monotonicMs(), changes: cluster.roles.length }
    void this.#watch(shown, turn, begun)
    try {
      await run(cluster, target)
    } catch (error) {
      shown.error = error.message
    }
  }

  async #watch(shown, turn, begun) {
    for (;;) {
      await sleep(LOOK_MS)
      if (turn !== this.#latest) return
      const tookMs = monotonicMs() - begun.at
      try {
        shown.clients = await this.#cluster.load.call('look')
      } catch {
        return // the demonstration ends
      }
      if (turn !== this.#latest) return
      shown.message = this.#changes(begun)
      const { seen, flows } = shown.clients
      if (tookMs > WATCH_MS_MAX || (tookMs > WATCH_MS_MIN && seen === flows)) {
        shown.state = 'done'
        return
      }
    }
  }

  /** The changes of role since, in a few words. */
  #changes({ at, changes }) {
    const promotions = this.#cluster.roles.slice(changes).filter(({ role }) => role === 'primary')
    if (promotions.length === 0) return 'No change of role.'
    return promotions.map(({ id, at: when }) => `${id} was promoted after ${ms(when - at)}.`).join(' ')
  }
}

/** A thread that is blocked answers late; nobody waits for it. */
async function block(cluster, id, blockMs) {
  running(cluster, id)
    .call('block', { ms: blockMs }, blockMs + 30_000)
    .catch(() => {})
}

function call(cluster, id, method) {
  return running(cluster, id).call(method, undefined, 20_000)
}

function running(cluster, id) {
  const gateway = cluster.gateways[id]
  if (!gateway) throw new Error(`${id} does not run; ${other(id)} may`)
  return gateway
}

async function lay(cluster, what, link) {
  for (const each of LINKS[link]) await cluster.layCable(what, each)
}

const name = (link) => (link === 'both' ? 'both links' : link.toUpperCase())
