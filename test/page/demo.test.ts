// time-out: 240 s
// The live page over the demonstration, in a headless Chromium: each button is pressed, and what the page then says is true.
import type { Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  Chromium,
  Demo,
  demandQuiet,
  findChromium,
  focused,
  PHONE,
  pixelsTooWide,
  says,
  violations,
  type Watched,
} from './support.ts'

const FLOWS = 2_000
const place = findChromium()
const cases = suite('live page of the demonstration')

// Without a browser all are passed over, and counted as that.
const test = place === undefined ? cases.skip : cases

let chromium: Chromium
let demo: Demo
let watched: Watched
let page: Page

const box = (id: string) => `.node[aria-label="Node ${id}"]`
const buttonOf = (id: string, act: string) => page.locator(`${box(id)} [data-act="${act}"]`)
const press = (id: string, act: string) => buttonOf(id, act).click()
const other = (id: string) => (id === 'a' ? 'b' : 'a')

/** Leaves the pair as every case begins: both links, both nodes, a full copy. Resolves with the id of the primary. */
async function inOrder(): Promise<string> {
  const mend = page.locator('[data-act="mend-both"][aria-disabled="false"]')
  if (await mend.isVisible()) await mend.click()
  for (const id of ['a', 'b']) {
    const state = await page.locator(box(id)).getAttribute('data-state')
    if (state === 'frozen') await press(id, 'wake')
    if (state === 'gone') await press(id, 'restart')
  }
  await says(page, '#state', /^Protected$/)
  return await primary()
}

/** The id of the node whose box says that it leads. */
async function primary(): Promise<string> {
  const leads = page.locator('.node', { has: page.locator('.role', { hasText: 'primary' }) })
  return (await leads.getAttribute('aria-label'))!.replace('Node ', '')
}

/** The clients have been watched to the end: no session of theirs was lost. */
async function noneLost(title: RegExp): Promise<void> {
  await says(page, '#felt-title', title)
  await page.waitForSelector('#felt[data-state="done"]')
  const told = await page.locator('#felt').innerText()
  assert.match(told, /All 2,000 clients go on with port and count/)
  assert.match(told, /Longest wait\s+\d\S* m?s\s+Sessions lost\s+0\s+Questions lost\s+\d/)
}

if (place === undefined) cases('SKIPPED: no Chromium here', () => undefined)
else
  cases.before(async () => {
    chromium = await Chromium.start(place)
    demo = await Demo.start(FLOWS)
    watched = await chromium.open(demo.url)
    page = watched.page
    await inOrder()
  })

cases.after(async () => {
  await chromium?.close()
  await demo?.end()
})

test('two boxes, two cables, and what is in them', async () => {
  assert.equal((await page.locator('.node .role').allInnerTexts()).sort(), ['primary', 'secondary'])
  await says(page, '#cable-m1', /up\s+Cut\s+Round trip\s+\d\S* ms\s+Loss\s+\d\S* %\s+Bytes\s+\S+ .?B\/s/)
  assert.equal(await page.locator('.node dl > div:last-child dd').allInnerTexts(), ['2,000', '2,000'])
  assert.is(await page.locator('#charts canvas').count(), 4)
  await says(page, '#history li', /primary/)
})

test('killed: the other one is promoted, 0 sessions are lost, and what the clients felt is said', async () => {
  const killed = await inOrder()
  await press(killed, 'kill')
  await says(page, `${box(killed)} .role`, /^gone$/)
  await says(page, `${box(other(killed))} .role`, /^primary$/)
  await says(page, '#felt', new RegExp(`${other(killed)} was promoted after \\d\\S* ms`))
  await noneLost(new RegExp(`^Killed ${killed}$`))
  await says(
    page,
    '#history li:first-child',
    new RegExp(`${other(killed)} primary\\s+The process of node '${killed}' is gone`),
  )
  await says(page, '#announce', new RegExp(`Node ${other(killed)} is primary`))
  await says(page, '#state', /^Not protected$/)
  await press(killed, 'restart')
  await inOrder()
  await says(page, `${box(killed)} .role`, /^secondary$/)
})

test('handed over: the roles change places', async () => {
  const leads = await inOrder()
  await press(leads, 'handover')
  await says(page, `${box(other(leads))} .role`, /^primary$/)
  await noneLost(new RegExp(`^Handed over from ${leads}$`))
})

