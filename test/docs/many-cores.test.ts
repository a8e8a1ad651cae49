// time-out: 180 s
// The recipe of docs/MANY-CORES.md, word for word: two supervisors with three shards each; a worker that is killed costs its
// shard a failover and no count, and comes back; a supervisor that ends hands all of its shards over.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freeAddress } from '../../src/testing/index.ts'
import { places, Watched } from '../package/support.ts'
import { answerOf, programOf } from './program.ts'

const test = suite('many cores')

const SHARDS = 3
const CLIENTS = 24

interface Answer {
  readonly shard: number
  readonly node: string
  readonly pid: number
  readonly count: number
  readonly held: boolean
}

/** Addresses with room for all shards behind each port. */
async function ranges(count: number): Promise<string[]> {
  const found: string[] = []
  const taken = new Set<number>()
  while (found.length < count) {
    const address = await freeAddress()
    const port = Number(address.split(':')[1])
    if ([...Array(SHARDS + 1).keys()].some((i) => taken.has(port + i))) continue
    for (let i = 0; i <= SHARDS; i++) taken.add(port + i)
    found.push(address)
  }
  return found
}

async function settings(): Promise<Record<'a' | 'b', { service: string }>> {
  const [sa = '', sb = '', a1 = '', a2 = '', b1 = '', b2 = ''] = await ranges(6)
  const { a, b } = await places()
  const one = (id: string, peer: string, service: string, identity: object, links: object) => {
    return { id, peer, shards: SHARDS, service, links, identity }
  }
  const link = (listen: string, peer: string) => ({ listen, peer })
  return {
    a: one('a', 'b', sa, a.identity, { m1: link(a1, b1), m2: link(a2, b2) }),
    b: one('b', 'a', sb, b.identity, { m1: link(b1, a1), m2: link(b2, a2) }),
  }
}

test('a killed worker costs its shard a failover, an ending supervisor hands all shards over', async () => {
  const { a, b } = await settings()
  const folder = programOf('docs/MANY-CORES.md', {
    'a.json': JSON.stringify(a),
    'b.json': JSON.stringify(b),
  })
  const { shardOf } = (await import(`${folder}/shard-of.mjs`)) as {
    shardOf(key: string, shards: number): number
  }
  const counts = new Map<string, number>()
  const supervisors = ['a', 'b'].map(
    (id) => new Watched([process.execPath, 'shards.mjs', `${id}.json`], folder),
  )
  const pids = new Set<number>()

  /** One visit of a client; whoever answers must know every visit that was held by two when it was answered. */
  const visit = async (client: string): Promise<Answer> => {
    const shard = shardOf(client, SHARDS)
    const urls = [a, b].map(({ service }) => {
      const [host, port] = service.split(':')
      return `http://${host}:${Number(port) + shard}/${client}`
    })
    const answer = (await (await answerOf(urls)).json()) as Answer
    pids.add(answer.pid)
    assert.is(answer.shard, shard)
    const before = counts.get(client) ?? 0
    // A visit that was counted and whose answer was lost with its process may be counted twice.
    assert.ok(answer.count > before, `${client}: ${answer.count} after ${before}`)
    if (answer.held) counts.set(client, answer.count)
    return answer
  }
  const clients = Array.from({ length: CLIENTS }, (_, i) => `client-${i}`)
  const visitAll = () => Promise.all(clients.map(visit))
  const allHeld = async () => {
    const deadline = performance.now() + 60_000
    for (;;) {
      const answers = await visitAll()
      if (answers.every(({ held }) => held)) return answers
      assert.ok(performance.now() < deadline, 'every shard is held by two')
    }
  }

  try {
    const first = await allHeld()
    assert.equal(new Set(first.map(({ shard }) => shard)).size, SHARDS)

    const victim = first.find(({ shard }) => shard === 1)!
    process.kill(victim.pid, 'SIGKILL')
    const second = await visitAll()
    for (const answer of second) {
      if (answer.shard === 1) assert.is.not(answer.node, victim.node)
    }
    // The supervisor has started it anew; it is its shard's secondary.
    await allHeld()

    supervisors[0]!.kill('SIGTERM')
    assert.is(await supervisors[0]!.ends(), 0)
    for (const { node } of await visitAll()) assert.is(node, 'b')
    supervisors[1]!.kill('SIGTERM')
    assert.is(await supervisors[1]!.ends(), 0)
  } finally {
    for (const supervisor of supervisors) supervisor.kill()
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended, as it should.
      }
    }
  }
})

test.run()
