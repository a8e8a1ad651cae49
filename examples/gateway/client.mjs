// One client of the gateway, to watch by eye: a packet every half second, repeated until it is answered.
//   node client.mjs 127.0.0.1:9000
import dgram from 'node:dgram'
import { ipToNumber, Kind, numberToIp, readPacket, writePacket } from './packet.mjs'

const [host, port] = (process.argv[2] ?? '127.0.0.1:9000').split(':')
const PACE_MS = 500
const AGAIN_MS = 100

const flow = { clientIp: ipToNumber('10.0.0.1'), clientPort: 1024 + (process.pid % 60_000) }
const socket = dgram.createSocket('udp4')
let request = 0
let asked = 0
let timer

function ask() {
  socket.send(writePacket({ ...flow, kind: Kind.data, request }), Number(port), host)
  timer = setTimeout(ask, AGAIN_MS)
}

function next() {
  request++
  asked = performance.now()
  ask()
}

socket.on('message', (bytes) => {
  const answer = readPacket(bytes)
  if (answer?.request !== request) return
  clearTimeout(timer)
  const took = (performance.now() - asked).toFixed(1)
  console.log(
    `packet ${answer.packets} of this flow, NAT ${numberToIp(answer.natIp)}:${answer.natPort}, ` +
      `answered by ${answer.node} after ${took} ms`,
  )
  request++ // a second answer to the same packet is not of interest
  setTimeout(next, PACE_MS)
})
next()
