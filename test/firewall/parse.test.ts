// Lines of conntrack 1.4.7 as they were captured between two hosts with address translation, in every output format.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

// The examples are plain JavaScript without declarations.
const { parseLine } = await import(new URL('../../examples/firewall/parse.mjs', import.meta.url).href)

const test = suite('lines of conntrack')

const key = { proto: 6, src: '10.1.0.10', dst: '10.2.0.10', sport: 55850, dport: 7000 }
const translated = { snatIp: '10.2.0.1', snatPort: 55850 }
const tuples = 'src=10.1.0.10 dst=10.2.0.10 sport=55850 dport=7000'
const reply = 'src=10.2.0.10 dst=10.2.0.1 sport=7000 dport=55850'

test('an event, in every format: the same flow', () => {
  const plain = `tcp      6 432000 ESTABLISHED ${tuples} ${reply} [ASSURED]`
  const fields = { timeout: 432_000, state: 'ESTABLISHED', seen: 'assured', ...translated }
  for (const line of [
    ` [UPDATE] ${plain}`,
    ` [UPDATE] ${plain} id=2635361878`,
    ` [UPDATE] ipv4     2 ${plain} id=2635361878`,
    `[1795383898.569688]\t [UPDATE] ipv4     2 ${plain} id=2635361878`,
    ` [UPDATE] ipv4     2 ${plain} id=2635361878 [USERSPACE] portid=4146290822`,
    ` [UPDATE] ipv4     2 ${plain} a-word=of-a-later-version [LATER] id=2635361878`,
  ]) {
    const { id, ...rest } = parseLine(line)
    assert.equal(rest, { event: 'update', family: 'ipv4', notKept: undefined, key, fields }, line)
    assert.is(id, line.includes(' id=') ? '2635361878' : undefined)
  }
})

test('a new flow has no answer yet', () => {
  const told = parseLine(
    `    [NEW] ipv4     2 tcp      6 120 SYN_SENT ${tuples} [UNREPLIED] ${reply} mark=9 id=811622598`,
  )
  assert.is(told.event, 'new')
  assert.equal(told.fields, {
    timeout: 120,
    state: 'SYN_SENT',
    seen: 'unreplied',
    mark: 9,
    ...translated,
  })
})

test('the end of a flow whose time was over tells neither time-out nor state', () => {
  const told = parseLine(`[DESTROY] ipv4     2 tcp      6 ${tuples} ${reply} [ASSURED] id=811622598`)
  assert.is(told.event, 'destroy')
  assert.equal(told.key, key)
  assert.equal(told.fields, { seen: 'assured', ...translated })
})

test('an entry of a dump, with counters, a helper, times', () => {
  const told = parseLine(
    'ipv4     2 tcp      6 431999 ESTABLISHED src=10.1.0.10 dst=10.2.0.10 sport=50918 dport=21 packets=4 bytes=217 ' +
      'src=10.2.0.10 dst=10.2.0.1 sport=21 dport=50918 packets=3 bytes=165 [ASSURED] mark=9 delta-time=1 ' +
      '[start=Sun Nov 22 21:52:51 2026] helper=ftp use=1 id=100874004',
  )
  assert.is(told.event, 'entry')
  assert.is(told.notKept, undefined)
  assert.equal(told.key, { ...key, sport: 50918, dport: 21 })
  assert.equal(told.fields, {
    timeout: 431_999,
    state: 'ESTABLISHED',
    seen: 'assured',
    snatIp: '10.2.0.1',
    snatPort: 50918,
    mark: 9,
  })
})

test('both ends translated, with another port', () => {
  const told = parseLine(
    ' [UPDATE] ipv4     2 tcp      6 60 SYN_RECV src=10.1.0.10 dst=10.1.0.1 sport=45236 dport=8080 ' +
      'src=10.2.0.10 dst=10.2.0.1 sport=7000 dport=45236 mark=9 id=2172516265',
  )
  assert.equal(told.fields, {
    timeout: 60,
    state: 'SYN_RECV',
    seen: 'replied',
    mark: 9,
    snatIp: '10.2.0.1',
    snatPort: 45236,
    dnatIp: '10.2.0.10',
    dnatPort: 7000,
  })
})

