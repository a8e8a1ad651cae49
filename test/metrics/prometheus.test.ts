// Metrics as text: read back by Prometheus' own tool where it is installed, by a strict reader here always.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type MetricFamily, metricsOf, metricsText } from 'holdfast/metrics'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { STATUS } from './status.ts'

const test = suite('metrics')
const node = { status: () => STATUS }

const family = (name: string): MetricFamily => {
  const found = metricsOf(node).find((one) => one.name === name)
  assert.ok(found, name)
  return found!
}

/** Value of the sample with these labels, besides `node`. */
function value(name: string, labels: Record<string, string> = {}): number | undefined {
  const { type, samples } = family(name)
  if (type === 'histogram') return undefined
  const wanted = JSON.stringify({ node: STATUS.id, ...labels })
  return samples.find((sample) => JSON.stringify(sample.labels) === wanted)?.value
}

test('what has no value yet is a family without samples, so that a meter declares it from the start', () => {
  const bare = metricsOf({ status: () => ({ ...STATUS, snapshot: null, witness: null }) })
  const names = (families: MetricFamily[]) => families.map(({ name }) => name)
  assert.equal(names(bare), names(metricsOf(node)))
  for (const { name, samples } of bare) if (/snapshot|witness/.test(name)) assert.equal(samples, [], name)
})

test('units are seconds, bytes and ratios, and every sample names its node', () => {
  assert.is(value('holdfast_lag_seconds'), 0.25)
  assert.is(value('holdfast_lag_batches'), 3)
  assert.is(value('holdfast_link_round_trip_seconds', { link: 'm1' }), 0.0015)
  assert.is(value('holdfast_link_round_trip_seconds', { link: 'm2' }), undefined, 'not known')
  assert.is(value('holdfast_link_loss_ratio', { link: 'm1' }), 0.25)
  assert.is(value('holdfast_link_up', { link: 'm2' }), 0)
  assert.is(value('holdfast_role', { role: 'primary' }), 1)
  assert.is(value('holdfast_role', { role: 'secondary' }), 0)
  assert.is(value('holdfast_sessions_unprotected', { table: 'web' }), 3)
  assert.is(value('holdfast_changes_sent', { table: 'connections', op: 'update' }), 2)
  assert.is(value('holdfast_refusals', { reason: 'admin-token' }), 1)
  assert.is(value('holdfast_promotions', { reason: 'peer-died' }), 2)
  assert.is(value('holdfast_resync_left', { mode: 'full' }), 7)
  assert.is(value('holdfast_resync_left', { mode: 'difference' }), 0)
  assert.is(value('holdfast_arena_used_bytes', { table: 'web' }), undefined, 'it has no arena')
})

test('names keep the rules: one prefix, the unit last, no name twice, no label a session could be told by', () => {
  const families = metricsOf(node)
  const names = families.map(({ name }) => name)
  assert.is(new Set(names).size, names.length)
  for (const { name, help, samples } of families) {
    assert.match(name, /^holdfast_[a-z]+(_[a-z]+)*$/)
    assert.not.match(name, /_total$|_(ms|milliseconds|kb|percent)\b/)
    assert.match(help, /^[A-Z1].*\.$/)
    for (const { labels } of samples) {
      const known = [
        'node',
        'version',
        'role',
        'reason',
        'mode',
        'link',
        'table',
        'op',
        'direction',
        'monitor',
      ]
      assert.equal(
        Object.keys(labels).filter((label) => !known.includes(label)),
        [],
        name,
      )
    }
  }
})

test('buckets are cumulative, in seconds, and end with the count', () => {
  const lines = metricsText(node).split('\n')
  const at = lines.indexOf('# TYPE holdfast_promotion_seconds histogram')
  const values = lines.slice(at + 1, at + 7).map((line) => line.replace(/node="[^}]*?lines",?/, ''))
  assert.equal(values, [
    'holdfast_promotion_seconds_bucket{le="0.005"} 1',
    'holdfast_promotion_seconds_bucket{le="0.01"} 1',
    'holdfast_promotion_seconds_bucket{le="0.1"} 2',
    'holdfast_promotion_seconds_bucket{le="+Inf"} 3',
    'holdfast_promotion_seconds_sum{} 3.1',
    'holdfast_promotion_seconds_count{} 3',
  ])
})

test('the text has one head for each family, and label values are escaped', () => {
  const text = metricsText(node)
  const LINE =
    /^(# (HELP|TYPE) holdfast_\w+ .+|holdfast_\w+(\{(\w+="(\\["\\n]|[^"\\\n])*",?)*\})? -?(\d[\d.]*(e[+-]?\d+)?|Infinity))$/
  for (const line of text.trimEnd().split('\n')) assert.match(line, LINE)
  const heads = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
  assert.is(new Set(heads).size, heads.length)
  assert.ok(text.includes('node="a \\"quoted\\" \\\\ name\\nof two lines"'))
  assert.ok(text.endsWith('\n'))
})

test('docs/OPERATING.md lists every name, with its kind, and no other', () => {
  const page = readFileSync(new URL('../../docs/OPERATING.md', import.meta.url), 'utf8')
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.match(page, `tried with ${manifest.devDependencies['@opentelemetry/api']})`)
  const rows = page.split('\n').filter((line) => line.startsWith('| `holdfast_'))
  const told = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`(holdfast_\w+)`( [ch]\b)?/g)])
  const kind = { gauge: '', counter: ' c', histogram: ' h' }
  assert.equal(
    told.map(([, name, mark = '']) => name + mark).sort(),
    metricsOf(node)
      .map(({ name, type }) => name + kind[type])
      .sort(),
  )
})

const promtool = spawnSync('promtool', ['--version']).error === undefined
if (!promtool) console.log('promtool is not installed: passed over what it would say of the text')
else {
  test('promtool reads the text and finds nothing against its names', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: metricsText(node),
      encoding: 'utf8',
    })
    assert.is(stdout + stderr, '')
    assert.is(status, 0)
  })
}

test.run()
