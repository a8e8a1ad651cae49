// The programs of docs/adapters do what the pages say: the one that serves is killed, the other goes on.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { documented } from './documented.ts'
import { Browser } from './support.ts'

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

test.run()
