// What createNode refuses at the door, one line each: the option is named, and what is allowed is said.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError } from '../../src/errors.ts'
import { defineTable } from '../../src/schema/index.ts'
import { checkOptions } from '../../src/settings.ts'
import { makeIdentity } from '../../src/testing/index.ts'

const test = suite('options')
const [a, b] = await Promise.all([makeIdentity('a'), makeIdentity('b')])
const table = (name: string) => defineTable({ name, key: { id: 'u32' }, fields: {}, capacity: 10 })

const links = {
  m1: { listen: '127.0.0.1:7401', peer: '127.0.0.1:7402' },
  m2: { listen: '127.0.0.2:7401', peer: '127.0.0.2:7402' },
}
const far = { m1: { listen: '10.0.1.1:7401', peer: '10.0.1.2:7401' }, m2: links.m2 }
const identity = { cert: a.cert, key: a.key, trust: [b.cert] }
const good = { id: 'a', peer: 'b', tables: { one: table('one') }, links, insecure: true }

const withLink = (changes: object) => ({ links: { ...links, m1: { ...links.m1, ...changes } } })
const secure = (changes: object) => ({ insecure: false, identity: { ...identity, ...changes } })
const witness = { module: 'file:///w.js', options: {}, lease: 1_000 }
const withWitness = (given: unknown) => ({ mode: 'witness', witness: given })
const without = (name: string) => ({ [name]: undefined })

