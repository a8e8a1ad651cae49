// An enemy in a process of its own, driven over IPC by test/hostile/ports.test.ts: knows the addresses, sits on the path
// of link m1 if it is told to, and holds a key only where a command gives it one.
import { randomBytes } from 'node:crypto'
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import tls from 'node:tls'

const split = (address) => {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) }
}

/** Ends with what came back, at the other side's close, after `ms`, or when `over` resolves. */
async function converse(socket, say, ms, over = new Promise(() => {})) {
  let heard = 0
  const began = performance.now()
  socket.on('data', (bytes) => {
    heard += bytes.length
  })
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', () => resolve(true)))
  say(socket)
  const isClosed = await Promise.race([closed, wait(ms, false), over.then(() => false)])
  socket.destroy()
  return { heard, isClosed, ms: performance.now() - began }
}

/** Many conversations, so many at once. */
async function many(count, atOnce, one) {
  const all = []
  let left = count
  const work = async () => {
    while (left-- > 0) all.push(await one())
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work))
  return {
    closed: all.filter(({ isClosed }) => isClosed).length,
    heard: all.reduce((sum, { heard }) => sum + heard, 0),
    longestMs: Math.max(...all.map(({ ms }) => ms)),
  }
}

/** The first bytes of a true handshake. */
async function clientHello() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = tls.connect({ ...server.address(), host: '127.0.0.1', rejectUnauthorized: false })
  client.on('error', () => {})
  const [socket] = await once(server, 'connection')
  const [bytes] = await once(socket, 'data')
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}

async function bound(address) {
  const socket = dgram.createSocket('udp4')
  const { host, port } = split(address)
  socket.bind(port, host)
  await once(socket, 'listening')
  return socket
}

/** In the place of a cable: passes TCP and UDP of one link, and can add, hold back and repeat datagrams. */
class Tap {
  #sockets = {}
  #targets = {}
  #last = {}
  mode = 'pass'
  counts = { passed: 0, added: 0 }

  async open({ ends, nodes }) {
    for (const side of ['a', 'b']) {
      this.#targets[side] = split(nodes[side])
      this.#sockets[side] = await bound(ends[side])
      const far = side === 'a' ? 'b' : 'a'
      this.#sockets[side].on('message', (bytes) => this.#pass(far, bytes))
      this.#sockets[side].on('error', () => {})
      const { host, port } = split(ends[side])
      net
        .createServer((near) => {
          const out = net.connect({ ...this.#targets[far], localAddress: host })
          for (const socket of [near, out]) socket.setNoDelay(true).on('error', () => {})
          near.pipe(out).pipe(near)
          near.on('close', () => out.destroy())
          out.on('close', () => near.destroy())
        })
        .listen(port, host)
    }
  }

  /** A node sees it come from its peer's address. */
  #send(to, bytes) {
    const from = to === 'a' ? 'a' : 'b'
    this.#sockets[from].send(bytes, this.#targets[to].port, this.#targets[to].host)
  }

  #pass(to, bytes) {
    const before = this.#last[to]
    this.counts.passed++
    if (this.mode === 'reorder') {
      // Every second one is held back until the one after it has gone.
      if (before === undefined) this.#last[to] = bytes
      else {
        this.#send(to, bytes)
        this.#send(to, before)
        this.#last[to] = undefined
        this.counts.added++
      }
      return
    }
    this.#send(to, bytes)
    this.#last[to] = bytes
    if (this.mode !== 'replay') return
    this.#send(to, bytes)
    if (before !== undefined) this.#send(to, before)
    this.counts.added += before === undefined ? 1 : 2
  }

