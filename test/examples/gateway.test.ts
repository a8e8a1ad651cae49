// examples/gateway from the command line, as its README starts it: two gateway processes and one client, whose count and NAT
// port go on when the primary is killed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freeAddress, makeIdentity } from '../../src/testing/index.ts'
import { blocksOf, root } from '../docs/pages.ts'
import { Watched } from '../package/support.ts'

const test = suite('gateway')

const PAGE = 'examples/gateway/README.md'

/** The commands of the page that start gateways, with addresses that are free here. */
async function commands(): Promise<{ gateways: string[][]; service: string }> {
  const block = blocksOf(PAGE).find(({ code }) => code.includes('main.mjs'))!
  const text = block.code.replaceAll('\\\n', ' ')
  const addresses = new Map<string, string>()
  for (const [address] of text.matchAll(/127\.0\.0\.1:\d+/g)) {
    while (!addresses.has(address)) {
      const free = await freeAddress()
      if (![...addresses.values()].includes(free)) addresses.set(address, free)
    }
  }
  const lines = text
    .replace(/127\.0\.0\.1:\d+/g, (address) => addresses.get(address)!)
    .trim()
    .split('\n')
  return {
    gateways: lines.map((line) => line.trim().split(/\s+/).slice(2)),
    service: addresses.get('127.0.0.1:9000')!,
  }
}

test('a client goes on counting, from the same NAT port, when the primary is killed', async () => {
  const { gateways, service } = await commands()
  assert.is(gateways.length, 2)
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-gateway-'))
  for (const id of ['a', 'b']) {
    const { cert, key } = await makeIdentity(id)
    writeFileSync(join(folder, `${id}.crt`), cert)
    writeFileSync(join(folder, `${id}.key`), key)
  }
  const script = (name: string) => join(root, 'examples/gateway', name)
  const started: Watched[] = []
  const start = (name: string, ...words: string[]) => {
    const one = new Watched([process.execPath, script(name), ...words], folder)
    started.push(one)
    return one
  }
  try {
    const a = start('main.mjs', ...gateways[0]!)
    await a.says(/a: primary in epoch/)
    const b = start('main.mjs', ...gateways[1]!)
    await b.says(/b: secondary/)
    const client = start('client.mjs', service)
    const [, before, port] = await client.says(/packet (2) of this flow, NAT (\S+), answered by a/)
    // Every answer has waited for the secondary, once there is one.
    await a.says(/a: primary, 1 sessions, .* peer secondary/)
    const seen = client.output.length
    a.kill()
    await client.says(/answered by b/)
    const [, after, portAfter] = /packet (\d+) of this flow, NAT (\S+), answered by b/.exec(
      client.output.slice(seen),
    )!
    assert.is(portAfter, port)
    const last = Math.max(
      ...[...client.output.matchAll(/packet (\d+) of this flow, NAT \S+, answered by a/g)].map(countOf),
    )
    assert.ok(Number(after) > last && last >= Number(before), `${after} after ${last}`)
  } finally {
    for (const one of started) one.kill()
    await Promise.all(started.map((one) => one.ends()))
    rmSync(folder, { recursive: true })
  }
})

const countOf = (match: RegExpMatchArray): number => Number(match[1])

test.run()
