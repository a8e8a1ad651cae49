// Opens flows in the kernel, each by one datagram that goes nowhere: `node flows.js ADDRESS FLOWS`, inside the namespace
// that bench/peers/conntrackd.ts has made.
import dgram from 'node:dgram'
import { once } from 'node:events'
import { monotonicMs, tick } from '../lib/time.ts'

const SOCKETS = 64
const FIRST_PORT = 20_000
const FIRST_SERVICE = 10_000
const NOWHERE = '10.3.0.2'
/** Datagrams between two turns of the event loop. */
const TURN = 1024

const [address = '', count = '0'] = process.argv.slice(2)
const flows = Number(count)
const sockets = Array.from({ length: SOCKETS }, () => dgram.createSocket('udp4'))
for (const [n, socket] of sockets.entries()) {
  socket.bind(FIRST_PORT + n, address)
  await once(socket, 'listening')
}
console.log(`began ${monotonicMs()}`)
for (let sent = 0; sent < flows; ) {
  for (const end = Math.min(sent + TURN, flows); sent < end; sent++) {
    sockets[sent % SOCKETS]!.send('x', FIRST_SERVICE + Math.floor(sent / SOCKETS), NOWHERE)
  }
  await tick(0)
}
console.log('opened')
// It is ended by who started it: datagrams may still wait to be sent.
setInterval(() => {}, 1000)
