// The stream side of a link by itself: numbers, flushed bytes, ends, probes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseAddress } from '../../src/io/address.ts'
import { plainTransport } from '../../src/io/plain-transport.ts'
import { TcpLink } from '../../src/io/tcp-link.ts'
import { freeAddress } from '../../src/testing/index.ts'
import { until } from '../node/support.ts'

const test = suite('tcp link')

interface Heard {
  open: number[]
  bytes: number
  flushed: number
  closed: string[]
  failed: string[]
  probed: boolean[]
}

/** Both ends of one link, told what they heard. */
async function ends() {
  const [one, two] = [parseAddress(await freeAddress())!, parseAddress(await freeAddress())!]
  let streams = 0
  const make = (listen: typeof one, peer: typeof one) => {
    const heard: Heard = { open: [], bytes: 0, flushed: 0, closed: [], failed: [], probed: [] }
    const link = new TcpLink({ listen, peer }, plainTransport, () => ++streams, {
      open: (stream) => heard.open.push(stream),
      data: (_, bytes) => {
        heard.bytes += bytes.length
      },
      flushed: (_, bytes) => {
        heard.flushed += bytes
      },
      closed: (_, reason) => heard.closed.push(reason),
      dialFailed: (refused, reason) => heard.failed.push(`${refused} ${reason}`),
      probed: (refused) => heard.probed.push(refused),
      refusedIncoming: () => {},
      lost: () => {},
    })
    return { link, heard }
  }
  return { a: make(one, two), b: make(two, one) }
}

test('both ends of a dial get a number, and every byte is told as flushed and arrives', async () => {
  const { a, b } = await ends()
  await b.link.listen()
  a.link.dial()
  await until('both are open', () => a.heard.open.length === 1 && b.heard.open.length === 1)
  const [stream] = a.heard.open
  for (let i = 0; i < 100; i++) a.link.send(stream!, new Uint8Array(1_000))
  assert.is(b.heard.bytes, 0)
  a.link.flush()
  await until('it arrived', () => b.heard.bytes === 100_000)
  await until('it was told', () => a.heard.flushed === 100_000)
  await a.link.shut()
  await until('the end is told once', () => b.heard.closed.length === 1)
  assert.equal(a.heard.closed, [])
  await b.link.shut()
})

test('what was written before a close still goes out, even at a shut', async () => {
  const { a, b } = await ends()
  await b.link.listen()
  a.link.dial()
  await until('it is open', () => a.heard.open.length === 1)
  a.link.send(a.heard.open[0]!, new Uint8Array(50_000))
  await a.link.shut()
  await until('it arrived', () => b.heard.bytes === 50_000)
  await b.link.shut()
})

test('a dial and a probe tell a shut port from an open one', async () => {
  const { a, b } = await ends()
  a.link.dial()
  a.link.probe()
  await until('both are refused', () => a.heard.failed.length === 1 && a.heard.probed.length === 1)
  assert.equal(a.heard.failed, ['true ECONNREFUSED'])
  assert.equal(a.heard.probed, [true])
  await b.link.listen()
  a.link.probe()
  await until('the open port is seen', () => a.heard.probed.length === 2)
  assert.is(a.heard.probed[1], false)
  assert.equal(a.heard.open, [])
  await until('a probe comes and goes', () => b.heard.closed.length === 1)
  await b.link.shut()
})

test('a taken address rejects the listener with the reason of the system', async () => {
  const { a, b } = await ends()
  await b.link.listen()
  const error = await b.link.listen().catch((reason) => reason)
  assert.is(error.code, 'EADDRINUSE')
  await Promise.all([a.link.shut(), b.link.shut()])
})

test.run()