test('only a port translated', () => {
  const told = parseLine(
    'udp      17 30 src=10.2.0.1 dst=10.2.0.10 sport=1000 dport=53 src=10.2.0.10 dst=10.2.0.1 sport=53 dport=2000 mark=0',
  )
  assert.equal(told.fields, { timeout: 30, seen: 'replied', mark: 0, snatIp: '10.2.0.1', snatPort: 2000 })
})

test('IPv6', () => {
  const told = parseLine(
    '    [NEW] ipv6     10 tcp      6 120 SYN_SENT src=fd01::10 dst=fd02::10 sport=48434 dport=7000 [UNREPLIED] ' +
      'src=fd02::10 dst=fd01::10 sport=7000 dport=48434 id=2055881069',
  )
  assert.is(told.family, 'ipv6')
  assert.equal(told.key, { proto: 6, src: 'fd01::10', dst: 'fd02::10', sport: 48434, dport: 7000 })
  assert.equal(told.fields, { timeout: 120, state: 'SYN_SENT', seen: 'unreplied' })
})

test('GRE has keys, and a protocol the kernel does not know has nothing', () => {
  const gre = parseLine(
    '    [NEW] gre      47 30 src=10.1.0.10 dst=10.2.0.10 srckey=0x0 dstkey=0x11 [UNREPLIED] ' +
      'src=10.2.0.10 dst=10.2.0.1 srckey=0x11 dstkey=0x0 id=3373420482',
  )
  assert.equal(gre.key, { proto: 47, src: '10.1.0.10', dst: '10.2.0.10', sport: 0, dport: 17 })
  assert.equal(gre.fields, { timeout: 30, seen: 'unreplied', snatIp: '10.2.0.1', snatPort: 0 })
  const esp = parseLine(
    'unknown  50 595 src=10.1.0.10 dst=10.2.0.10 [UNREPLIED] src=10.2.0.10 dst=10.2.0.1 mark=0 use=1 id=777804845',
  )
  assert.equal(esp.key, { proto: 50, src: '10.1.0.10', dst: '10.2.0.10', sport: 0, dport: 0 })
})

test('a flow that a flow table took over has neither state nor time-out', () => {
  const { fields } = parseLine(`ipv4     2 tcp      6 ${tuples} ${reply} [OFFLOAD] mark=0 use=2 id=1`)
  assert.equal(fields, { seen: 'assured', mark: 0, ...translated })
})

test('what cannot be kept is named', () => {
  const zone = (words: string) =>
    parseLine(
      `udp      17 2 src=10.1.0.10 dst=10.2.0.10 sport=1 dport=2 ${words} ` +
        '[UNREPLIED] src=10.2.0.10 dst=10.1.0.10 sport=2 dport=1 mark=9 id=4',
    ).notKept
  assert.is(zone('zone=7'), 'zone')
  assert.is(zone('zone-orig=8'), 'zone')
  const icmp = parseLine(
    'icmp     1 24 src=10.1.0.10 dst=10.2.0.10 type=8 code=0 id=77 [UNREPLIED] ' +
      'src=10.2.0.10 dst=10.1.0.10 type=0 code=0 id=77 mark=0 use=1 id=935373765',
  )
  assert.is(icmp.notKept, 'icmp')
})

test('what is no flow, or half of one, is none', () => {
  const whole = ` [UPDATE] ipv4     2 tcp      6 432000 ESTABLISHED ${tuples} ${reply} [ASSURED] id=2635361878`
  const end = whole.indexOf(' dport=55850')
  for (let length = 0; length < end; length++) assert.is(parseLine(whole.slice(0, length)), undefined)
  for (const line of [
    '',
    'conntrack v1.4.7 (conntrack-tools): 16 flow events have been shown.',
    '<?xml version="1.0" encoding="utf-8"?>',
    'WARNING: We have hit ENOBUFS! We are losing events.',
    ` [UPDATE] ipv4     2 tcp      999 432000 ESTABLISHED ${tuples} ${reply}`,
  ]) {
    assert.is(parseLine(line), undefined, line)
  }
})

test.run()