  /** Forgeries of a heartbeat's length, evenly, both ways. */
  async flood({ perSecond, ms }) {
    const forgeries = Array.from({ length: 64 }, () => Buffer.concat([Buffer.from('HF'), randomBytes(158)]))
    const began = performance.now()
    let sent = 0
    while (performance.now() - began < ms) {
      const due = ((performance.now() - began) / 1000) * perSecond
      // Never more than a hundredth of a second late at once: a storm, not a burst.
      for (let n = 0; sent < due && n < perSecond / 50; n++, sent++)
        this.#send(sent % 2 === 0 ? 'a' : 'b', forgeries[sent & 63])
      await wait(1)
    }
    return { sent, perSecond: sent / ((performance.now() - began) / 1000) }
  }
}

const tap = new Tap()
const insiders = {
  garbage: (socket) => socket.write(randomBytes(4_000)),
  silence: () => {},
  long: (socket) => socket.write(Buffer.from([255, 255, 255, 127, 33, 1, 0, 0])),
  endless: (socket) => {
    // A frame of 262,144 bytes before any hello, of which the last never come.
    socket.write(Buffer.concat([Buffer.from([0, 0, 4, 0, 1, 1, 0, 0]), Buffer.alloc(262_000)]))
  },
  early: (socket) => socket.write(Buffer.from([32, 0, 0, 0, 7, 1, ...Buffer.alloc(26)])),
}

const commands = {
  garbage: ({ address, count }) =>
    many(count, 16, () =>
      converse(net.connect(split(address)), (socket) => socket.write(randomBytes(600)), 8_000),
    ),
  async halves({ address, count }) {
    const hello = await clientHello()
    return many(count, 16, () => {
      const cut = Math.floor(Math.random() * hello.length)
      return converse(net.connect(split(address)), (socket) => socket.end(hello.subarray(0, cut)), 8_000)
    })
  },
  /** Says nothing, until all but so many were shown the door. */
  crowd({ address, count, stay, ms }) {
    let left = count
    let leave
    const over = new Promise((resolve) => {
      leave = resolve
    })
    return many(count, count, () => {
      const socket = net.connect(split(address))
      socket.once('close', () => {
        if (--left <= stay) leave()
      })
      return converse(socket, () => {}, ms, over)
    })
  },
  /** A handshake a byte at a time. */
  async loris({ address, count, ms }) {
    const hello = await clientHello()
    return many(count, count, () => {
      const socket = net.connect(split(address))
      let at = 0
      const drip = setInterval(() => {
        if (!socket.destroyed && at < hello.length - 1) socket.write(hello.subarray(at, ++at))
      }, 50)
      socket.on('close', () => clearInterval(drip))
      return converse(socket, () => {}, ms)
    })
  },
  insider: ({ address, identity, what, count, ms }) =>
    many(count, count, async () => {
      const socket = tls.connect({ ...split(address), ...identity, rejectUnauthorized: false })
      socket.on('error', () => {})
      await Promise.race([once(socket, 'secureConnect').catch(() => {}), wait(ms)])
      if (socket.destroyed) return { heard: 0, isClosed: true, ms: 0 }
      return converse(socket, insiders[what], ms)
    }),
  /** Datagrams from ports that are nobody's. */
  async strangers({ addresses, count }) {
    const socket = await bound('127.0.0.1:0')
    let answers = 0
    socket.on('message', () => answers++)
    socket.on('error', () => {})
    for (let i = 0; i < count; i++) {
      const { host, port } = split(addresses[i % addresses.length])
      socket.send(randomBytes(i % 2 === 0 ? 160 : 1 + (i % 1400)), port, host)
      if (i % 50 === 0) await wait(1)
    }
    await wait(200)
    socket.close()
    return { answers }
  },
  tap: (cable) => tap.open(cable),
  mode(mode) {
    tap.mode = mode
  },
  counts: () => tap.counts,
  flood: (what) => tap.flood(what),
}

process.on('message', async ({ call, command, argument }) => {
  try {
    process.send({ call, value: await commands[command](argument) })
  } catch (error) {
    process.send({ call, error: String(error.stack) })
  }
})
process.on('disconnect', () => process.exit())
