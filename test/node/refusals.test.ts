// Two nodes that must not become a pair: on both, whoever listens, logs or looks learns why.
import { createNode, defineTable } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, type Options, pairOptions, until } from './support.ts'

const test = suite('refusals')

const LINKS = ['m1', 'm2'] as const
type Changes = Partial<Omit<Options, 'tables'>> & { tables?: object }

const one = (name: string, fields: object, capacity: number) => {
  return defineTable({ name, key: { id: 'u32' }, fields, capacity } as never)
}

/**
 * What differs at node b, and the names of which one must be told; the peer's refusal counts too. One-sided: b finds
 * nothing wrong with a, so its link is up until it hears of the refusal, and a's next reason is that b ended it.
 */
const REFUSED: { what: string; b: Changes; names: readonly string[]; counted?: string; oneSided?: true }[] = [
  { what: 'another cluster', b: { cluster: 'elsewhere' }, names: ['cluster'] },
  { what: 'other ids on both', b: { id: 'c', peer: 'd' }, names: ['peer-id'] },
  { what: 'another peer than expected', b: { id: 'c' }, names: ['peer-id'], oneSided: true },
  { what: 'the same id', b: { id: 'a', peer: 'b' }, names: ['own-id'] },
  {
    what: 'another number of tables',
    b: { tables: { one: one('sessions', {}, 10), two: one('two', {}, 10) } },
    names: ['tables'],
  },
  { what: 'a table of another name', b: { tables: { other: one('other', {}, 10) } }, names: ['tables'] },
  {
    what: 'other fields',
    b: { tables: { sessions: one('sessions', { count: 'u8' }, 30_000) } },
    names: [
      "schema: table sessions: field count is u53 on 'a', u8 on 'b'",
      "schema: table sessions: field count is u8 on 'b', u53 on 'a'",
    ],
    counted: 'schema',
  },
  { what: 'another heartbeat interval', b: { heartbeat: { interval: 100 } }, names: ['heartbeat'] },
  { what: 'another number of lost heartbeats', b: { heartbeat: { lost: 5 } }, names: ['heartbeat'] },
]

/** What one node told of its links. */
function witness() {
  const logged: string[] = []
  const events: string[] = []
  const logger = {
    info() {},
    warn: (details: object, message: string) => {
      logged.push(`${(details as { link?: string }).link} ${message}`)
    },
    error() {},
  }
  return { logged, events, logger }
}

for (const { what, b: changes, names, counted, oneSided } of REFUSED) {
  test(`${what}: refused, and both nodes say why on both links`, () =>
    closing(async (opened) => {
      const options = await pairOptions()
      const nodes = []
      for (const one of [options.a, { ...options.b, ...changes }] as Options[]) {
        const { logged, events, logger } = witness()
        const node = await createNode({ ...one, logger })
        opened.push(node)
        node.on('link', ({ link, up, reason }) => events.push(`${link} ${up} ${reason}`))
        nodes.push({ node, logged, events })
      }
      const tells = (line: string) => names.some((name) => line.includes(name))
      for (const [i, { node, logged, events }] of nodes.entries()) {
        for (const link of LINKS) {
          const here = (lines: string[]) => lines.some((line) => line.startsWith(link) && tells(line))
          const told = `node ${i} tells of ${link}`
          await until(`${told} by an event`, () => here(events))
          assert.ok(here(logged), `${told} in its log: ${logged}`)
          await until(`${told} by a count`, () =>
            Object.keys(node.status().refusals).some((name) => name === counted || tells(name)),
          )
          if (oneSided) continue
          await until(`${told} in its status`, () => tells(node.status().links[link].lastReason))
          assert.is(node.status().links[link].up, false)
        }
        if (oneSided) continue
        assert.is(events.filter((line) => line.includes(' true ')).length, 0, `${events}`)
        assert.is(new Set(events).size, events.length, `each reason is told once: ${events}`)
      }
    }))
}

test('m1 wired to m2: refused as link on both, and counted', () =>
  closing(async (opened) => {
    const { a, b } = await pairOptions()
    const { m1, m2 } = b.links
    const crossed = { m1: { listen: m2.listen, peer: m2.peer }, m2: { listen: m1.listen, peer: m1.peer } }
    const nodes = []
    for (const options of [a, { ...b, links: crossed }]) {
      const node = await createNode(options)
      opened.push(node)
      nodes.push(node)
    }
    for (const node of nodes) {
      await until('it is told', () => node.status().links.m1.lastReason.includes('link'))
      await until('it is counted', () =>
        Object.keys(node.status().refusals).some((name) => /link$/.test(name)),
      )
      const { m1, m2 } = node.status().links
      assert.equal([m1.up, m2.up], [false, false])
    }
  }))

test('a secondary with less room than its primary: both say capacity', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 300 })
    const told: string[][] = [[], []]
    const small = { sessions: one('sessions', { count: 'u53', note: ['none', 'seen'] }, 10) }
    const nodes = []
    for (const [i, options_] of [
      options.a,
      { ...options.b, tables: small } as unknown as Options,
    ].entries()) {
      const node = await createNode(options_)
      opened.push(node)
      node.on('link', ({ reason }) => told[i]!.push(reason))
      nodes.push(node)
      if (i === 0) await node.ready()
    }
    await until('both tell it', () =>
      told.every((reasons) => reasons.some((one) => one.includes('capacity'))),
    )
    for (const node of nodes) {
      await until('status shows it', () => node.status().links.m1.lastReason.includes('capacity'))
    }
    assert.is(nodes[0]!.role, 'primary')
  }))

test.run()
