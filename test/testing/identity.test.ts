// Identities in use: two ends of a TLS connection that know each other by them.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeIdentity, type TestIdentity } from '../../src/testing/index.ts'

const test = suite('identity')

/** The name each side found in the other's certificate, or undefined where the client was refused. */
async function greet(server: TestIdentity, client: TestIdentity, trusted: TestIdentity) {
  const door = tls.createServer({
    ...server,
    ca: [trusted.cert],
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  const { port } = door.address() as AddressInfo
  const socket = tls.connect({
    ...client,
    host: '127.0.0.1',
    port,
    ca: [server.cert],
    checkServerIdentity: () => undefined,
    minVersion: 'TLSv1.3',
  })
  socket.on('error', () => {})
  door.on('tlsClientError', () => {})
  let seen: string | undefined
  door.on('secureConnection', (connection) => {
    const { CN } = connection.getPeerCertificate().subject
    seen = Array.isArray(CN) ? CN[0] : CN
    connection.end('welcome')
  })
  try {
    let heard = ''
    socket.on('data', (bytes) => {
      heard += bytes
    })
    await Promise.race([once(socket, 'close'), once(door, 'tlsClientError')])
    return heard === 'welcome' ? seen : undefined
  } finally {
    socket.destroy()
    door.close()
  }
}

test('two nodes with pinned identities know each other, a third is refused', async () => {
  const [a, b, c] = await Promise.all([makeIdentity('a'), makeIdentity('b'), makeIdentity('c')])
  assert.is(await greet(a, b, b), 'b')
  assert.is(await greet(a, c, b), undefined)
})

test('every identity is a new one', async () => {
  const [one, other] = await Promise.all([makeIdentity('a'), makeIdentity('a')])
  assert.is.not(one.key, other.key)
  assert.is.not(one.cert, other.cert)
})

test.run()
