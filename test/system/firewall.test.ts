// time-out: 300 s
// Two firewalls with NAT in network namespaces, as bench/firewall/ground.ts lays them, with the example as users start it:
// 200 connections exchange bytes through one while others come and go; it is lost in several ways, and all 200 go on
// through the other. Needs root, a kernel with nf_conntrack, conntrack, nft and ip; says so where one is missing.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeIdentity } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FirewallProcess, Traffic } from '../../bench/firewall/actors.ts'
import { CLIENTS, FirewallGround, type FirewallName, missing, SERVER } from '../../bench/firewall/ground.ts'

const test = suite('firewall')
const COUNT = 200
/** Wide apart: this is not about how soon a loss is noticed. */
const PATIENT = ['--heartbeat', '100,10']

interface Scene {
  readonly ground: FirewallGround
  readonly client: Traffic
  start(name: FirewallName, more?: readonly string[]): Promise<FirewallProcess>
}

let scenes = 0

async function scene(body: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-firewall-'))
  const ground = new FirewallGround(`${process.pid}-${scenes++}`, folder)
  const identities = { a: await makeIdentity('a'), b: await makeIdentity('b') }
  const opened: { close(): Promise<void> }[] = []
  try {
    ground.lay()
    const server = new Traffic(ground, 'server')
    opened.push(server)
    const client = new Traffic(ground, 'client')
    opened.push(client)
    await server.ask('serve', { ports: [7000, 7001] })
    await body({
      ground,
      client,
      async start(name, more = []) {
        const one = new FirewallProcess(ground, folder, name, identities, [...PATIENT, ...more])
        opened.push(one)
        await one.until('started')
        return one
      },
    })
  } finally {
    for (const one of opened.reverse()) await one.close()
    ground.clear()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function talk(client: Traffic, count = COUNT): Promise<void> {
  const [host, from] = [SERVER, CLIENTS]
  await client.ask('open', { count, host, port: 7000, from, everyMs: 50 })
  await client.mark()
  await client.until(`${count} talk`, ({ alive }) => alive === count)
}

/** a leads with the addresses, b follows, clients talk through a, and b holds every connection. */
async function pair({ client, start }: Scene): Promise<{ a: FirewallProcess; b: FirewallProcess }> {
  const a = await start('a')
  await a.until('serving')
  const b = await start('b')
  await b.until('role', ({ role }) => role === 'secondary')
  await talk(client)
  await client.ask('churn', { perSecond: 100, host: SERVER, port: 7001, from: CLIENTS })
  await client.until('short ones come and go', ({ churned }) => churned.done >= 100)
  await a.status((told) => told.protected === true && Number(told.sessions) >= COUNT)
  await b.status(({ synced, sessions }) => synced === true && Number(sessions) >= COUNT)
  await client.mark()
  return { a, b }
}

async function allGoOn(client: Traffic): Promise<void> {
  // Marked once more, so that what went through the first firewall does not count.
  await client.mark()
  const { alive, wrong, errors } = await client.until('all go on', ({ alive }) => alive === COUNT)
  assert.equal({ alive, wrong, errors }, { alive: COUNT, wrong: 0, errors: [] })
}

/** It had every connection in its kernel before it took the addresses. */
function cameInOrder({ told }: FirewallProcess): void {
  const at = (what: string) => told.findIndex((one) => one.what === what)
  assert.ok(at('committed') >= 0 && at('committed') < at('on-promote'), JSON.stringify(told))
  const { sessions, written, refused } = told[at('committed')]!
  assert.ok(Number(sessions) >= COUNT && Number(written) >= COUNT, JSON.stringify(told[at('committed')]))
  assert.is(refused, 0)
}

const addresses = (ground: FirewallGround, name: FirewallName) =>
  ground.inside(name, ['ip', '-br', '-4', 'addr', 'show', 'dev', 'lan'])

const absent = missing(['ip', 'nft', 'conntrack', 'perl'])
if (absent !== undefined) {
  test(`SKIPPED: the firewall's test needs ${absent}`, () => undefined)
} else {
  test('a connection whose firewall changes without a word is lost: that is what the others are measured by', () =>
    scene(async ({ ground, client }) => {
      const [a, b] = [ground.take('a'), ground.take('b')]
      ground.inside('a', a)
      await talk(client, 20)
      ground.setInterfaces('a', 'down')
      ground.inside('b', b)
      await client.mark()
      const dropped = () => /invalid counter packets (\d+)/g
      const sum = () =>
        [...ground.inside('b', ['nft', 'list', 'ruleset']).matchAll(dropped())].reduce(
          (all, [, count]) => all + Number(count),
          0,
        )
      await client.until('packets come to b and are dropped', () => sum() >= 40)
      assert.is((await client.report()).alive, 0)
    }))

  test('the machine is gone: all 200 connections go on', () =>
    scene(async (at) => {
      const { a, b } = await pair(at)
      a.kill()
      at.ground.setInterfaces('a', 'down')
      await b.until('serving')
      await allGoOn(at.client)
      cameInOrder(b)
    }))

  test('the process is killed: its guard gives the addresses up, and all go on', () =>
    scene(async (at) => {
      const { a, b } = await pair(at)
      a.kill()
      await b.until('serving')
      await at.client.until('a has no address', () => !addresses(at.ground, 'a').includes('10.1.0.1/'))
      await allGoOn(at.client)
      cameInOrder(b)
      const again = await at.start('a')
      await again.until('role', ({ role }) => role === 'secondary')
      await again.status(({ synced, sessions }) => synced === true && Number(sessions) >= COUNT)
      await again.until('cleared')
    }))

  test('its interfaces are down while it lives: all go on, and it gives way when it is back', () =>
    scene(async (at) => {
      const { a, b } = await pair(at)
      at.ground.setInterfaces('a', 'down')
      await b.until('serving')
      await allGoOn(at.client)
      cameInOrder(b)
      const from = a.told.length
      at.ground.setInterfaces('a', 'up', ['m1', 'm2'])
      await a.until('role', ({ role }) => role === 'secondary', from)
      await a.until('released', undefined, from)
      assert.not.match(addresses(at.ground, 'a'), /10\.1\.0\.1\//)
      at.ground.setInterfaces('a', 'up')
      await a.status(({ synced }) => synced === true)
      await allGoOn(at.client)
    }))

  test('it ends as planned: all go on, and on once more when the other ends too', () =>
    scene(async (at) => {
      const { a, b } = await pair(at)
      await a.close('SIGTERM')
      await b.until('serving')
      await allGoOn(at.client)
      cameInOrder(b)
      const again = await at.start('a')
      await again.status(({ synced }) => synced === true)
      await b.status((told) => told.protected === true)
      await b.close('SIGTERM')
      await again.until('serving')
      await allGoOn(at.client)
      cameInOrder(again)
    }))
}

test.run()
