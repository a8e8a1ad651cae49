// holdfast doctor: what it finds right and wrong in a configuration, on this machine and at a real peer, and its exit code.
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createNode, readIdentity } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, type Options, pairOptions, until } from '../node/support.ts'
import { holdfast, inFolder } from './support.ts'

const test = suite('doctor')

interface Finding {
  verdict: 'ok' | 'note' | 'warn' | 'fail'
  subject: string
  seen: string
  advice: string
}

async function examine(
  folder: string,
  file: string,
  ...args: string[]
): Promise<{ code: number | null; of: (subject: string) => Finding }> {
  const { code, out, error } = await holdfast(['doctor', file, '--json', ...args], folder)
  assert.is(error, '')
  const { ok, findings } = JSON.parse(out) as { ok: boolean; findings: Finding[] }
  assert.is(ok, code === 0)
  for (const { verdict, subject, advice } of findings)
    if (verdict === 'fail' || verdict === 'warn') assert.ok(advice !== '', `${subject} says what to do`)
  const of = (subject: string) => {
    const found = findings.find((one) => one.subject === subject)
    assert.ok(found, `${subject} among ${out}`)
    return found as Finding
  }
  return { code, of }
}

/** Options as a JSON file may hold them. */
function written(folder: string, name: string, options: Partial<Options>, changes: object = {}): string {
  const { tables: _, ...plain } = options
  writeFileSync(join(folder, name), JSON.stringify({ ...plain, ...changes }))
  return name
}

test('a right configuration before a running peer: everything is ok, over TLS, and the peer is not disturbed', () =>
  inFolder(async (folder) => {
    assert.is((await holdfast(['keygen', 'a', 'b'], folder)).code, 0)
    mkdirSync(join(folder, 'state'))
    const options = await pairOptions({ holdDown: 60_000 })
    await closing(async (opened) => {
      const identity = await readIdentity(join(folder, 'b.json'))
      const b = await createNode({ ...options.b, insecure: false, identity })
      opened.push(b)
      const secure = { insecure: undefined, identity: 'a.json', stateDir: join(folder, 'state') }
      const { code, of } = await examine(folder, written(folder, 'a.conf.json', options.a, secure))
      assert.is(code, 0)
      for (const subject of ['runtime', 'options', 'identity', 'trust 1', 'key file', 'clock', 'stateDir'])
        assert.is(of(subject).verdict, 'ok', subject)
      for (const subject of ['m1 here', 'm2 here', 'm1 peer', 'm2 peer'])
        assert.is(of(subject).verdict, 'ok', subject)
      assert.match(of('m1 peer').seen, /'b', starting.*certificate trusted/)
      assert.equal(b.status().refusals, {})
    })
  }))

test('beside a running pair it says that the ports are taken, and finds the other node on both links', () =>
  inFolder(async (folder) => {
    const options = await pairOptions()
    await closing(async (opened) => {
      const a = await createNode(options.a)
      opened.push(a)
      const b = await createNode(options.b)
      opened.push(b)
      await until('they are a pair', () => a.status().protected)
      const module = `const { a } = ${JSON.stringify({ a: { ...options.a, tables: undefined } })}
import { defineTable } from ${JSON.stringify(import.meta.resolve('holdfast'))}
const sessions = defineTable({ name: 'sessions', key: { id: 'u32' }, fields: { count: 'u53', note: ['none', 'seen'] }, capacity: 30000 })
export default { ...a, tables: { sessions } }
`
      writeFileSync(join(folder, 'a.mjs'), module)
      const { code, of } = await examine(folder, 'a.mjs')
      assert.is(code, 0)
      assert.is(of('m1 here').verdict, 'note')
      assert.match(of('m1 here').seen, /taken/)
      assert.is(of('tables').verdict, 'ok')
      assert.match(of('m2 peer').seen, /'b', secondary/)
      writeFileSync(join(folder, 'other.mjs'), module.replace("note: ['none', 'seen']", "note: 'u8'"))
      assert.match((await examine(folder, 'other.mjs')).of('tables').seen, /another definition/)
      writeFileSync(join(folder, 'less.mjs'), module.replace("name: 'sessions'", "name: 'logins'"))
      assert.is((await examine(folder, 'less.mjs')).of('tables').verdict, 'fail')
      assert.ok(a.status().protected)
    })
  }))

test('what does not fit the peer is found by name: id, cluster, heartbeat, crossed links', () =>
  inFolder(async (folder) => {
    const options = await pairOptions({ holdDown: 60_000 })
    await closing(async (opened) => {
      opened.push(await createNode(options.b))
      const { m1, m2 } = options.a.links
      const crossed = { m1: { ...m1, peer: m2.peer }, m2: { ...m2, peer: m1.peer } }
      for (const [changes, what] of [
        [{ peer: 'c' }, /not 'c'/],
        [{ cluster: 'other' }, /of cluster 'holdfast', not 'other'/],
        [{ heartbeat: { interval: 20 } }, /50 ms x 30, not 20 ms x 4/],
        [{ links: crossed }, /takes this path for its m2/],
      ] as const) {
        const { code, of } = await examine(folder, written(folder, 'c.json', options.a, changes))
        assert.is(code, 1)
        assert.is(of('m1 peer').verdict, 'fail')
        assert.match(of('m1 peer').seen, what)
      }
    })
  }))

