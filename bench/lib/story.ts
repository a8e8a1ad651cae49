// The last events of a node, for whoever has to explain a failed run.
import type { HoldfastNode, TableDefinitions } from '../../src/index.ts'

const EVENTS_MAX = 20

/** Gives the last events, each call anew, oldest first. */
export function storyOf<Tables extends TableDefinitions>(node: HoldfastNode<Tables>): () => string {
  const events: string[] = []
  const log = (text: string) => {
    events.push(`${Math.round(performance.now())} ms: ${text}`)
    if (events.length > EVENTS_MAX) events.shift()
  }
  node.on('role', ({ role, epoch, message }) => log(`${role} in epoch ${epoch}. ${message}`))
  node.on('peer', ({ alive }) => log(alive ? 'hears its peer' : 'hears its peer no more'))
  node.on('synced', ({ synced }) => log(synced ? 'synced' : 'not synced'))
  node.on('unsynced', ({ reason }) => log(`unsynced: ${reason}`))
  node.on('link', ({ link, up, reason }) => log(`${link} ${up ? 'up' : `down: ${reason}`}`))
  node.on('error', (error) => log(String(error)))
  return () => {
    const { role, epoch, synced, links, peer } = node.status()
    const now = JSON.stringify({ at: Math.round(performance.now()), role, epoch, synced, peer, links })
    return [...events, now].join('\n    ')
  }
}