/** What is given instead of, or besides, good options; what the message must name. */
const REFUSED: [string, object, RegExp][] = [
  ['no id', without('id'), /^id: nothing given; allowed: a text of 1 to 64 bytes/],
  ['a negative switchHoldDown', { switchHoldDown: -1 }, /^switchHoldDown: -1 given/],
  ['damping that is no object', { damping: 3 }, /^damping: 3 given/],
  ['damping with another name', { damping: { times: 3 } }, /^damping: option 'times'/],
  ['damping without a change', { damping: { changes: 0 } }, /^damping.changes: 0 given; .* 1 to 32/],
  [
    'damping that ends before the hold-down',
    { switchHoldDown: 5_000, damping: { longest: 4_999 } },
    /^damping.longest: 4999 given; allowed: at least switchHoldDown, 5000 ms/,
  ],
  ['an empty id', { id: '' }, /^id: '' given/],
  ['an id of 65 bytes', { id: 'é'.repeat(33) }, /^id: .* 1 to 64 bytes/],
  ['no peer', without('peer'), /^peer: /],
  ['the own id as peer', { peer: 'a' }, /^peer: 'a' given; allowed: another name/],
  ['a cluster that is no text', { cluster: 7 }, /^cluster: 7 given/],
  ['a priority above 65535', { priority: 65_536 }, /^priority: 65536 given; allowed: .* 0 to 65535/],
  ['half a priority', { priority: 1.5 }, /^priority: 1.5 given; allowed: an integer/],
  ['no tables', without('tables'), /^tables: nothing given/],
  ['an empty list of tables', { tables: {} }, /^tables: .* 1 to 15 tables/],
  [
    'sixteen tables',
    { tables: Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`t${i}`, table(`t${i}`)])) },
    /^tables: 16 given; allowed: 1 to 15/,
  ],
  ['a table that was not defined', { tables: { one: { name: 'one' } } }, /^tables.one: .* defineTable/],
  [
    'two tables of one name',
    { tables: { x: table('one'), y: table('one') } },
    /^tables\.[xy]: 'one' given; .*no other table/,
  ],
  ['no links', without('links'), /^links: nothing given/],
  ['one link', { links: { m1: links.m1 } }, /^links.m2: nothing given/],
  ['a third link', { links: { ...links, m3: links.m1 } }, /^links: option 'm3'/],
  ['a link without a peer', withLink({ peer: undefined }), /^links.m1.peer: nothing given/],
  ['a host name', withLink({ listen: 'localhost:7401' }), /^links.m1.listen: 'localhost:7401' given; .*IP/],
  ['no port', withLink({ listen: '127.0.0.1' }), /^links.m1.listen: /],
  ['port 0', withLink({ listen: '127.0.0.1:0' }), /^links.m1.listen: .* 1 to 65535/],
  ['port 65536', withLink({ peer: '127.0.0.1:65536' }), /^links.m1.peer: /],
  ['an octet of 256', withLink({ peer: '127.0.0.256:7401' }), /^links.m1.peer: /],
  ['every address', withLink({ listen: '0.0.0.0:7401' }), /^links.m1.listen: .*one path/],
  ['every IPv6 address', withLink({ listen: '[::]:7401' }), /^links.m1.listen: .*one path/],
  ['two families on one link', withLink({ peer: '[::1]:7401' }), /^links.m1.peer: .*family/],
  ['a link to itself', withLink({ peer: '127.0.0.1:7401' }), /^links.m1.peer: .*another address/],
  ['the same listen address twice', withLink({ listen: links.m2.listen }), /^links.m2.listen: /],
  ['the same peer address twice', withLink({ peer: links.m2.peer }), /^links.m2.peer: /],
  [
    'a peer address at which the other link listens',
    withLink({ peer: links.m2.listen }),
    /^links.m1.peer: '127.0.0.2:7401' given; .*another address than links.m2.listen/,
  ],
  [
    'a listen address that the other link dials',
    withLink({ listen: links.m2.peer }),
    /^links.m2.peer: .*another address than links.m1.listen/,
  ],
  ['insecure beyond the loopback', { links: far }, /^insecure: true given; .*10\.0\.1\.1:7401/],
  ['insecure with an identity', { identity }, /^insecure: .*identity/],
  ['neither identity nor insecure', { insecure: false }, /^identity: nothing given/],
  ['a certificate that is none', secure({ cert: 'x' }), /^identity.cert: /],
  ['a key that is none', secure({ key: 'x' }), /^identity.key: not a private key/],
  ["another's key", secure({ key: b.key }), /^identity.key: does not belong/],
  ['nobody to trust', secure({ trust: [] }), /^identity.trust: .*1 to 8/],
  ['trust in a text', secure({ trust: b.cert }), /^identity.trust: /],
  ['trust in no certificate', secure({ trust: [b.cert, 'x'] }), /^identity.trust\[1\]: /],
  ['a passphrase', secure({ passphrase: 'x' }), /^identity: option 'passphrase'/],
  ['an unknown mode', { mode: 'auto' as never }, /^mode: 'auto' given; .*'witness'/],
  ['the witness mode without a witness', { mode: 'witness' }, /^witness: nothing given; allowed: what etcd/],
  [
    'a witness in another mode',
    { witness },
    /^witness: an object given; allowed: nothing in mode 'availability'/,
  ],
  [
    'a choice of sides that is no function',
    { onConflict: 'peer' },
    /^onConflict: 'peer' given; .*a function/,
  ],
  [
    'a choice of sides where no two act',
    { ...withWitness(witness), onConflict: () => 'self' },
    /^onConflict: a function given; allowed: nothing in mode 'witness'/,
  ],
  [
    'no time for a choice of sides',
    { conflictTimeout: 0, onConflict: () => 'self' },
    /^conflictTimeout: 0 given; allowed: more than 0 ms with onConflict/,
  ],
  ['a witness that is a function', withWitness(() => witness), /^witness: a function given/],
  ['a witness without a lease', withWitness({ module: witness.module }), /^witness.lease: nothing given/],
  ['a lease of 50 ms', withWitness({ ...witness, lease: 50 }), /^witness.lease: 50 given/],
  ['a relative module', withWitness({ ...witness, module: './x.js' }), /^witness.module: '.\/x.js' given/],
  [
    'a function to the witness',
    withWitness({ ...witness, options: () => 1 }),
    /^witness.options: .*plain data/,
  ],
  ['an unknown witness option', withWitness({ ...witness, ttl: 1 }), /^witness: option 'ttl'/],
  ['an interval of 1 ms', { heartbeat: { interval: 1 } }, /^heartbeat.interval: 1 given/],
  ['one lost heartbeat', { heartbeat: { lost: 1 } }, /^heartbeat.lost: 1 given; allowed: .* 2 to 100/],
  ['an unknown heartbeat option', { heartbeat: { losses: 2 } }, /^heartbeat: option 'losses'/],
  ['a stall time-out within the bound', { stallTimeout: 225 }, /^stallTimeout: 225 given; .*225 ms/],
  ['a hold-down within the bound', { holdDown: 200 }, /^holdDown: 200 given; .*225 ms/],
  ['a hold-down that is no number', { holdDown: Number.NaN }, /^holdDown: NaN given/],
  ['a negative flush interval', { flushInterval: -1 }, /^flushInterval: -1 given/],
  ['a flag that is a text', { fastDetection: 'no' }, /^fastDetection: 'no' given; allowed: true or false/],
  ['a hook that is none', { onPromote: 'x' }, /^onPromote: /],
  ['no time for hooks', { hookTimeout: 0 }, /^hookTimeout: 0 given; allowed: a number from 10 to 3600000/],
  ['a signal that is none', { signal: {} }, /^signal: .*AbortSignal/],
  ['a logger without error()', { logger: { info() {}, warn() {} } }, /^logger: /],
  ['a misspelt option', { flushinterval: 2 }, /^createNode: option 'flushinterval' given/],
  [
    'a state directory that is no path',
    { stateDir: 7 },
    /^stateDir: 7 given; allowed: the path of a directory/,
  ],
  ['an option of a later version', { shards: true }, /^createNode: option 'shards' .*this version/],
]

