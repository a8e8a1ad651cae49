// time-out: 120 s
// Two nodes in network namespaces of their own, joined by two veth cables: real interfaces that go down, real silence,
// TLS on addresses that are not loopback. Needs root and iproute2; says so where they are missing.
import { spawnSync } from 'node:child_process'
import { makeIdentity } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Child, closing } from '../node/support.ts'

const test = suite('namespaces')
const names = { a: `hf-${process.pid}-a`, b: `hf-${process.pid}-b` }
type Name = keyof typeof names
interface Seen {
  role: string
  epoch: number
  reason: string
  synced: boolean
  protected: boolean
  tables: { sessions: { sessions: number } }
}

function ip(...args: string[]): void {
  const result = spawnSync('ip', args, { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`ip ${args.join(' ')}: ${result.error ?? result.stderr}`)
}

const able = process.getuid?.() === 0 && spawnSync('ip', ['-V']).status === 0

/** Both namespaces with cables m1 (10.71.1.0/24) and m2 (10.71.2.0/24). */
function layCables(): void {
  for (const name of Object.values(names)) ip('netns', 'add', name)
  for (const link of [1, 2]) {
    ip(
      'link',
      'add',
      `m${link}`,
      'netns',
      names.a,
      'type',
      'veth',
      'peer',
      'name',
      `m${link}`,
      'netns',
      names.b,
    )
    for (const [i, name] of Object.values(names).entries()) {
      ip('-n', name, 'addr', 'add', `10.71.${link}.${i + 1}/24`, 'dev', `m${link}`)
      ip('-n', name, 'link', 'set', `m${link}`, 'up')
    }
  }
}

const setLink = (name: Name, link: 1 | 2, state: 'up' | 'down') =>
  ip('-n', names[name], 'link', 'set', `m${link}`, state)

async function startNode(
  name: Name,
  identities: Record<Name, { cert: string; key: string }>,
): Promise<Child> {
  const peer: Name = name === 'a' ? 'b' : 'a'
  const [mine, theirs] = name === 'a' ? [1, 2] : [2, 1]
  return Child.start(
    {
      id: name,
      peer,
      cluster: 'system',
      priority: name === 'a' ? 200 : 100,
      links: {
        m1: { listen: `10.71.1.${mine}:7401`, peer: `10.71.1.${theirs}:7401` },
        m2: { listen: `10.71.2.${mine}:7401`, peer: `10.71.2.${theirs}:7401` },
      },
      identity: { ...identities[name], trust: [identities[peer].cert] },
    },
    ['ip', 'netns', 'exec', names[name]],
  )
}

/** Asks until the answer satisfies the condition. */
async function untilStatus(what: string, child: Child, holds: (status: Seen) => boolean): Promise<Seen> {
  let last = (await child.ask('status')) as Seen
  const bound = performance.now() + 20_000
  while (!holds(last)) {
    if (performance.now() > bound) throw new Error(`not within 20 s: ${what}; last ${JSON.stringify(last)}`)
    last = (await child.ask('status')) as Seen
  }
  return last
}

if (able) {
  test('interfaces fail one by one, then together, and come back', () =>
    closing(async (opened) => {
      opened.push({
        close: async () => {
          for (const name of Object.values(names)) spawnSync('ip', ['netns', 'del', name])
        },
      })
      layCables()
      const identities = { a: await makeIdentity('a'), b: await makeIdentity('b') }
      const a = await startNode('a', identities)
      opened.push(a)
      const b = await startNode('b', identities)
      opened.push(b)
      await untilStatus('a is primary and protected', a, (status) => status.protected)
      assert.equal(await a.ask('fill', { from: 0, to: 5_000 }), { held: true })

      setLink('a', 1, 'down')
      assert.equal(await a.ask('fill', { from: 5_000, to: 6_000 }), { held: true }, 'over m2 alone')
      setLink('a', 1, 'up')
      setLink('b', 2, 'down')
      assert.equal(
        await a.ask('fill', { from: 6_000, to: 7_000 }),
        { held: true },
        'over m1 alone, soon after',
      )
      setLink('b', 2, 'up')
      assert.is(((await a.ask('status')) as Seen).role, 'primary')

      const firstEpoch = ((await a.ask('status')) as Seen).epoch
      setLink('a', 1, 'down')
      setLink('a', 2, 'down')
      const promoted = await untilStatus('b is promoted', b, (status) => status.role === 'primary')
      assert.is(promoted.reason, 'peer-silent')
      assert.is(promoted.tables.sessions.sessions, 7_000)
      assert.ok(promoted.epoch > firstEpoch)

      setLink('a', 1, 'up')
      setLink('a', 2, 'up')
      const joined = await untilStatus('a joins as secondary', a, (status) => status.synced)
      assert.is(joined.role, 'secondary')
      assert.is(joined.epoch, promoted.epoch)
      assert.equal(await b.ask('fill', { from: 7_000, to: 8_000 }), { held: true })
    }))
} else {
  test('SKIPPED: network namespaces need root and iproute2', () => undefined)
}

test.run()
