// What a promoted firewall tells its kernel, seen as lines of `conntrack --load-file`.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const load = (name: string) => import(new URL(`../../examples/firewall/${name}`, import.meta.url).href)
const { addLine } = await load('lines.mjs')
const { planOf } = await load('plan.mjs')
const { chunksOf } = await load('lines-writer.mjs')
const { parseLine } = await load('parse.mjs')

const test = suite('what the kernel is told')

const none = { snatIp: '0.0.0.0', snatPort: 0, dnatIp: '0.0.0.0', dnatPort: 0 }
const flow = {
  proto: 6,
  src: '10.1.0.10',
  dst: '10.2.0.10',
  sport: 1001,
  dport: 8080,
  state: 'ESTABLISHED',
  seen: 'assured',
  timeout: 432_000,
  mark: 0,
  ...none,
  snatIp: '10.2.0.1',
  snatPort: 2001,
}
const plan = (sessions: object[], flows: object[] = [], ignored: object[] = []): string[] =>
  [...chunksOf(planOf(sessions, { flows, ignored }, 30))].flat()
/** As the kernel shows it. */
const shown = ({ state = 'ESTABLISHED', port = 2001, from = 1001 } = {}) =>
  parseLine(
    `ipv4     2 tcp      6 99 ${state} src=10.1.0.10 dst=10.2.0.10 sport=${from} dport=8080 ` +
      `src=10.2.0.10 dst=10.2.0.1 sport=8080 dport=${port} [ASSURED] mark=0 use=1 id=1`,
  )

test('a translated connection, ports said exactly', () => {
  assert.is(
    addLine(flow),
    '-A -t 432000 -u SEEN_REPLY,ASSURED -s 10.1.0.10 -d 10.2.0.10 -n 10.2.0.1:2001 -p tcp --sport 1001 --dport 8080 ' +
      '--state ESTABLISHED',
  )
  assert.is(
    addLine({ ...flow, dnatIp: '10.2.0.99', dnatPort: 7000, mark: 7, state: 'FIN_WAIT', timeout: 120 }),
    '-A -t 120 -u SEEN_REPLY,ASSURED -s 10.1.0.10 -d 10.2.0.10 -n 10.2.0.1:2001 -g 10.2.0.99:7000 -p tcp --sport 1001 ' +
      '--dport 8080 --state FIN_WAIT -m 7',
  )
})

test('IPv6 addresses with a port stand in brackets', () => {
  const v6 = {
    ...flow,
    src: 'fd01::10',
    dst: 'fd02::10',
    snatIp: 'fd02::1',
    dnatIp: '::',
    proto: 17,
    seen: 'replied',
  }
  assert.is(
    addLine({ ...v6, timeout: 30 }),
    '-A -t 30 -u SEEN_REPLY -s fd01::10 -d fd02::10 -n [fd02::1]:2001 -p udp --sport 1001 --dport 8080',
  )
})

test('protocols without ports name none', () => {
  const esp = { ...flow, proto: 50, sport: 0, dport: 0, snatPort: 0, seen: 'unreplied', timeout: 600 }
  assert.is(addLine(esp), '-A -t 600 -u UNSET -s 10.1.0.10 -d 10.2.0.10 -n 10.2.0.1 -p 50')
})

test('a time-out is never shorter than the least, and one that is not known is ten minutes', () => {
  assert.match(addLine({ ...flow, timeout: 3 }, 30), /-t 30 /)
  assert.match(addLine({ ...flow, timeout: 0 }, 30), /-t 600 /)
})

test('a kernel that knows nothing is told everything, in chunks', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => ({ ...flow, sport: i }))
  const chunks = [...chunksOf(planOf(many, { flows: [], ignored: [flow] }, 30))]
  assert.ok(chunks.length > 1)
  assert.equal(
    chunks.flat(),
    many.map((one) => addLine(one, 30)),
  )
})

test('what the kernel has as it should be is left alone', () => {
  assert.equal(plan([flow], [shown()]), [])
  assert.equal(plan([flow, { ...flow, sport: 5, snatPort: 5 }], [shown()]).length, 1)
})

test('one in another state, or in the way of another: the kernel starts over, and keeps what is not ours', () => {
  const own = '-A -t 9 -u UNSET -s 192.0.2.1 -d 192.0.2.2 -p 50'
  const other = {
    ...flow,
    ...none,
    proto: 50,
    src: '192.0.2.1',
    dst: '192.0.2.2',
    seen: 'unreplied',
    timeout: 9,
  }
  assert.equal(plan([flow], [shown({ state: 'SYN_SENT' })], [other]), ['-F', own, addLine(flow, 30)])
  assert.equal(plan([flow], [shown({ port: 2002 })], [other]), ['-F', own, addLine(flow, 30)])
  const inTheWay = shown({ from: 999 })
  assert.equal(plan([flow], [inTheWay], [other]), ['-F', own, addLine(flow, 30)])
  const beside = shown({ from: 999, port: 999 })
  assert.equal(plan([flow], [beside]), [addLine(flow, 30)])
  const kept = plan([flow], [inTheWay, beside])
  assert.is(kept[0], '-F')
  assert.match(kept[1]!, /--sport 999 /)
  assert.is(kept.length, 3)
})

test.run()
