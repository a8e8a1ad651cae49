// Who is let in to a handshake: the peer's address, few at once, few a second, none for long.
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isSameHost } from '../../src/io/address.ts'
import { Door, HANDSHAKES_MAX, HANDSHAKES_PER_SECOND } from '../../src/io/door.ts'

const test = suite('door')

class Visitor extends EventEmitter {
  remoteAddress: string | undefined = '10.0.1.2'
  remotePort: number
  bytesRead = 0
  destroyed = false

  constructor(remotePort: number) {
    super()
    this.remotePort = remotePort
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }

  get socket(): Socket {
    return this as unknown as Socket
  }
}

function start() {
  const refused: string[] = []
  const at = { now: 0 }
  const door = new Door(
    { host: '10.0.1.2', port: 7401 },
    () => at.now,
    (reason) => refused.push(reason),
  )
  let port = 0
  const visit = (bytesRead = 0) => {
    const visitor = new Visitor(++port)
    visitor.bytesRead = bytesRead
    return { visitor, isIn: door.enter(visitor.socket) }
  }
  return { door, refused, at, visit }
}

test('only the peer is heard, however its address is spelt', () => {
  const { door, refused } = start()
  for (const address of ['10.0.1.3', '::1', undefined]) {
    const visitor = new Visitor(1)
    visitor.remoteAddress = address
    assert.is(door.enter(visitor.socket), false)
    assert.ok(visitor.destroyed)
  }
  assert.equal(refused, ['tcp-address', 'tcp-address', 'tcp-address'])
  assert.ok(isSameHost('fd00::1', 'FD00:0:0::0001') && isSameHost('fe80::1%eth0', 'fe80::1'))
  assert.not.ok(isSameHost('fd00::1', 'fd00::2') || isSameHost('10.0.0.1', '10.0.0.10'))
})

test('one handshake too many ends the oldest', () => {
  const { door, refused, visit } = start()
  const visits = Array.from({ length: HANDSHAKES_MAX + 2 }, () => visit())
  assert.ok(visits.every(({ isIn }) => isIn))
  assert.equal(
    visits.map(({ visitor }) => visitor.destroyed),
    visits.map((_, i) => i < 2),
  )
  assert.equal(refused, ['tls-too-many', 'tls-too-many'])
  door.leave(visits[5]!.visitor.remotePort)
  visits[5]!.visitor.destroy()
  assert.is(refused.length, 2, 'one that was over and well is not counted')
})

test('more handshakes than a second allows are ended at once, and probes cost nothing', () => {
  const { refused, at, visit } = start()
  for (let i = 0; i < 300; i++) {
    const { visitor, isIn } = visit()
    assert.ok(isIn, 'a probe')
    visitor.destroy()
  }
  assert.equal(refused, [])
  for (let i = 0; i < HANDSHAKES_PER_SECOND; i++) visit(600).visitor.destroy()
  assert.is(visit(600).isIn, false)
  assert.equal([refused.filter((name) => name === 'tls-handshake').length, refused.at(-1)], [50, 'tls-rate'])
  at.now += 100
  const later = Array.from({ length: 6 }, () => visit(600).isIn)
  assert.equal(later, [true, true, true, true, true, false])
})

test('a broken rule is counted once', () => {
  const { door, refused, visit } = start()
  const { visitor } = visit(600)
  door.fail(visitor.remotePort)
  visitor.destroy()
  assert.equal(refused, ['tls-handshake'])
})

test.run()
