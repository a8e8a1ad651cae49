// The dashboard and the alarms of examples/grafana: every expression asks for what a node exports, by labels it has, and is one that
// Prometheus' own tool can parse.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { metricsText } from 'holdfast/metrics'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { STATUS } from './status.ts'

const test = suite('dashboard')
const folder = fileURLToPath(new URL('../../examples/grafana/', import.meta.url))
const read = (name: string) => readFileSync(join(folder, name), 'utf8')

interface Panel {
  id: number
  type: string
  title: string
  description?: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { expr: string; legendFormat: string }[]
}

const panels = (JSON.parse(read('dashboard.json')) as { panels: Panel[] }).panels
const expressions = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legend: legendFormat })),
)
const alarms = [...read('alerts.yaml').matchAll(/- alert: (\w+)\n\s+expr: (.+)/g)].map(([, title, expr]) => ({
  title: title!,
  expr: expr!,
  legend: '',
}))

/** Labels by the name a sample has in the text. */
const exported = new Map<string, Set<string>>()
for (const line of metricsText({ status: () => ({ ...STATUS, id: 'a' }) }).split('\n')) {
  const [, name, labels] = /^(holdfast_\w+)\{(.*)\} /.exec(line) ?? []
  if (name === undefined) continue
  exported.set(name, new Set([...labels!.matchAll(/(\w+)="/g)].map(([, label]) => label!)))
}

test('every expression asks for series a node exports, by labels they have', () => {
  assert.ok(expressions.length >= 20)
  assert.ok(alarms.length >= 6)
  for (const { title, expr, legend } of [...expressions, ...alarms]) {
    const names = [...expr.matchAll(/holdfast_\w+/g)].map(([name]) => name)
    assert.ok(names.length > 0, title)
    for (const name of names) assert.ok(exported.has(name), `${title}: ${name} is not exported`)
    const asked = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/, */))
    const matched = [...expr.matchAll(/\{(\w+)=/g)].map(([, label]) => label!)
    const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!)
    for (const label of [...asked, ...matched, ...shown]) {
      assert.ok(
        names.every((name) => exported.get(name)!.has(label)),
        `${title}: label ${label}`,
      )
    }
  }
})

test('panels have a title and a sentence, and none lies over another', () => {
  const taken = new Map<string, string>()
  for (const { type, title, description, gridPos } of panels) {
    assert.ok(title !== '' && (type === 'row' || description!.endsWith('.')), title)
    assert.ok(gridPos.x + gridPos.w <= 24, title)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.is(taken.get(`${x},${y}`), undefined, `${title} lies over ${taken.get(`${x},${y}`)}`)
        taken.set(`${x},${y}`, title)
      }
    }
  }
  assert.is(new Set(panels.map(({ id }) => id)).size, panels.length)
})

if (spawnSync('promtool', ['--version']).error !== undefined) {
  console.log('promtool is not installed: passed over whether Prometheus can parse the expressions')
} else {
  test('Prometheus can parse every expression, its configuration and the alarms', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'holdfast-rules-'))
    try {
      const rules = expressions.map(({ expr }, i) => ({
        record: `panel_${i}`,
        expr: expr.replaceAll('$__rate_interval', '1m'),
      }))
      // JSON is YAML.
      const file = join(scratch, 'rules.yaml')
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }))
      for (const args of [
        ['check', 'rules', file],
        ['check', 'config', join(folder, 'prometheus.yaml')],
      ]) {
        const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' })
        assert.is(status, 0, stdout + stderr)
      }
    } finally {
      rmSync(scratch, { recursive: true })
    }
  })
}

test.run()
