// time-out: 240 s
// The programs of docs/adapters do what the pages say: the one that serves is killed, the other goes on.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { documented } from './documented.ts'
import { Browser, request } from './support.ts'

const test = suite('documented')

test('express-session.md: the count of a cookie goes on', () =>
  documented('express-session', async ({ port, kill, primary }) => {
    const browser = new Browser()
    for (let i = 1; i <= 5; i++) assert.is((await browser.ask(port.a, '/')).body, `${i} views, says a`)
    assert.is((await browser.ask(port.b, '/')).status, 503)
    await kill('a')
    assert.is(await primary(), 'b')
    assert.is((await browser.ask(port.b, '/')).body, '6 views, says b')
    assert.is((await new Browser().ask(port.b, '/')).body, '1 views, says b')
  }))

test('keyv.md: what was cached is there, and ends when it should', () =>
  documented('keyv', async ({ port, kill, primary }) => {
    assert.is((await request(port.a, '/greeting?value=hello', 'PUT')).status, 204)
    assert.is((await request(port.a, '/greeting')).body, 'hello')
    assert.is((await request(port.b, '/greeting?value=other', 'PUT')).status, 503)
    await kill('a')
    assert.is(await primary(), 'b')
    assert.is((await request(port.b, '/greeting')).body, 'hello')
    assert.is((await request(port.b, '/nothing')).status, 404)
    assert.is((await request(port.b, '/greeting?value=other', 'PUT')).status, 204)
    assert.is((await request(port.b, '/greeting')).body, 'other')
  }))

test('rate-limiter.md: points that were used are used on the other node', () =>
  documented('rate-limiter', async ({ port, kill, primary }) => {
    for (let left = 4; left >= 2; left--)
      assert.is((await request(port.a, '/login', 'POST')).body, `${left} tries left`)
    assert.is((await request(port.b, '/login', 'POST')).status, 503)
    await kill('a')
    assert.is(await primary(), 'b')
    assert.is((await request(port.b, '/login', 'POST')).body, '1 tries left')
    assert.is((await request(port.b, '/login', 'POST')).body, '0 tries left')
    const { status, headers } = await request(port.b, '/login', 'POST')
    assert.is(status, 429)
    assert.ok(Number(headers['retry-after']) > 0 && Number(headers['retry-after']) <= 60)
  }))

test('express-rate-limit.md: hits that were counted are counted on the other node', () =>
  documented('express-rate-limit', async ({ port, kill, primary }) => {
    for (let i = 0; i < 3; i++) assert.is((await request(port.a, '/')).body, 'hello from a')
    assert.is((await request(port.b, '/')).status, 503)
    await kill('a')
    assert.is(await primary(), 'b')
    assert.is((await request(port.b, '/')).status, 200)
    assert.is((await request(port.b, '/')).status, 200)
    assert.is((await request(port.b, '/')).status, 429)
  }))

test('unstorage.md: what was stored is there', () =>
  documented('unstorage', async ({ port, kill, primary }) => {
    assert.is((await request(port.a, '/carts/7?value=apples', 'PUT')).status, 204)
    assert.is((await request(port.b, '/carts/7?value=pears', 'PUT')).status, 503)
    await kill('a')
    assert.is(await primary(), 'b')
    assert.is((await request(port.b, '/carts/7')).body, 'apples')
    assert.is((await request(port.b, '/carts/8')).status, 404)
  }))

test.run()
