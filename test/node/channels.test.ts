// Channels of node:diagnostics_channel: each event of a node, with the node it is of, and nothing that listening alone costs.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CHANNEL_EVENTS } from '../../src/channels.ts'
import { EVENT_NAMES } from '../../src/events.ts'
import { closing, PATIENT, tables, until } from './support.ts'

const test = suite('channels')

interface Message {
  id: string
  node: unknown
  event: unknown
}

/** Hears a channel until it is closed. */
function hear(name: string): { heard: Message[]; close(): Promise<void> } {
  const heard: Message[] = []
  const listener = (message: unknown) => void heard.push(message as Message)
  subscribe(`holdfast:${name}`, listener)
  return {
    heard,
    async close() {
      unsubscribe(`holdfast:${name}`, listener)
    },
  }
}

test('every event has a channel, but those that tables copy sessions for', () => {
  const without = EVENT_NAMES.filter((name) => !CHANNEL_EVENTS.includes(name))
  assert.equal(without, ['expired', 'evicted'])
})

test('a role goes through its channel as it goes to listeners, with the node it is of', () =>
  closing(async (opened) => {
    const roles = hear('role')
    opened.push(roles)
    const pair = await createPair({ tables, heartbeat: PATIENT })
    opened.push(pair)
    const { a, b } = pair
    const listened: unknown[] = []
    b.on('role', (event) => listened.push(event))
    await a.handover()
    await until('b was told', () => listened.length > 0)
    const last = roles.heard.findLast(({ node }) => node === b)!
    assert.is(last.id, 'b')
    assert.is(last.event, listened.at(-1))
    assert.ok(roles.heard.some(({ node }) => node === a))
  }))

test('a loss of a link, and of a node, are told for each node', () =>
  closing(async (opened) => {
    const links = hear('link')
    const peers = hear('peer')
    opened.push(links, peers)
    const pair = await createPair({ tables, heartbeat: PATIENT })
    opened.push(pair)
    pair.m1.cut()
    const isDown = (of: unknown) =>
      links.heard.some(({ node, event }) => node === of && !(event as { up: boolean }).up)
    await until('both tell it', () => isDown(pair.a) && isDown(pair.b))
    await pair.b.close()
    const isLost = ({ node, event }: Message) => node === pair.a && !(event as { alive: boolean }).alive
    await until('a tells that b is gone', () => peers.heard.some(isLost))
  }))

test.run()
