// The small parts of the core, each alone with a jumped clock: timers, detector, death watch, streams, waiters.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DeathWatch } from '../../src/core/death.ts'
import { Detector } from '../../src/core/detector.ts'
import { ReceiveStream, SendStream } from '../../src/core/stream.ts'
import { Timers } from '../../src/core/timers.ts'
import { Waiters } from '../../src/core/waiters.ts'

test('timers give the earliest deadline and each passes once', () => {
  const timers = new Timers<'x' | 'y'>()
  timers.set('x', 10)
  timers.set('y', 5)
  assert.is(timers.next(), 5)
  assert.is(timers.due('y', 4), false)
  assert.is(timers.due('y', 5), true)
  assert.is(timers.due('y', 6), false)
  assert.is(timers.next(), 10)
})

test('a peer is silent after interval x lost + interval / 2', () => {
  const detector = new Detector({ interval: 50, lost: 4 })
  assert.is(detector.boundMs, 225)
  assert.is(detector.isSilent(1e9), false, 'nothing is expected before the first life')
  detector.handleLife(1_000)
  assert.is(detector.isSilent(1_224.9), false)
  assert.is(detector.isSilent(1_225), true)
})

test('a late wake buys time, at most one bound, at most eight times', () => {
  const detector = new Detector({ interval: 50, lost: 4 })
  detector.handleLife(0)
  detector.handleWake(50, 1_000)
  assert.is(detector.isSilent(1_000), false)
  assert.is(detector.isSilent(1_224), false)
  assert.is(detector.isSilent(1_225), true)
  for (let i = 1; i < 8; i++) detector.handleWake(1_000, 2_000 + i)
  assert.is(detector.deadline, 2_007 + 225)
  detector.handleWake(2_000, 3_000)
  assert.is(detector.deadline, 3_005, 'the ninth buys the moment to read the sockets')
  detector.handleLife(40_000)
  detector.handleWake(40_000, 40_100)
  assert.is(detector.graceUntil, 40_200, 'life resets the count')
})

test('lateness is remembered: silence must outlast the bound by it', () => {
  const detector = new Detector({ interval: 50, lost: 4 })
  detector.handleWake(0, 80)
  detector.handleLife(100)
  assert.is(detector.deadline, 100 + 225 + 80)
  detector.handleWake(200, 230)
  detector.handleLife(240)
  assert.is(detector.deadline, 240 + 225 + 40, 'half of the worse one, or the last')
  detector.handleWake(300, 5_000)
  detector.handleLife(5_010)
  assert.is(detector.deadline, 5_010 + 2 * 225, 'at most one bound')
  detector.handleLife(5_700)
  assert.is(detector.deadline, 5_700 + 225, 'forgotten after four bounds')
})

test('every late wake buys the moment to read the sockets, until sixteen bounds have been silent', () => {
  const detector = new Detector({ interval: 50, lost: 4 })
  detector.handleLife(0)
  let now = 0
  while (now + 60 < 16 * 225) {
    detector.handleWake(now, (now += 60))
    assert.is(detector.isSilent(now), false)
    assert.ok(detector.readingUntil >= now + 5)
  }
  now += 60
  detector.handleWake(now - 60, now)
  assert.is(detector.isSilent(now), true)
})

test('a wake in time buys nothing', () => {
  const detector = new Detector({ interval: 50, lost: 4 })
  detector.handleLife(0)
  detector.handleWake(225, 226)
  assert.is(detector.isSilent(226), true)
})

test('death: every link that was up must have ended and refused', () => {
  const death = new DeathWatch(50)
  death.handleEnd(0, [true, true], 10)
  death.handleRefused(0, 11)
  assert.is(death.isDead(10), false)
  death.handleEnd(1, [false, true], 11)
  assert.is(death.isDead(11), false)
  assert.is(death.wantsProbe(1), true)
  assert.is(death.deadline, undefined)
  death.handleRefused(1, 12)
  assert.is(death.isDead(12), true)
  assert.is(death.deadline, 12)
})

