// The story, act by act: something is done to the cluster, and what nodes and clients saw of it is said in one line.
import { monotonicMs } from './child.mjs'
import { other } from './cluster.mjs'
import { count, ms } from './panel.mjs'

const STALL_MS = 1000

/**
 * @param {import('./cluster.mjs').Cluster} cluster started, no client has asked yet
 * @param {import('./display.mjs').Display} display
 * @param {{ quick: boolean }} options
 * @returns {Promise<Seen>} what was seen in each act
 * @typedef {Awaited<ReturnType<typeof tell>>} Seen
 */
export async function tell(cluster, display, { quick }) {
  const seen = { flows: cluster.flows }
  seen.fill = await fill(cluster, display, quick ? 2 : 12)
  seen.cut = await cutM1(cluster, display, quick ? 2 : 12)
  seen.kill = await killPrimary(cluster, display)
  seen.rejoin = await restart(cluster, display, seen.kill.dead)
  seen.handover = await handOver(cluster, display)
  seen.stall = await stall(cluster, display)
  return seen
}

async function fill(cluster, display, windows) {
  display.begin('fill')
  const first = cluster.primary
  const { epoch } = cluster.status[first]
  const { message = '' } = cluster.roles.findLast(({ id }) => id === first) ?? {}
  display.say('start', `${first} leads in epoch ${epoch}; ${other(first)} has a copy. ${message}`)
  const began = monotonicMs()
  await cluster.startLoad()
  await answered(cluster)
  const took = monotonicMs() - began
  // The same clients with nothing wrong: what later gaps have to be compared with.
  await cluster.load.call('mark')
  await pass(cluster, windows)
  const clients = await answered(cluster)
  await cluster.until(10_000, 'the secondary holds every session', () => cluster.protected)
  const { sessions } = cluster.status[cluster.primary].tables.flows
  display.say(
    'fill',
    `${count(sessions)} sessions in ${ms(took)}; answers wait ${ms(cluster.status[first].stats.waitMs)} for their ` +
      `flush; longest gap of a client ${ms(clients.gapMsMax)}`,
  )
  return { sessions, ms: took, clients }
}

async function cutM1(cluster, display, windows) {
  display.begin('cut M1')
  const changes = cluster.roles.length
  await cluster.load.call('mark')
  const cutAt = monotonicMs()
  await cluster.cables.call('cut', { link: 'm1' })
  await cluster.until(5000, 'both nodes see M1 down', () => both(cluster, ({ links }) => !links.m1.up))
  const noticed = monotonicMs() - cutAt
  await pass(cluster, windows)
  const clients = await answered(cluster)
  const failovers = cluster.roles.length - changes
  display.say(
    'cut M1',
    `noticed after ${ms(noticed)}; ${count(clients.lost)} lost, longest gap of a client ${ms(clients.gapMsMax)}; ` +
      (failovers === 0 ? `${cluster.primary} still leads` : `${failovers} CHANGES OF ROLE`),
  )
  display.begin('mend M1')
  const mendedAt = monotonicMs()
  await cluster.cables.call('mend', { link: 'm1' })
  await cluster.until(10_000, 'both nodes see M1 up again', () => both(cluster, ({ links }) => links.m1.up))
  display.say('mend M1', `up again after ${ms(monotonicMs() - mendedAt)}`)
  return { clients, failovers }
}

async function killPrimary(cluster, display) {
  await cluster.until(10_000, 'the primary is protected before it is killed', () => cluster.protected)
  const dead = cluster.primary
  const heir = other(dead)
  display.begin(`kill -9 ${dead}`)
  await cluster.load.call('mark')
  const changes = cluster.roles.length
  const killedAt = monotonicMs()
  cluster.gateways[dead].kill()
  const promotion = await cluster.until(10_000, `${heir} is promoted`, () =>
    cluster.roles.slice(changes).find(({ id, role }) => id === heir && role === 'primary'),
  )
  const clients = await answered(cluster)
  const promoteMs = promotion.at - killedAt
  display.say(
    `kill -9 ${dead}`,
    `${heir} promoted after ${ms(promoteMs)}. ${promotion.message} Nobody was answered for ` +
      `${ms(clients.silenceMsMax)}, longest gap of a client ${ms(clients.gapMsMax)}; ` +
      `${count(clients.kept)} of ${count(clients.flows)} flows kept NAT port and count`,
  )
  return { dead, heir, promoteMs, reason: promotion.reason, clients }
}

async function restart(cluster, display, id) {
  display.begin(`restart ${id}`)
  await cluster.load.call('mark')
  const began = monotonicMs()
  await cluster.startGateway(id)
  const readyAt = await cluster.gateways[id].call('ready', undefined, 20_000)
  await cluster.until(10_000, `${id} is synced and protects ${other(id)}`, () => cluster.protected)
  const proof = await cluster.gateways[cluster.primary].call('verify', undefined, 20_000)
  const clients = await answered(cluster)
  const { role, tables } = cluster.status[id]
  display.say(
    `restart ${id}`,
    `joined as ${role}, ${count(tables.flows.sessions)} sessions ${ms(readyAt - began)} after its process began; ` +
      `digests ${proof.equal ? 'equal' : 'DIFFER'}; longest gap of a client ${ms(clients.gapMsMax)}`,
  )
  return { ms: readyAt - began, digestEqual: proof.equal, role, clients }
}

async function handOver(cluster, display) {
  const from = cluster.primary
  const to = other(from)
  display.begin(`hand over from ${from} to ${to}`)
  await cluster.load.call('mark')
  const changes = cluster.roles.length
  const began = monotonicMs()
  await cluster.gateways[from].call('handover')
  const change = await cluster.until(10_000, `${to} takes over`, () =>
    cluster.roles.slice(changes).find(({ id, role }) => id === to && role === 'primary'),
  )
  const clients = await answered(cluster)
  const took = change.at - began
  display.say(
    'handover',
    `${to} leads after ${ms(took)}; ${count(lostIn(clients))} lost, longest gap of a client ` +
      `${ms(clients.gapMsMax)}. ${change.message}`,
  )
  await cluster.until(10_000, `${to} is protected`, () => cluster.protected)
  return { ms: took, lost: lostIn(clients), clients }
}

async function stall(cluster, display) {
  const id = cluster.primary
  display.begin(`block the main thread of ${id} for ${ms(STALL_MS)}`)
  await cluster.load.call('mark')
  const changes = cluster.roles.length
  await cluster.gateways[id].call('block', { ms: STALL_MS })
  const clients = await answered(cluster)
  const failovers = cluster.roles.slice(changes).filter(({ role }) => role === 'primary').length
  display.say(
    'stall',
    `main thread of ${id} blocked for ${ms(STALL_MS)}: ${failovers === 0 ? 'no failover' : `${failovers} FAILOVERS`}; ` +
      `longest gap of a client ${ms(clients.gapMsMax)}`,
  )
  return { failovers, clients }
}

/** The clients' report, once each of them has had an answer to a request made in this act. */
function answered(cluster) {
  const withinMs = cluster.paceMs + 8000
  return cluster.load.call('survey', { withinMs }, withinMs + 5000)
}

/** Lets the clients go on for so many of their reports. */
async function pass(cluster, windows) {
  for (let i = 0; i < windows; i++) await cluster.load.awaitEvent('window', 5000)
}

/** What a planned act cost: requests that nobody answered, and flows that did not go on. */
const lostIn = ({ lost, flows, kept }) => lost + flows - kept

const both = (cluster, holds) => ['a', 'b'].every((id) => cluster.status[id] && holds(cluster.status[id]))
