// time-out: 120 s
// examples/rate-limits as real processes: clients use up their quotas while the primary is killed. Nobody gets more than the
// quota, nothing that was not used is lost but what was in the killed process' hands, and who was shut out stays so.
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Answer, request } from '../adapters/support.ts'
import { inServers } from './servers.ts'

const test = suite('rate-limits')
const KEYS = 4
const CLIENTS_PER_KEY = 10
const POINTS = 100

test('forty clients use up four quotas over a kill, and get what there is', () =>
  inServers('rate-limits', {}, async ({ port, start }) => {
    const began = Date.now()
    const a = start('a')
    await a.says(/a: primary/)
    const b = start('b')
    await a.says(/a: both nodes hold/)

    const ask = (at: number, key: string, size: string): Promise<Answer | undefined> =>
      request(at, `/answers/${size}`, 'GET', { 'x-api-key': key }).catch(() => undefined)

    // Beyond 150 points a key is shut out for five minutes.
    for (let i = 0; i < 16; i++) await ask(port.a, 'greedy', 'large')
    const shut = await ask(port.a, 'greedy', 'small')
    assert.is(shut!.status, 429)
    assert.ok(Number(shut!.headers['retry-after']) > 60)

    const keys = Array.from({ length: KEYS }, (_, i) => `key ${i}`)
    const answered = new Map(keys.map((key) => [key, 0]))
    let brokenOff = 0
    let killed = false
    const windowsBegan = Date.now()
    const client = async (key: string) => {
      let at = port.a
      for (;;) {
        const answer = await ask(at, key, 'small')
        if (answer?.status === 429) return
        if (answer?.status === 200) answered.set(key, answered.get(key)! + 1)
        else {
          // Refused or broken off: perhaps counted, and certainly not answered.
          if (answer === undefined && at === port.a) brokenOff++
          at = at === port.a ? port.b : port.a
          assert.ok(Date.now() - began < 90_000, 'no primary')
        }
        if (!killed && [...answered.values()].every((count) => count > POINTS / 3)) {
          killed = true
          a.kill()
        }
        await wait(1)
      }
    }
    await Promise.all(keys.flatMap((key) => Array.from({ length: CLIENTS_PER_KEY }, () => client(key))))
    assert.ok(killed)
    await b.says(/b: primary\. /)

    // In a minute of their own, quotas are exact; a machine that needed longer has begun new ones.
    if (Date.now() - windowsBegan < 55_000) {
      let missing = 0
      for (const [key, count] of answered) {
        assert.ok(count <= POINTS, `${key} got ${count} answers of ${POINTS}`)
        missing += POINTS - count
      }
      console.log(
        `${KEYS * POINTS - missing} of ${KEYS * POINTS} points answered, ${brokenOff} requests broke off`,
      )
      const usage = JSON.parse((await request(port.b, '/usage/key%200')).body)
      assert.is(usage.left, 0)
      assert.ok(missing <= brokenOff, `${missing} points were lost, ${brokenOff} requests broke off`)
    }
    const still = await ask(port.b, 'greedy', 'small')
    assert.is(still!.status, 429)
    assert.ok(Number(still!.headers['retry-after']) > 60)
  }))

test.run()
