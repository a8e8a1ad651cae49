// Charts are documents of their own: readable in light and dark, with nothing in them that comes from elsewhere.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bars } from '../../bench/charts/bars.ts'
import { drawCard } from '../../bench/charts/card.ts'
import { drawCharts } from '../../bench/charts/charts.ts'
import type { Figure } from '../../bench/lib/figure.ts'

const figure = (value: number, runs: readonly number[], detail: Record<string, number> = {}): Figure => ({
  value,
  unit: 'ms',
  target: null,
  runs,
  detail,
  date: '2026-01-01T00:00:00.000Z',
  commit: 'test',
})

function expectDocument(svg: string): void {
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+" viewBox="/)
  assert.is(svg.trimEnd().slice(-6), '</svg>')
  assert.not.match(svg, /NaN|undefined|<script|href=|url\(|currentColor/)
  assert.match(svg, /@media \(prefers-color-scheme:dark\)/)
  const sheet = /<style>.*<\/style>/s.exec(svg)![0]
  for (const [, paint, colour] of svg.replace(sheet, '').matchAll(/(fill|stroke)="(#[0-9a-f]+)"/g))
    assert.ok(sheet.includes(`[${paint}="${colour}"]`), `${colour} has a dark form`)
}

test('bars carry their labels and values, and have both colour schemes', () => {
  const svg = drawCard(
    bars({ title: 'A < B & C', subtitle: ['one', 'two'], marginLeft: 100 }, ' ns', [
      { label: 'ours', value: 1234, runs: [1000, 1500], ours: true, group: 'first' },
      { label: 'theirs', value: 56.7, ours: false, group: 'second' },
    ]),
  )
  expectDocument(svg)
  for (const text of [
    'A &lt; B &amp; C',
    'one',
    'two',
    'ours',
    'theirs',
    '1,230 ns',
    '56.7 ns',
    'first',
    'second',
  ])
    assert.ok(svg.includes(`>${text}<`), text)
})

test('times of promotions: every one is in a column, and what took long is said', () => {
  const runs = [...Array.from({ length: 199 }, (_, n) => 5 + (n % 10)), 83.5]
  const { failover } = drawCharts({ 'failover.kill.p50_ms': figure(9, runs, { max_ms: 83.5 }) }, undefined)
  expectDocument(failover!)
  assert.match(failover!, /200 kills/)
  assert.match(failover!, /holds 1 that took longer, up to 83\.5 ms/)
})

test('a chart whose figures are missing is not drawn', () => {
  assert.equal(Object.keys(drawCharts({}, undefined)), [])
})

test.run()
