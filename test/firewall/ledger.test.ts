// What the kernel tells, entered into the tables of a real node.
import { createNode, type HoldfastNode } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, pairOptions, until } from '../node/support.ts'

const load = (name: string) => import(new URL(`../../examples/firewall/${name}`, import.meta.url).href)
const { Ledger } = await load('ledger.mjs')
const { flowTables } = await load('flow.mjs')

const test = suite('ledger of a firewall')

const key = { proto: 6, src: '10.1.0.10', dst: '10.2.0.10', sport: 1001, dport: 80 }

/** A line of conntrack about the connection from a port. */
function line(event: string, state: string, port = 1001, more = ''): string {
  return (
    `${event} ipv4     2 tcp      6 ${state} src=10.1.0.10 dst=10.2.0.10 sport=${port} dport=80 ` +
    `src=10.2.0.10 dst=10.2.0.1 sport=80 dport=${port} ${more} id=${port}`
  )
}

async function alone(
  body: (tables: HoldfastNode['tables'], node: HoldfastNode) => unknown,
  capacity = 100,
): Promise<void> {
  await closing(async (opened) => {
    const { a } = await pairOptions({ holdDown: 300 })
    const tables = flowTables({ ipv4: capacity, ipv6: 10 })
    const node = (await createNode({ ...a, tables, holdDown: 300 })) as HoldfastNode
    opened.push(node)
    await until('it leads', () => node.role === 'primary')
    await body(node.tables, node)
  })
}

// biome-ignore lint/suspicious/noExplicitAny: views of a table whose fields are not known to the compiler here.
const view = (tables: HoldfastNode['tables'], port = 1001): any => tables.ipv4!.get({ ...key, sport: port })

test('a connection begins, changes, and ends', () =>
  alone((tables) => {
    const ledger = new Ledger(tables, [])
    ledger.takeEvents([line('[NEW]', '120 SYN_SENT', 1001, '[UNREPLIED] mark=7')])
    assert.equal([view(tables).state, view(tables).seen, view(tables).mark], ['SYN_SENT', 'unreplied', 7])
    assert.equal([view(tables).snatIp, view(tables).snatPort], ['10.2.0.1', 1001])
    ledger.takeEvents([
      line('[UPDATE]', '60 SYN_RECV'),
      line('[UPDATE]', '432000 ESTABLISHED', 1001, '[ASSURED]'),
    ])
    assert.equal(
      [view(tables).state, view(tables).seen, view(tables).timeout],
      ['ESTABLISHED', 'assured', 432_000],
    )
    // An event about something else leaves out the state.
    ledger.takeEvents([line('[UPDATE]', '431999', 1001, '[ASSURED] mark=9')])
    assert.equal([view(tables).state, view(tables).mark], ['ESTABLISHED', 9])
    ledger.takeEvents([line('[DESTROY]', '', 1001, '[ASSURED]')])
    assert.is(view(tables), undefined)
    const { new: begun, update, destroy } = ledger.counts
    assert.equal([begun, update, destroy], [1, 3, 1])
  }))

test('an update of one that is not known makes it; a new one in its place begins from zero', () =>
  alone((tables) => {
    const ledger = new Ledger(tables, [])
    ledger.takeEvents([line('[UPDATE]', '432000 ESTABLISHED', 1001, '[ASSURED] mark=9')])
    assert.is(view(tables).state, 'ESTABLISHED')
    ledger.takeEvents([line('[NEW]', '120 SYN_SENT', 1001, '[UNREPLIED]')])
    assert.equal([view(tables).state, view(tables).mark], ['SYN_SENT', 0])
  }))

test('what is ignored, cannot be kept, or finds no room is counted', () =>
  alone((tables) => {
    const ledger = new Ledger(tables, ['192.0.2.1'])
    ledger.takeEvents([
      line('[NEW]', '120 SYN_SENT').replace('src=10.1.0.10', 'src=192.0.2.1'),
      line('[NEW]', '120 SYN_SENT', 1002, 'zone=3'),
      line('[NEW]', '120 SYN_SENT', 1003),
      line('[NEW]', '120 SYN_SENT', 1004),
      line('[NEW]', '120 SYN_SENT', 1005),
    ])
    assert.equal(ledger.counts.notKept, { ignored: 1, zone: 1 })
    assert.is(ledger.counts.full, 1)
    assert.is(tables.ipv4!.size, 2)
  }, 2))

test('the kernel’s whole table wins over ours, but not over events since', () =>
  alone(async (tables) => {
    const ledger = new Ledger(tables, [])
    ledger.takeEvents([
      line('[NEW]', '120 SYN_SENT', 1),
      line('[NEW]', '120 SYN_SENT', 2),
      line('[UPDATE]', '432000 ESTABLISHED', 3),
      line('[NEW]', '120 SYN_SENT', 5),
    ])
    ledger.beginReconciling()
    ledger.takeEntry(line('', '77 ESTABLISHED', 2))
    ledger.takeEntry(line('', '77 ESTABLISHED', 3))
    ledger.takeEntry(line('', '77 ESTABLISHED', 4))
    ledger.takeEntry(line('', '77 ESTABLISHED', 5))
    ledger.takeEvents([
      line('[UPDATE]', '120 FIN_WAIT', 2),
      line('[DESTROY]', '', 5),
      line('[NEW]', '9 SYN_SENT', 6),
    ])
    assert.equal(await ledger.finishReconciling(() => true), { set: 2, deleted: 1 })
    ledger.endReconciling()
    const seen = [1, 2, 3, 4, 5, 6].map((port) => view(tables, port)?.state)
    assert.equal(seen, [undefined, 'FIN_WAIT', 'ESTABLISHED', 'ESTABLISHED', undefined, 'SYN_SENT'])
    // What is left of a time-out is less than what packets renew it to.
    assert.is(view(tables, 3).timeout, 432_000)
  }))

test('events that come when the node is not primary any more are left out', () =>
  alone(async (tables, node) => {
    const ledger = new Ledger(tables, [])
    await node.close()
    ledger.takeEvents([line('[NEW]', '120 SYN_SENT'), line('[DESTROY]', '')])
  }))

test('a kernel that is clear hears of flows that come, and not of those that go', () =>
  alone((tables) => {
    const ledger = new Ledger(tables, ['10.9.1.2'])
    assert.is(ledger.hasOurs([line('[DESTROY]', ''), '', line('[NEW]', '', 7, 'zone=1')]), false)
    assert.is(ledger.hasOurs([line('[NEW]', '120 SYN_SENT').replace('src=10.1.0.10', 'src=10.9.1.2')]), false)
    assert.is(ledger.hasOurs([line('[UPDATE]', '60 SYN_RECV')]), true)
  }))

test.run()
