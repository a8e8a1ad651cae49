// holdfast keygen: the files it writes, who may read them, what it refuses, and a rotation on a running pair by its files.
import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createNode, readIdentity } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bothLinks, closing, pairOptions, protectedPair } from '../node/support.ts'
import { holdfast, inFolder } from './support.ts'

const test = suite('keygen')

async function keygen(folder: string, ...args: string[]): Promise<string> {
  const { code, out, error } = await holdfast(['keygen', ...args], folder)
  assert.is(code, 0, error)
  return out
}

async function refused(folder: string, what: RegExp, code: number, ...args: string[]): Promise<void> {
  const outcome = await holdfast(['keygen', ...args], folder)
  assert.match(outcome.error, what)
  assert.is(outcome.code, code)
  assert.is(outcome.out, '')
}

for (const type of ['p256', 'ed25519']) {
  test(`two names make a pair's identities (${type}): for their owner only, trusting each other, valid for long`, () =>
    inFolder(async (folder) => {
      await keygen(folder, 'a', 'b', '--type', type)
      assert.equal(readdirSync(folder).sort(), ['a.crt', 'a.json', 'b.crt', 'b.json'])
      for (const [name, other] of [
        ['a', 'b'],
        ['b', 'a'],
      ]) {
        const path = join(folder, `${name}.json`)
        assert.is(statSync(path).mode & 0o777, 0o600)
        const identity = await readIdentity(path)
        const certificate = new X509Certificate(identity.cert)
        assert.is(certificate.publicKey.asymmetricKeyType, type === 'p256' ? 'ec' : 'ed25519')
        assert.ok(new Date(certificate.validFrom).getUTCFullYear() <= 2000)
        assert.is(new Date(certificate.validTo).getUTCFullYear(), new Date().getUTCFullYear() + 20)
        const theirs = new X509Certificate(readFileSync(join(folder, `${other}.crt`)))
        assert.is(new X509Certificate(identity.trust[0]!).fingerprint256, theirs.fingerprint256)
      }
    }))
}

test('one name makes one that trusts nobody until it is told whom', () =>
  inFolder(async (folder) => {
    assert.match(await keygen(folder, 'a'), /Nobody is trusted yet/)
    assert.match(await keygen(folder, 'show', 'a.json'), /nobody yet/)
    await keygen(folder, 'b')
    await keygen(folder, 'trust', 'a.json', 'b.crt')
    await keygen(folder, 'trust', 'b.json', 'a.json')
    assert.is(statSync(join(folder, 'a.json')).mode & 0o777, 0o600)
    assert.is((await readIdentity(join(folder, 'b.json'))).trust.length, 1)
    await keygen(folder, 'trust', 'b.json', 'a.crt')
    assert.is((await readIdentity(join(folder, 'b.json'))).trust.length, 1)
  }))

test('nothing is overwritten, and what makes no sense is refused', () =>
  inFolder(async (folder) => {
    await keygen(folder, 'b')
    await refused(folder, /b\.json exists already/, 1, 'a', 'b')
    assert.equal(readdirSync(folder).sort(), ['b.crt', 'b.json'])
    await refused(folder, /itself/, 1, 'trust', 'b.json', 'b.crt')
    await refused(folder, /cannot be read \(ENOENT\)/, 1, 'trust', 'b.json', 'c.crt')
    await refused(folder, /not an identity/, 1, 'trust', 'b.crt', 'b.crt')
    await refused(folder, /--switch belongs to/, 2, 'x', '--switch')
    await refused(folder, /--type is 'rsa'/, 2, 'x', '--type', 'rsa')
    await refused(folder, /no name/, 2, '../x')
    await refused(folder, /name is missing/, 2)
    await refused(folder, /next\.json: cannot be read/, 1, 'rotate', 'b.json', '--switch')
    await keygen(folder, 'rotate', 'b.json')
    await refused(folder, /under way/, 1, 'rotate', 'b.json')
  }))

test('a rotation by the steps of its help: a running pair reloads its files and keeps roles and links', () =>
  inFolder(async (folder) => {
    await keygen(folder, 'a', 'b')
    const file = (name: string) => readIdentity(join(folder, name))
    const options = await pairOptions()
    await closing(async (opened) => {
      const a = await createNode({ ...options.a, insecure: false, identity: await file('a.json') })
      opened.push(a)
      const b = await createNode({ ...options.b, insecure: false, identity: await file('b.json') })
      opened.push(b)
      await protectedPair(a, b)
      await bothLinks(a, b)
      const told: unknown[] = []
      for (const node of [a, b])
        for (const name of ['role', 'link', 'error'] as const) node.on(name, (event) => told.push(event))
      const { cert } = await file('a.json')
      await keygen(folder, 'rotate', 'a.json')
      assert.is((await file('a.json')).cert, cert)
      await keygen(folder, 'trust', 'b.json', 'a.next.crt')
      await b.reloadIdentity(await file('b.json'))
      await keygen(folder, 'rotate', 'a.json', '--switch')
      assert.is.not((await file('a.json')).cert, cert)
      await a.reloadIdentity(await file('a.json'))
      await keygen(folder, 'trust', 'b.json', 'a.next.crt', '--only')
      await b.reloadIdentity(await file('b.json'))
      assert.equal(told, [])
      assert.ok(a.status().protected)
      assert.equal((await file('b.json')).trust.length, 1)
    })
  }))

test.run()
