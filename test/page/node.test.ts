// The live page of real nodes, at the address of their admin server, in a headless Chromium.
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TOKEN } from '../admin/support.ts'
import { closing, type Node, tables } from '../node/support.ts'
import { Chromium, demandQuiet, findChromium, PHONE, pixelsTooWide, says, violations } from './support.ts'

const place = findChromium()
const cases = suite('live page of a node')
// Without a browser all are passed over, and counted as that.
const test = place === undefined ? cases.skip : cases
if (place === undefined) cases('SKIPPED: no Chromium here', () => undefined)

/** A pair, and a browser. */
async function withPages(
  body: (given: { chromium: Chromium; a: Node; b: Node }) => Promise<void>,
): Promise<void> {
  await closing(async (opened) => {
    const admin = { listen: '127.0.0.1:0', token: TOKEN }
    // Patient: a browser that starts on the same processors is no reason for a change of role.
    const pair = await createPair({ tables, admin, heartbeat: { lost: 50 }, stallTimeout: 20_000 })
    opened.push(pair)
    const chromium = await Chromium.start(place!)
    opened.push(chromium)
    await body({ chromium, a: pair.a, b: pair.b })
  })
}

const at = (node: Node) => node.status().admin!

test('it shows this node and what it knows of its peer, and has no button that does harm', () =>
  withPages(async ({ chromium, a, b }) => {
    a.tables.sessions.set({ id: 1 }, { count: 1 })
    const first = await chromium.open(at(a))
    await says(first.page, '#state', /^Protected$/)
    await says(
      first.page,
      '.node[aria-label="Node a"]',
      /primary\s+Every session survives the loss of this node/,
    )
    await says(
      first.page,
      '.node[aria-label="Node b"]',
      /secondary\s+Holds a full copy and can take over at once/,
    )
    await says(first.page, '.node[aria-label="Node a"] dl', /Sessions\s+1$/)
    await says(first.page, '#cable-m1', /up\s+Round trip\s+\d/)
    assert.is(await first.page.locator('[data-act]').count(), 0)
    assert.is(await first.page.locator('button:visible').count(), 0)
    const second = await chromium.open(at(b))
    await says(second.page, '#state', /^a leads, this node has a copy$/)
    for (const watched of [first, second]) demandQuiet(watched)
  }))

test('without the right token nothing is done, and the page says so', () =>
  withPages(async ({ chromium, a }) => {
    const { page, complaints } = await chromium.open(at(a))
    await page.fill('#token', 'not the token')
    await page.click('button:text-is("Hand over")')
    await says(page, '#operate [role="status"]', /^Hand over: .*token/)
    assert.is(a.role, 'primary')
    assert.equal(
      complaints.filter((text) => !text.includes('401')),
      [],
    )
  }))

test('with it: proof, repair, maintenance and hand-over, each with its answer', () =>
  withPages(async ({ chromium, a, b }) => {
    const watched = await chromium.open(at(a))
    const { page } = watched
    const answer = (what: RegExp) => says(page, '#operate [role="status"]', what)
    await page.fill('#token', TOKEN)
    await page.click('button:text-is("Prove that both are equal")')
    await answer(/^Both nodes hold the same\.$/)
    await page.click('button:text-is("Compare and repair")')
    await answer(/^Compare and repair: done\.$/)
    await page.click('button:text-is("Hand over")')
    await answer(/^Hand over: done\.$/)
    await says(page, '.node[aria-label="Node a"] .role', /^secondary$/)
    assert.equal([a.role, b.role], ['secondary', 'primary'])
    await page.click('button:text-is("Begin maintenance")')
    await answer(/^Begin maintenance: done\.$/)
    assert.is(a.status().maintenance, true)
    await page.click('button:text-is("End maintenance")')
    await answer(/^End maintenance: done\.$/)
    assert.is(a.status().maintenance, false)
    demandQuiet(watched)
  }))

test('light and dark, wide and on a phone: nothing breaks the rules of accessibility, and nothing is cut off', () =>
  withPages(async ({ chromium, a }) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const viewport of [{ width: 1_240, height: 900 }, PHONE]) {
        const watched = await chromium.open(at(a), { colorScheme, viewport })
        const { page } = watched
        await says(page, '#state', /^Protected$/)
        await page.fill('#token', TOKEN)
        assert.equal(await violations(page), [])
        assert.is(await pixelsTooWide(page), 0)
        demandQuiet(watched)
      }
    }
  }))

test('a node that is gone: the page says that it has no connection, and finds it again', () =>
  withPages(async ({ chromium, a, b }) => {
    const { page } = await chromium.open(at(a))
    await says(page, '#state', /^Protected$/)
    await b.close()
    await says(page, '.node[aria-label="Node b"]', /not heard/)
    await says(page, '#state', /^Not protected$/)
    await a.close()
    await says(page, '#state', /^No connection, trying again$/)
  }))

cases.run()
