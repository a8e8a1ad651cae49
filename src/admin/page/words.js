// What a state means, in plain words. Pure: a world (world.js) goes in, sentences come out.
import { count, plural } from './format.js'

/** @returns {{ tone: 'good' | 'warn' | 'bad' | 'idle', text: string }} what the pair as a whole is */
export function pairState({ nodes }) {
  const leaders = nodes.filter(isLeader)
  if (leaders.length > 1) return { tone: 'bad', text: 'Two primaries' }
  if (leaders.length === 0) return { tone: 'bad', text: 'Nobody leads' }
  const [leader] = leaders
  if (leader.status === null) {
    const synced = nodes.some(({ status }) => status?.synced)
    return synced
      ? { tone: 'good', text: `${leader.id} leads, this node has a copy` }
      : { tone: 'warn', text: `${leader.id} leads, this node has no copy yet` }
  }
  if (leader.status.protected) return { tone: 'good', text: 'Protected' }
  return { tone: 'warn', text: 'Not protected' }
}

/** Undefined: nothing to shout about. */
export function alarm({ nodes, kind }) {
  if (nodes.filter(isLeader).length < 2) return undefined
  const epochs = nodes.map(({ id, status }) =>
    status ? `${id} in epoch ${status.epoch}` : `${id} as it says`,
  )
  const advice =
    kind === 'demo'
      ? 'Mend a link: they meet, the later epoch stays, and the other node says what it gives up.'
      : 'They have met: one gives way now, and tells what it gives up in conflict events.'
  return {
    title: 'Both nodes are primary',
    text: `Each believes that the other is dead: ${epochs.join(', ')}. ${advice}`,
  }
}

const isLeader = (node) => node.role === 'primary' && (node.state === 'running' || node.state === 'blocked')

/** @returns {{ role: string, tone: string, text: string }} one node's box */
export function nodeState(node, world) {
  const { state, role, status } = node
  if (state === 'gone')
    return { role: 'gone', tone: 'bad', text: 'Its process is gone, and its memory with it.' }
  if (state === 'starting') return { role: 'starting', tone: 'idle', text: 'Its process is being started.' }
  if (state === 'frozen')
    return { role: 'frozen', tone: 'bad', text: 'Its process stands still and does not know it.' }
  if (state === 'unknown') return { role: 'not met', tone: 'idle', text: 'This node has not met it yet.' }
  if (state === 'silent') {
    const text = 'Not heard on any link: it is dead, cut off, or standing still.'
    return { role: 'not heard', tone: 'bad', text }
  }
  if (state === 'blocked') {
    return {
      role,
      tone: 'warn',
      text: 'Its main thread is busy; its heartbeats go on from the other thread.',
    }
  }
  if (status === null) return peerState(node)
  if (role === 'primary') return primaryState(status, world)
  if (role !== 'secondary') return { role, tone: 'idle', text: 'Its role is not decided yet.' }
  if (status.synced) return { role, tone: 'good', text: 'Holds a full copy and can take over at once.' }
  return { role, tone: 'warn', text: filling(status.resync) }
}

function primaryState(status, { nodes }) {
  const role = 'primary'
  if (!status.acting)
    return { role, tone: 'warn', text: 'Lets no writes through: it hands over, stalls, or has no lease.' }
  if (status.protected) return { role, tone: 'good', text: 'Every session survives the loss of this node.' }
  const sessions = Object.values(status.tables).reduce((sum, { unprotected }) => sum + unprotected, 0)
  const other = nodes.find(({ id }) => id !== status.id)
  const why =
    other?.state === 'running' && other.role === 'secondary'
      ? 'its secondary is being filled'
      : 'no secondary holds them'
  return { role, tone: 'warn', text: `${plural(sessions, 'session')} would be lost with it: ${why}.` }
}

function peerState({ role, peer }) {
  const rest = peer.maintenance ? ' In maintenance.' : ''
  if (role === 'secondary') {
    const text = peer.synced ? 'Holds a full copy and can take over at once.' : 'Has no full copy yet.'
    return { role, tone: peer.synced ? 'good' : 'warn', text: text + rest }
  }
  if (role === 'primary') return { role, tone: 'good', text: `Leads.${rest}` }
  return { role, tone: 'idle', text: `Its role is not decided yet.${rest}` }
}

function filling(resync) {
  if (resync === null || resync.of === 0) return 'Not a full copy yet.'
  const share = Math.floor((100 * (resync.of - resync.left)) / resync.of)
  const what = resync.mode === 'full' ? 'Being filled' : 'Being compared and repaired'
  return `${what}: ${share} %, ${count(resync.left)} of ${count(resync.of)} left.`
}

/** What a screen reader is told when roles have changed. */
export function announcement({ id, role, message }) {
  return `Node ${id} is ${role}. ${message}`
}
