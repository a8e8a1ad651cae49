// A stand-in for a node, in a process of its own: listens at argv[2] for TCP and UDP, sends back what it hears, says
// 'listening' when it does.
import dgram from 'node:dgram'
import net from 'node:net'

const [host, port] = process.argv[2].split(':')
const at = { host, port: Number(port) }
const socket = dgram.createSocket('udp4')
socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address))
socket.bind(at.port, at.host, () => {
  const server = net.createServer((connection) => {
    connection.on('error', () => {})
    connection.pipe(connection)
  })
  server.listen(at, () => console.log('listening'))
})
process.stdin.resume().on('end', () => process.exit())