test('death: a link that was down already is not asked', () => {
  const death = new DeathWatch(50)
  death.handleEnd(1, [false, true], 10)
  death.handleRefused(1, 11)
  assert.is(death.isDead(10), true)
})

test('death: a refusal without an ended stream proves nothing', () => {
  const death = new DeathWatch(50)
  death.handleRefused(0, 11)
  assert.is(death.isDead(10), false)
})

test('death: life on a stream still open voids all evidence', () => {
  const death = new DeathWatch(50)
  death.handleEnd(0, [true, true], 10)
  death.handleRefused(0, 11)
  death.handleLife(11)
  assert.is(death.wantsProbe(0), false)
})

test('death: life after all streams ended asks for a new refusal and two intervals of silence', () => {
  const death = new DeathWatch(50)
  death.handleEnd(0, [true, false], 10)
  death.handleRefused(0, 11)
  death.handleLife(12)
  assert.is(death.isDead(12), false)
  death.handleRefused(0, 11)
  assert.is(death.isDead(50), false)
  assert.is(death.deadline, 112)
  assert.is(death.isDead(112), true)
})

test('every frame arrives once and in order over two links that stall, close and open at random', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom('push' as const, 'ack' as const), link: fc.constant(0) }),
    fc.record({ do: fc.constantFrom('send' as const, 'open' as const, 'close' as const), link: fc.nat(1) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const send = new SendStream()
      const receive = new ReceiveStream()
      const got: number[] = []
      let pushed = 0
      const deliver = (link: number) => {
        const frame = send.poll(link)
        if (frame === undefined) return false
        const copy = receive.accept(frame[0]!)
        assert.is.not(copy, 'gap')
        if (copy === 'new') got.push(frame[0]!)
        return true
      }
      for (const { do: what, link } of steps) {
        if (what === 'push' && pushed < 250) send.push(++pushed, Uint8Array.of(pushed))
        else if (what === 'ack') assert.ok(send.handleAck(receive.received))
        else if (what === 'open') send.open(link)
        else if (what === 'close') send.close(link)
        else if (what === 'send') deliver(link)
      }
      send.open(0)
      while (deliver(0));
      assert.equal(
        got,
        Array.from({ length: pushed }, (_, i) => i + 1),
      )
      assert.ok(send.handleAck(receive.received))
      assert.is(send.outstandingBytes, 0)
      assert.is(send.handleAck(pushed + 1), false)
    }),
    { numRuns: 500 },
  )
})

test('callers between two flushes share one group; it is held when its position is', () => {
  const settled: string[] = []
  const waiters = new Waiters((group, outcome) => settled.push(`${group} ${outcome}`))
  const first = waiters.join('reject', undefined)
  assert.is(waiters.join('reject', undefined), first)
  const other = waiters.join('wait', undefined)
  assert.is.not(other, first)
  waiters.handleHeld(100)
  assert.equal(settled, [], 'not flushed yet')
  waiters.handleFlushed(7)
  assert.is(waiters.join('reject', 7), first, 'nothing was written since')
  assert.is.not(waiters.join('reject', undefined), first, 'something was')
  waiters.handleHeld(6)
  assert.equal(settled, [])
  waiters.handleHeld(7)
  assert.equal(settled, [`${first} held`, `${other} held`])
})

test('without a synced secondary only those who wait go on waiting', () => {
  const settled: string[] = []
  const waiters = new Waiters((group, outcome) => settled.push(`${group} ${outcome}`))
  waiters.join('reject', 1)
  waiters.join('resolve', 1)
  waiters.join('wait', 1)
  waiters.handleAlone()
  assert.equal(settled, ['1 alone', '2 alone'])
  waiters.handleEnded('not-primary')
  assert.equal(settled.at(-1), '3 not-primary')
})

test.run()
