// Somebody who is not the peer, always on Node, whose TLS can be told to be old or anonymous: dials a node, or stands where
// its peer should be. Argument: JSON. Answers on standard output, in lines of JSON.
import net from 'node:net'
import tls from 'node:tls'

const { dials, listens, options = {}, ms = 3_000 } = JSON.parse(process.argv[2])
const say = (words) => console.log(JSON.stringify(words))
const split = (address) => {
  const [host, port] = address.split(':')
  return { host, port: Number(port) }
}

if (dials !== undefined) {
  const socket = tls.connect({ ...split(dials), ...options, rejectUnauthorized: false })
  let heard = 0
  socket.on('data', (bytes) => {
    heard += bytes.length
  })
  // What it would like to say, as soon as its own side believes in the connection.
  socket.once('secureConnect', () => socket.write(Buffer.alloc(100, 7)))
  socket.on('error', () => {})
  socket.once('close', () => say({ heard }))
  setTimeout(() => socket.destroy(), ms)
} else {
  let heard = 0
  let visits = 0
  const server = options.cert === undefined ? net.createServer() : tls.createServer(options)
  server.on('connection', () => visits++)
  server.on(options.cert === undefined ? 'connection' : 'secureConnection', (socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      heard += bytes.length
    })
    socket.write(Buffer.alloc(100, 7))
  })
  server.on('tlsClientError', () => {})
  const { host, port } = split(listens)
  server.listen(port, host, () => say({ listening: true }))
  process.stdin.on('end', () => {
    say({ heard, visits })
    process.exit()
  })
  process.stdin.resume()
}
