// Datagrams from strangers: counted by what is wrong with them, never answered, never believed.
import dgram from 'node:dgram'
import { once } from 'node:events'
import { createNode } from 'holdfast'
import { createCable } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, type Options, pairOptions, protectedPair, tables, until } from './support.ts'

const test = suite('datagrams')

const split = (address: string) => {
  const [host, port] = address.split(':') as [string, string]
  return { host, port: Number(port) }
}

async function bound(address: string): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4')
  const { host, port } = split(address)
  socket.bind(port, host)
  await once(socket, 'listening')
  return socket
}

test('datagrams before any hello are counted and not answered', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const node = await createNode(options.a)
    opened.push(node)
    const forger = await bound(options.a.links.m1.peer)
    opened.push({ close: async () => forger.close() })
    let answers = 0
    forger.on('message', () => answers++)
    const { host, port } = split(options.a.links.m1.listen)
    for (let i = 0; i < 50; i++) forger.send(Buffer.alloc(160, i), port, host)
    await until('they were counted', () => node.status().refusals['heartbeat-no-key'] === 50)
    assert.is(answers, 0)
    assert.is(node.status().peer, null)
  }))

test('forged, replayed and reflected heartbeats of a pair are counted by name and keep nobody alive', () =>
  closing(async (opened) => {
    // m1 runs through a tap in the place of a cable, so that what one end sends can be seen and sent again.
    const options = await pairOptions()
    const m2 = await createCable()
    opened.push(m2)
    const tapA = await pairOptions()
    const [endA, endB] = [tapA.a.links.m1.listen, tapA.a.links.m2.listen]
    const a: Options = {
      ...options.a,
      tables,
      links: { m1: { listen: options.a.links.m1.listen, peer: endA }, m2: m2.link('a') },
    }
    const b: Options = {
      ...options.b,
      tables,
      links: { m1: { listen: options.b.links.m1.listen, peer: endB }, m2: m2.link('b') },
    }
    const towardsA = await bound(endA)
    const towardsB = await bound(endB)
    opened.push({ close: async () => towardsA.close() }, { close: async () => towardsB.close() })
    const nodeA = await createNode(a)
    opened.push(nodeA)
    const nodeB = await createNode(b)
    opened.push(nodeB)
    await protectedPair(nodeA, nodeB)

    const refusals = () => nodeB.status().refusals
    const { host, port } = split(b.links.m1.listen)
    const toB = (bytes: Uint8Array) => towardsB.send(bytes, port, host)
    const [heartbeat] = (await once(towardsA, 'message')) as [Buffer]
    toB(heartbeat)
    toB(heartbeat)
    await until('the copy is counted', () => refusals()['heartbeat-replayed'] === 1)
    for (let i = 0; i < heartbeat.length; i++) {
      const forged = Buffer.from(heartbeat)
      forged[i]! ^= 1
      toB(forged)
    }
    toB(heartbeat.subarray(1))
    toB(Buffer.concat([heartbeat, heartbeat]))
    await until(
      'forgeries are counted',
      () => refusals()['heartbeat-mac'] === heartbeat.length && refusals()['heartbeat-size'] === 2,
    )
    const [own] = (await once(towardsB, 'message')) as [Buffer]
    toB(own)
    await until('the mirror is counted', () => refusals()['heartbeat-reflected'] === 1)
    // With the stream cut, the forger goes on sending: b must find a dead all the same.
    const storm = setInterval(() => toB(heartbeat), 5)
    opened.push({ close: async () => clearInterval(storm) })
    m2.cut()
    await until('b acts', () => nodeB.role === 'primary')
    assert.is(nodeB.status().reason, 'peer-silent')
  }))

test.run()