test('a table with less room than the one of the peer, and a peer that speaks TLS where this one does not, are found', () =>
  inFolder(async (folder) => {
    await holdfast(['keygen', 'a', 'b'], folder)
    await holdfast(['keygen', 'other'], folder)
    await holdfast(['keygen', 'trust', 'other.json', 'a.crt'], folder)
    const options = await pairOptions({ holdDown: 60_000 })
    await closing(async (opened) => {
      const identity = await readIdentity(join(folder, 'b.json'))
      opened.push(await createNode({ ...options.b, insecure: false, identity }))
      const plain = await examine(folder, written(folder, 'plain.json', options.a), '--timeout', '300')
      assert.match(plain.of('m1 peer').advice, /TLS/)
      const stranger = { insecure: undefined, identity: 'other.json' }
      const strange = await examine(folder, written(folder, 'strange.json', options.a, stranger))
      assert.match(strange.of('m1 peer').advice, /not in identity\.trust/)
      const secure = { ...options.a, insecure: undefined, tables: undefined, identity: `${folder}/a.json` }
      writeFileSync(
        join(folder, 'small.mjs'),
        `import { defineTable } from ${JSON.stringify(import.meta.resolve('holdfast'))}
const sessions = defineTable({ name: 'sessions', key: { id: 'u32' }, fields: { count: 'u53', note: ['none', 'seen'] }, capacity: 10 })
export default { ...${JSON.stringify(secure)}, tables: { sessions } }
`,
      )
      const { of } = await examine(folder, 'small.mjs')
      assert.is(of('tables').verdict, 'warn')
      assert.match(of('tables').seen, /sessions: capacity 10 here, 30000 there/)
    })
  }))

test('what is wrong here is found: the option, the address, the key that others may read, the directory, the file', () =>
  inFolder(async (folder) => {
    await holdfast(['keygen', 'a', 'b'], folder)
    chmodSync(join(folder, 'a.json'), 0o644)
    const options = await pairOptions()
    const { a } = options
    const secure = { insecure: undefined, identity: 'a.json' }
    const first = await examine(
      folder,
      written(folder, 'a.conf.json', a, { ...secure, stateDir: '/none/of/that' }),
    )
    assert.is(first.code, 1)
    assert.match(first.of('key file').seen, /mode 644/)
    assert.match(first.of('stateDir').seen, /ENOENT/)
    assert.is(first.of('m1 peer').verdict, 'warn')
    assert.match(first.of('m1 peer').seen, /ECONNREFUSED/)
    // RFC 5737: on no machine.
    const far = { m1: { listen: '198.51.100.1:7401', peer: '198.51.100.2:7401' }, m2: a.links.m2 }
    const second = await examine(
      folder,
      written(folder, 'far.json', a, { ...secure, links: far }),
      '--timeout',
      '200',
    )
    assert.match(second.of('m1 here').seen, /on no interface/)
    assert.is(second.of('m1 peer').verdict, 'fail')
    const third = await examine(folder, written(folder, 'wrong.json', a, { heartbeat: { interval: 1 } }))
    assert.match(third.of('options').seen, /heartbeat\.interval: 1 given/)
    writeFileSync(join(folder, 'no.json'), 'listen: 1')
    assert.match((await examine(folder, 'no.json')).of('configuration').seen, /not JSON/)
    assert.match((await examine(folder, 'missing.json')).of('configuration').seen, /ENOENT/)
    writeFileSync(join(folder, 'throws.mjs'), "throw new Error('no such thing')")
    assert.match(
      (await examine(folder, 'throws.mjs')).of('configuration').seen,
      /^throws\.mjs: no such thing/,
    )
    await holdfast(['keygen', 'lonely'], folder)
    const lonely = { insecure: undefined, identity: 'lonely.json' }
    const fourth = await examine(folder, written(folder, 'lonely.conf.json', a, lonely))
    assert.match(fourth.of('configuration').seen, /identity\.trust: 0 given.*holdfast keygen trust/)
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const taken = { admin: { listen: `127.0.0.1:${port}` } }
    assert.is((await examine(folder, written(folder, 'admin.json', a, taken))).of('admin').verdict, 'note')
    server.close()
    const socket = { admin: { listen: join(folder, 'none', 'admin.sock') } }
    const fifth = await examine(folder, written(folder, 'socket.json', a, socket))
    assert.is(fifth.of('admin').verdict, 'fail')
    assert.is((await holdfast(['doctor'], folder)).code, 2)
    assert.is((await holdfast(['doctor', 'a.conf.json', '--timeout', 'x'], folder)).code, 2)
  }))

test('people get lines of at most the width of their terminal, and a sum', () =>
  inFolder(async (folder) => {
    const { a } = await pairOptions()
    const { out, code } = await holdfast(['doctor', written(folder, 'a.json', a)], folder)
    assert.is(code, 0)
    for (const line of out.split('\n')) assert.ok(line.length <= 80, line)
    assert.match(out, /^ok {4}options /m)
    assert.match(out, /\n0 failures, 2 warnings\n$/)
    assert.not.ok(out.includes('\u001b'))
  }))

test.run()