test('frozen: it is replaced; woken, it follows', async () => {
  const frozen = await inOrder()
  await press(frozen, 'freeze')
  await says(page, `${box(frozen)} .role`, /^frozen$/)
  await says(page, `${box(other(frozen))} .role`, /^primary$/)
  await noneLost(new RegExp(`^Froze ${frozen}$`))
  await press(frozen, 'wake')
  await says(page, `${box(frozen)} .role`, /^secondary$/)
})

test('its main thread blocked for 3 s: it says so, and the other one takes the role over', async () => {
  const blocked = await inOrder()
  await press(blocked, 'block-3')
  await says(page, `${box(blocked)} .words`, /Its main thread is busy/)
  await says(page, `${box(other(blocked))} .role`, /^primary$/)
  await says(page, `${box(blocked)} .role`, /^secondary$/)
  await noneLost(new RegExp(`^Blocked ${blocked} for 3 s$`))
})

test('blocked for 1 s: the clients wait, the roles stay', async () => {
  const blocked = await inOrder()
  await press(blocked, 'block-1')
  await noneLost(new RegExp(`^Blocked ${blocked} for 1 s$`))
  assert.is(await primary(), blocked)
  await says(page, '#felt', /No change of role/)
})

for (const link of ['m1', 'm2']) {
  test(`${link.toUpperCase()} cut: the other carries everything, and mended it is up again`, async () => {
    const leads = await inOrder()
    await page.click(`[data-act="cable-${link}"]`)
    await says(page, `#cable-${link} .state`, /^cut$/)
    await noneLost(new RegExp(`^Cut ${link.toUpperCase()}$`))
    assert.is(await primary(), leads)
    await page.click(`[data-act="cable-${link}"]`)
    await says(page, `#cable-${link} .state`, /^up$/)
  })
}

test('both cut: the page says plainly that both are primary; mended, one of them stays', async () => {
  await inOrder()
  await page.click('[data-act="cut-both"]')
  await says(
    page,
    '#banner[role="alert"]',
    /Both nodes are primary\. Each believes that the other is dead: a in epoch \d+, b in epoch \d+\./,
  )
  await says(page, '#state', /^Two primaries$/)
  assert.is(await page.locator('#banner').isVisible(), true)
  await page.click('[data-act="mend-both"]')
  await inOrder()
  await says(page, '#banner', /^$/)
  await says(page, '#history li', /Two primaries met; the one of the later epoch stays/)
})

test('by the keyboard alone: every button is reached in the order it stands in, shows its focus, and is pressed', async () => {
  await inOrder()
  await page.reload()
  await says(page, '#state', /^Protected$/)
  const expected = await page
    .locator('button:visible')
    .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')))
  const reached: (string | null)[] = []
  for (let i = 0; i < expected.length; i++) {
    await page.keyboard.press('Tab')
    const { label, outline } = await focused(page)
    reached.push(label)
    assert.match(outline, /^solid [2-9]/, `${label} does not show its focus`)
  }
  assert.equal(reached, expected)
  await page.focus('[data-act="cable-m1"]')
  assert.is(await page.locator('[data-act="cable-m1"]').innerText(), 'Cut')
  await page.keyboard.press('Enter')
  await says(page, '#cable-m1 .state', /^cut$/)
  await page.keyboard.press('Space')
  await says(page, '#cable-m1 .state', /^up$/)
})

test('what cannot be done now is not done, and says so to a screen reader', async () => {
  const follows = other(await inOrder())
  const button = buttonOf(follows, 'handover')
  assert.is(await button.getAttribute('aria-disabled'), 'true')
  await button.dispatchEvent('click')
  await says(page, `${box(follows)} .role`, /^secondary$/)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`${colorScheme}, wide and on a phone: nothing breaks the rules of accessibility, and nothing is cut off`, async () => {
    for (const viewport of [{ width: 1_240, height: 900 }, PHONE]) {
      const one = await chromium.open(demo.url, { colorScheme, viewport })
      await says(one.page, '#state', /^Protected$/)
      assert.equal(await violations(one.page), [])
      assert.is(await pixelsTooWide(one.page), 0)
      demandQuiet(one)
      await one.page.context().close()
    }
  })
}

test('nothing was complained of, and nothing was asked of anybody else', () => demandQuiet(watched))

cases.run()
