// What a cable does to bytes, datagrams and connects, on sockets of the real kernel.
import { once } from 'node:events'
import net from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Cable, createCable, freeAddress } from '../../src/testing/index.ts'
import { Peer, startProcess, until } from './peer.ts'

const test = suite('cable')

/** Two nodes and the cable between them, gone again whatever happens. */
async function between(run: (a: Peer, b: Peer, cable: Cable) => Promise<void>): Promise<void> {
  const cable = await createCable()
  const a = await Peer.start(cable.link('a'))
  const b = await Peer.start(cable.link('b'))
  try {
    await until('both nodes are seen', () => cable.status().up.a && cable.status().up.b)
    await run(a, b, cable)
  } finally {
    await cable.close()
    a.stop()
    b.stop()
  }
}

/** The node's end of a connection that the other node has just dialled and said `hello` on. */
async function acceptedBy(node: Peer, hello: string) {
  await until('the connection arrives', () => node.accepted.some(({ heard }) => heard === hello))
  return node.accepted.find(({ heard }) => heard === hello)!
}

const refusalMissing = () => assert.unreachable('it was not refused')

/** By now everything that was under way between two sockets of this process has arrived. */
async function roundTrips(): Promise<void> {
  const address = await freeAddress()
  const [host, port] = address.split(':')
  const server = net.createServer((socket) => socket.pipe(socket))
  server.listen(Number(port), host)
  await once(server, 'listening')
  const socket = net.connect(Number(port), host!)
  for (let trip = 0; trip < 10; trip++) {
    socket.write('x')
    await once(socket, 'data')
  }
  socket.destroy()
  server.close()
}

