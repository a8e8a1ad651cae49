// The panel as text, for terminals of several sizes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const { panel } = await import(new URL('../../examples/demo/panel.mjs', import.meta.url).href)
const { wrap } = await import(new URL('../../examples/demo/display.mjs', import.meta.url).href)

const test = suite('panel')

const links = { m1: { up: true, rttMs: 0.21, lossShare: 0 }, m2: { up: false, rttMs: 12.5, lossShare: 0.3 } }
const node = {
  epoch: 1_790_000_001,
  tables: { flows: { sessions: 20_000 } },
  links,
  lag: { batches: 1, ms: 0.8 },
}
const cluster = {
  flows: 20_000,
  primary: 'a',
  status: {
    a: { ...node, role: 'primary', protected: true, stats: { packetsPerSecond: 19_998, waitMs: 0.9 } },
    b: { ...node, role: 'secondary', synced: false },
  },
  window: { perSecond: 19_990, gapMsMax: 87.2, open: 12 },
}

test('shows roles, links, sessions, rates and gaps', () => {
  const lines = panel(cluster, { act: 'cut M1', seconds: 75, columns: 80, rows: 24 })
  assert.equal(lines, [
    ' 1:15  cut M1',
    ' a   primary    epoch 1790000001   20,000 sessions   protected',
    ' b   secondary  epoch 1790000001   20,000 sessions   NOT SYNCED',
    ' M1  up         round trip 0.2 ms   loss 0.0 %',
    ' M2  DOWN       round trip 12.5 ms   loss 30.0 %',
    ' sync  19,998 updates/s   lag 1 batches, 0.8 ms   answers wait 0.9 ms',
    ' load  20,000 clients   19,990 answers/s   longest gap 87.2 ms   open 12',
  ])
})

test('keeps what tells most in a small terminal, and no line wider than it', () => {
  const lines = panel(cluster, { act: 'cut M1', seconds: 75, columns: 40, rows: 4 })
  assert.equal(lines, [
    ' 1:15  cut M1',
    ' a   primary    epoch 1790000001   20,00',
    ' b   secondary  epoch 1790000001   20,00',
  ])
})

test('can be drawn before anything is known', () => {
  const nothing = { flows: 1, status: {}, window: { gapMsMax: 0, open: 0 }, primary: undefined }
  assert.is(panel(nothing, { act: 'start', seconds: 0, columns: 80, rows: 24 }).length, 7)
})

test('breaks text between words', () => {
  assert.equal(wrap('one two three', 7), ['one two', 'three'])
  assert.equal(wrap('indivisible', 5), ['indivisible'])
})

test.run()
