// Client and server of the firewalls' ground, each a process driven over IPC: { call, command, argument } is answered by
// { call, value }. `serve` echoes; `open` opens long connections that exchange a byte now and then and check the order;
// `churn` opens short ones at a rate; `mark` begins to count the gaps anew; `report` tells how all fared.
import net from 'node:net'

const TICK_MS = 1
const CONNECT_MS = 5000

/** The same clock in every process of a machine. */
const monotonicMs = () => Number(process.hrtime.bigint() / 1000n) / 1000

let connections = []
/** The longest time since the mark in which no byte came to anybody: from the last one before to the first one after. */
let silence = { from: 0, to: 0 }
let lastByteAt = 0

function handleBytes() {
  const now = monotonicMs()
  if (now - lastByteAt > silence.to - silence.from) silence = { from: lastByteAt, to: now }
  lastByteAt = now
}

let churning
const churned = { begun: 0, done: 0, failed: 0 }

function serve({ ports }) {
  const listening = ports.map((port) => {
    const server = net.createServer({ noDelay: true }, (socket) => {
      socket.on('data', (bytes) => socket.write(bytes))
      socket.on('error', () => {})
    })
    return new Promise((resolve) => server.listen({ port, host: '0.0.0.0', backlog: 4096 }, resolve))
  })
  return Promise.all(listening).then(() => undefined)
}

class Connection {
  sent = 0
  received = 0
  wrong = 0
  gapMs = 0
  error = undefined
  #last = 0
  #marked = 0

  constructor(socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      handleBytes()
      const now = performance.now()
      if (this.#last > 0) this.gapMs = Math.max(this.gapMs, now - this.#last)
      this.#last = now
      for (const byte of bytes) if (byte !== (this.received++ & 255)) this.wrong++
    })
    socket.on('error', (error) => {
      this.error ??= error.code
    })
    socket.on('end', () => {
      this.error ??= 'ended'
    })
  }

  send() {
    if (this.error === undefined) this.socket.write(Buffer.of(this.sent++ & 255))
  }

  mark() {
    this.gapMs = 0
    this.#marked = this.received
  }

  /** It lost no byte, got none out of order, and has got some since the mark. */
  get isAlive() {
    return this.error === undefined && this.wrong === 0 && this.received > this.#marked
  }
}

function connect(options) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ noDelay: true, ...options })
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error(`no connection within ${CONNECT_MS} ms`)))
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** Opens them one after the other, then has each send a byte every `everyMs`, spread evenly. */
async function open({ count, host, port, from, everyMs }) {
  for (let i = 0; i < count; i++) {
    const socket = await connect({ host, port, localAddress: from[i % from.length] })
    connections.push(new Connection(socket))
  }
  const began = performance.now()
  let turn = 0
  setInterval(() => {
    const due = ((performance.now() - began) / everyMs) * connections.length
    // After a stall the bytes that are due go at once, as many as one round has: the rest is left out.
    if (due - turn > connections.length) turn = due - connections.length
    for (; turn < due; turn++) connections[Math.floor(turn) % connections.length].send()
  }, TICK_MS)
}

/** Short connections: one byte, its echo, the end. */
function churn({ perSecond, host, port, from }) {
  const began = performance.now()
  churning = setInterval(() => {
    const due = ((performance.now() - began) / 1000) * perSecond
    for (; churned.begun < due; churned.begun++) {
      const localAddress = from[churned.begun % from.length]
      const socket = net.connect({ host, port, localAddress, noDelay: true })
      socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no answer')))
      socket.once('connect', () => socket.write('x'))
      socket.once('data', () => {
        churned.done++
        socket.end()
      })
      socket.once('error', () => {
        churned.failed++
      })
    }
  }, 5)
}

const commands = {
  serve,
  open,
  churn,
  mark() {
    lastByteAt = monotonicMs()
    silence = { from: lastByteAt, to: lastByteAt }
    for (const connection of connections) connection.mark()
  },
  quiet() {
    clearInterval(churning)
  },
  /** `alive`: no error, no wrong byte, an echo since the mark. `gaps`: the longest of each of these, ms, ascending. */
  report() {
    const alive = connections.filter((one) => one.isAlive)
    return {
      alive: alive.length,
      wrong: connections.reduce((sum, one) => sum + one.wrong, 0),
      errors: connections.flatMap(({ error }) => (error === undefined ? [] : [error])),
      exchanged: connections.reduce((sum, one) => sum + one.received, 0),
      gaps: alive.map(({ gapMs }) => gapMs).sort((a, b) => a - b),
      churned: { ...churned },
      silence,
    }
  },
  close() {
    for (const { socket } of connections) socket.destroy()
    connections = []
  },
}

process.on('message', async ({ call, command, argument }) => {
  try {
    process.send({ call, value: await commands[command](argument) })
  } catch (error) {
    process.send({ call, error: String(error.stack) })
  }
})
process.on('disconnect', () => process.exit())
