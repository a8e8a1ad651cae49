// time-out: 180 s
// examples/hono-sessions on three runtimes, one after the other in one pair: Node and Deno, then Bun and Deno, then Bun.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Browser } from '../adapters/support.ts'
import { root } from '../package/support.ts'
import { inServers } from './servers.ts'

const test = suite('hono-sessions')
const bin = (name: string) => join(root, 'node_modules/.bin', name)
const env = { SESSION_SECRET: 'a secret of at least 32 characters, of both nodes' }

for (const name of ['deno', 'bun']) {
  if (!existsSync(bin(name))) throw new Error(`${name} is not installed: npm ci brings it`)
}

test('a count goes on from Node to Deno to Bun', () =>
  inServers('hono-sessions', env, async ({ port, start }) => {
    const a = start('a')
    await a.says(/a: primary/)
    const b = start('b', [bin('deno'), 'run', '--allow-all', '--no-prompt'])
    await a.says(/a: both nodes hold/)

    const [browser, leaving] = [new Browser(), new Browser()]
    for (let i = 1; i <= 3; i++)
      assert.is((await browser.ask(port.a, '/')).body, `${i} views, says a on Node`)
    assert.is((await leaving.ask(port.a, '/')).body, '1 views, says a on Node')
    assert.is((await leaving.ask(port.a, '/logout', 'POST')).body, 'bye')
    await b.says(/b: secondary/)
    assert.is((await browser.ask(port.b, '/')).status, 503)

    a.kill()
    await b.says(/b: primary\. /)
    assert.is((await browser.ask(port.b, '/')).body, '4 views, says b on Deno')
    assert.is((await leaving.ask(port.b, '/')).body, '1 views, says b on Deno')

    const bun = start('a', [bin('bun')])
    await bun.says(/a: secondary/)
    await b.says(/b: primary\. [\s\S]*b: both nodes hold/)
    assert.is((await browser.ask(port.b, '/')).body, '5 views, says b on Deno')
    b.kill()
    await bun.says(/a: primary\. /)
    assert.is((await browser.ask(port.a, '/')).body, '6 views, says a on Bun')
    assert.is((await new Browser().ask(port.a, '/')).body, '1 views, says a on Bun')
    bun.kill('SIGTERM')
    assert.is(await bun.ends(), 0)
  }))

test.run()
