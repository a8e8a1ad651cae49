// What a node tells, for whoever watches the process rather than the node: one channel of node:diagnostics_channel for each
// event. Without a subscriber nothing is built.
import { channel } from 'node:diagnostics_channel'
import { EVENT_NAMES, type NodeEventName, type NodeEvents } from './events.ts'

/** Told only while somebody listens to the node itself: tables copy sessions for these. */
const LISTENED: readonly NodeEventName[] = ['expired', 'evicted']

/** Events that have a channel. */
export const CHANNEL_EVENTS: readonly NodeEventName[] = EVENT_NAMES.filter((name) => !LISTENED.includes(name))

const CHANNELS = new Map(CHANNEL_EVENTS.map((name) => [name, channel(`holdfast:${name}`)]))

/** `node`: what the application holds; undefined while it is being made. */
export function publish<Name extends NodeEventName>(
  name: Name,
  id: string,
  node: object | undefined,
  event: NodeEvents[Name],
): void {
  const one = CHANNELS.get(name)
  if (one?.hasSubscribers) one.publish({ id, node, event })
}
