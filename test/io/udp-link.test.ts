// The heartbeat side of a link by itself: what arrives, and what a shut port says.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseAddress } from '../../src/io/address.ts'
import { UdpLink } from '../../src/io/udp-link.ts'
import { freeAddress } from '../../src/testing/index.ts'
import { until } from '../node/support.ts'

const test = suite('udp link')

async function ends() {
  const [one, two] = [parseAddress(await freeAddress())!, parseAddress(await freeAddress())!]
  const make = (listen: typeof one, peer: typeof one) => {
    const heard = { sizes: [] as number[], refused: 0 }
    const link = new UdpLink(
      { listen, peer },
      {
        datagram: (bytes) => heard.sizes.push(bytes.length),
        refused: () => heard.refused++,
        lost: () => {},
      },
    )
    return { link, heard }
  }
  return { a: make(one, two), b: make(two, one), stranger: make(parseAddress(await freeAddress())!, one) }
}

test('datagrams reach the peer, and a shut port is told of without harm', async () => {
  const { a, b } = await ends()
  await a.link.open()
  await until('the shut port is told', () => {
    a.link.send(new Uint8Array(10))
    return a.heard.refused > 0
  })
  await b.link.open()
  await until('a datagram arrives', () => {
    a.link.send(new Uint8Array(20))
    return b.heard.sizes.includes(20)
  })
  a.link.shut()
  b.link.shut()
  a.link.send(new Uint8Array(30))
})

test('strangers are dropped by the system', async () => {
  const { a, b, stranger } = await ends()
  for (const { link } of [a, b, stranger]) await link.open()
  await until('the peer is heard', () => {
    stranger.link.send(new Uint8Array(99))
    b.link.send(new Uint8Array(1))
    return a.heard.sizes.length >= 20
  })
  assert.not(a.heard.sizes.includes(99))
  for (const { link } of [a, b, stranger]) link.shut()
})

test('a taken address rejects with the reason of the system', async () => {
  const { a } = await ends()
  await a.link.open()
  const error = await a.link.open().catch((reason) => reason)
  assert.is(error.code, 'EADDRINUSE')
  a.link.shut()
})

test.run()