for (const [what, given, message] of REFUSED) {
  test(`${what}: refused`, () => {
    try {
      checkOptions({ ...good, ...given } as never)
    } catch (error) {
      assert.instance(error, ConfigError)
      assert.match((error as Error).message, message)
      return
    }
    assert.unreachable('it was accepted')
  })
}

test('no option at all: refused', () => {
  assert.throws(() => checkOptions(undefined as never), /^createNode: nothing given/)
})

test('defaults are as documented', () => {
  const settings = checkOptions(good as never)
  assert.is(settings.cluster, 'holdfast')
  assert.is(settings.priority, 128)
  assert.is(settings.mode, 'availability')
  assert.equal([settings.interval, settings.lost], [50, 4])
  assert.equal([settings.holdDownMs, settings.stallTimeoutMs, settings.flushIntervalMs], [3_000, 2_000, 1])
  assert.equal([settings.override, settings.uptimeMarginMs], [false, 300_000])
  assert.equal([settings.promoteUnsynced, settings.fastDetection], [true, true])
})

test('tables come in the order of their names, whatever the order they were given in', () => {
  const tables = { second: table('zebra'), first: table('ant') }
  const settings = checkOptions({ ...good, tables } as never)
  assert.equal(
    settings.tables.map(({ property }) => property),
    ['first', 'second'],
  )
})

test('an identity, IPv6 addresses and every option given at once are accepted', () => {
  const six = {
    m1: { listen: '[fd00::1]:7401', peer: '[fd00::2]:7401' },
    m2: { listen: '[fe80::1%eth1]:7401', peer: '[fe80::2%eth1]:7401' },
  }
  const settings = checkOptions({
    ...good,
    links: six,
    insecure: false,
    identity,
    cluster: 'edge',
    priority: 0,
    mode: 'manual',
    heartbeat: { interval: 10, lost: 2 },
    holdDown: 100,
    stallTimeout: 100,
    flushInterval: 0,
    override: true,
    uptimeMargin: 0,
    promoteUnsynced: false,
    fastDetection: false,
    onPromote() {},
    async onDemote() {},
    signal: new AbortController().signal,
    logger: console,
  } as never)
  assert.equal(settings.links[0].peer, { host: 'fd00::2', port: 7401 })
  assert.equal(settings.identity?.trust, [b.cert])
})

test.run()