test('carries bytes both ways, whoever dials', () =>
  between(async (a, b) => {
    for (const [dialling, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const near = await dialling.dial()
      near.socket.write('hello')
      const far = await acceptedBy(other, 'hello')
      far.socket.write('well met')
      await near.hears('well met')
    }
  }))

test('carries datagrams, and each node sees them come from its configured peer', () =>
  between(async (a, b, cable) => {
    a.send('from a')
    b.send('from b')
    await until('both arrive', () => a.datagrams.length === 1 && b.datagrams.length === 1)
    assert.equal(a.datagrams, [{ text: 'from b', from: cable.link('a').peer }])
    assert.equal(b.datagrams, [{ text: 'from a', from: cable.link('b').peer }])
  }))

test('carries more bytes than the sockets hold, to a reader that comes late', () =>
  between(async (a, b) => {
    const near = await a.dial()
    near.socket.write('hello')
    const far = await acceptedBy(b, 'hello')
    far.socket.pause()
    const sent = 32 << 20
    near.socket.write(Buffer.alloc(sent, 1))
    await roundTrips()
    far.socket.resume()
    await until('all of it arrives', () => far.heard.length === sent + 'hello'.length)
  }))

test('a cut lets nothing pass and ends nothing; mended, the connection goes on with what waited', () =>
  between(async (a, b, cable) => {
    const near = await a.dial()
    near.socket.write('hello')
    const far = await acceptedBy(b, 'hello')
    cable.cut()
    near.socket.write(' again')
    far.socket.write('answer')
    a.send('lost')
    b.send('lost')
    await until('the datagrams are dropped', () => {
      const { ways } = cable.status()
      return ways['a->b'].dropped === 1 && ways['b->a'].dropped === 1
    })
    await roundTrips()
    assert.equal([near.heard, far.heard, near.ended, far.ended], ['', 'hello', false, false])
    cable.mend()
    await far.hears('hello again')
    await near.hears('answer')
    a.send('after')
    await until('a datagram passes again', () => b.datagrams.length === 1)
    assert.is(b.datagrams[0]?.text, 'after')
  }))

test('a connect during a cut is accepted, goes nowhere, and is carried on at its end', () =>
  between(async (a, b, cable) => {
    cable.cut()
    const near = await a.dial()
    near.socket.write('hello')
    await until('the cable holds it', () => cable.status().waiting === 1)
    await roundTrips()
    assert.is(b.accepted.filter(({ ended }) => !ended).length, 0)
    cable.mend()
    const far = await acceptedBy(b, 'hello')
    far.socket.write('well met')
    await near.hears('well met')
  }))

test('a cut of one way holds that way only', () =>
  between(async (a, b, cable) => {
    const near = await a.dial()
    near.socket.write('hello')
    const far = await acceptedBy(b, 'hello')
    cable.cut('a->b')
    near.socket.write(' again')
    far.socket.write('answer')
    await near.hears('answer')
    a.send('lost')
    b.send('heard')
    await until('one datagram passes', () => a.datagrams.length === 1)
    await until('one is dropped', () => cable.status().ways['a->b'].dropped === 1)
    assert.is(far.heard, 'hello')
    assert.is(b.datagrams.length, 0)
    cable.mend()
    await far.hears('hello again')
  }))

test('a stall holds bytes and lets datagrams pass', () =>
  between(async (a, b, cable) => {
    const near = await a.dial()
    near.socket.write('hello')
    const far = await acceptedBy(b, 'hello')
    cable.stall()
    near.socket.write(' again')
    a.send('beat')
    await until('the datagram passes', () => b.datagrams.length === 1)
    await roundTrips()
    assert.is(far.heard, 'hello')
    cable.mend()
    await far.hears('hello again')
  }))

test('datagrams are lost, doubled and delayed as asked, the same for the same seed', async () => {
  const arrived: string[][] = []
  for (let run = 0; run < 2; run++) {
    await between(async (a, b, cable) => {
      cable.impair({ loss: 0.3, duplicate: 0.2 })
      for (let i = 0; i < 100; i++) {
        a.send(`${i}`)
        const settled = () => cable.status().ways['a->b']
        const before = settled().datagrams + settled().dropped
        await until('it is through or lost', () => settled().datagrams + settled().dropped > before)
      }
      await until(
        'what passed has arrived',
        () => b.datagrams.length === cable.status().ways['a->b'].datagrams,
      )
      arrived.push(b.datagrams.map(({ text }) => text))
      assert.ok(cable.status().ways['a->b'].dropped > 15)
      cable.impair({ delayMs: 20 })
      const sent = performance.now()
      a.send('late')
      await until('the late one arrives', () => b.datagrams.at(-1)?.text === 'late')
      assert.ok(performance.now() - sent >= 19)
    })
  }
  assert.equal(arrived[0], arrived[1])
})

test('a connection that one node ends in order ends at the other after its last bytes, and can be made again', () =>
  between(async (a, b) => {
    const near = await a.dial()
    near.socket.write('hello')
    const far = await acceptedBy(b, 'hello')
    far.socket.end('farewell')
    await near.hears('farewell')
    await until('it ends', () => near.ended)
    assert.is(await a.knock(), 'connected')
  }))

test('while no process listens at the far side, the end towards it refuses', async () => {
  const cable = await createCable()
  const a = await Peer.start(cable.link('a'))
  try {
    assert.is(await a.knock(), 'ECONNREFUSED')
    const b = await Peer.start(cable.link('b'))
    await until('the node is seen', () => cable.status().up.b)
    let answer = await a.knock()
    while (answer === 'ECONNREFUSED') answer = await a.knock()
    assert.is(answer, 'connected')
    b.stop()
  } finally {
    await cable.close()
    a.stop()
  }
})

test('the death of a process ends its connections and refuses new ones within milliseconds', async () => {
  const cable = await createCable()
  const a = await Peer.start(cable.link('a'))
  const waits: number[] = []
  try {
    for (let round = 0; round < 5; round++) {
      const child = await startProcess(cable.link('b').listen)
      await until('the process is seen', () => cable.status().up.b)
      const near = await a.dial()
      near.socket.write('hello')
      await near.hears('hello')
      const killed = performance.now()
      child.kill('SIGKILL')
      await once(near.socket, 'close')
      assert.is(await a.knock(), 'ECONNREFUSED')
      waits.push(performance.now() - killed)
    }
    const median = waits.sort((one, other) => one - other)[2]!
    assert.ok(median < 100, `median of five: ${median.toFixed(1)} ms`)
  } finally {
    await cable.close()
    a.stop()
  }
})

test('a death behind a cut is passed on when the cable is mended', async () => {
  const cable = await createCable()
  const a = await Peer.start(cable.link('a'))
  try {
    const child = await startProcess(cable.link('b').listen)
    await until('the process is seen', () => cable.status().up.b)
    const near = await a.dial()
    near.socket.write('hello')
    await near.hears('hello')
    cable.cut()
    child.kill('SIGKILL')
    await once(child, 'exit')
    await roundTrips()
    assert.is(near.ended, false)
    assert.is(await a.knock(), 'connected')
    cable.mend()
    await until('the connection ends', () => near.ended)
    await until('the death is seen', () => !cable.status().up.b)
    assert.is(await a.knock(), 'ECONNREFUSED')
  } finally {
    await cable.close()
    a.stop()
  }
})

test('a cut opens the end towards a node that is down, as a black hole does, and mending shuts it again', async () => {
  const cable = await createCable()
  const a = await Peer.start(cable.link('a'))
  try {
    cable.cut()
    let answer = await a.knock()
    while (answer === 'ECONNREFUSED') answer = await a.knock()
    assert.is(answer, 'connected')
    cable.mend()
    assert.is(await a.knock(), 'ECONNREFUSED')
  } finally {
    await cable.close()
    a.stop()
  }
})

test('an address that is taken or not on the loopback is refused by name', async () => {
  const taken = await Peer.start({ listen: await freeAddress(), peer: '127.0.0.1:1' })
  const cable = await createCable()
  try {
    const endA = cable.link('a').peer
    await createCable({ endA: '192.0.2.1:7401' }).then(refusalMissing, (error) => {
      assert.is(error.code, 'ERR_CONFIG')
      assert.match(error.message, /endA: '192\.0\.2\.1:7401' is not a loopback address/)
    })
    const server = net.createServer().listen(Number(endA.split(':')[1]), '127.0.0.1')
    await once(server, 'listening')
    await createCable({ endA }).then(refusalMissing, (error) => {
      assert.is(error.code, 'ERR_CABLE_ADDRESS')
      assert.is(error.cause.code, 'EADDRINUSE')
    })
    server.close()
  } finally {
    await cable.close()
    taken.stop()
  }
})

test.run()
