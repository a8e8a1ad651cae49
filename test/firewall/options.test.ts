// The command line of a firewall: what is needed, what is refused and with which words.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const { readOptions } = await import(new URL('../../examples/firewall/options.mjs', import.meta.url).href)

const test = suite('options of a firewall')
const json = '/etc/holdfast/a.json'
const least = ['--id', 'a', '--m1', '10.9.1.2:7401,10.9.1.3:7401', '--m2', '[fd00::2]:7401,[fd00::3]:7401']

test('the least there must be gives the rest', () => {
  const { firewall, conntrack, reportMs, identityFile } = readOptions([...least, '--identity', json])
  const { node, ignored } = firewall
  assert.equal([node.id, node.peer, node.priority, node.cluster], ['a', 'b', 200, 'firewall'])
  assert.equal(node.links.m1, { listen: '10.9.1.2:7401', peer: '10.9.1.3:7401' })
  assert.is(identityFile, json)
  assert.equal(ignored, ['127.0.0.1', '::1', '10.9.1.2', '10.9.1.3', 'fd00::2', 'fd00::3'])
  assert.is(conntrack.netns, undefined)
  assert.is(conntrack.write, 'netlink')
  assert.is(reportMs, 0)
})

test('a name that is neither a nor b needs the other one', () => {
  const named = [...least, '--identity', json, '--id', 'fw1']
  assert.throws(() => readOptions(named), /--id 'fw1' is neither a nor b: --peer-id must be given too/)
  assert.is(readOptions([...named, '--peer-id', 'fw2']).firewall.node.peer, 'fw2')
})

test('what is missing or wrong is named', () => {
  assert.throws(() => readOptions(least), /--identity is missing/)
  const given = [...least, '--identity', json]
  assert.throws(() => readOptions([...given, '--m1', '10.9.1.2:7401']), /--m1 is .*LISTEN,PEER/)
  assert.throws(() => readOptions([...given, '--gather', '1.5']), /--gather is '1.5': give a whole number/)
  assert.throws(
    () => readOptions([...given, '--heartbeat', '50']),
    /--heartbeat is '50': give 2 whole numbers/,
  )
  assert.throws(
    () => readOptions([...given, '--write', 'by-hand']),
    /--write is 'by-hand': give netlink or lines or one-by-one/,
  )
  assert.throws(() => readOptions([...given, '--unheard-of']), /unheard-of/)
})

test.run()
