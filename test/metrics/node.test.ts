// What real nodes count: changes both ways, batches, promotions, refusals; and what a meter of OpenTelemetry gets of it.
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import type { HoldfastNode } from 'holdfast'
import { metricsOf, metricsText } from 'holdfast/metrics'
import { observeNode } from 'holdfast/opentelemetry'
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PATIENT } from '../adapters/support.ts'
import { call } from '../admin/support.ts'
import { closing, tables, until } from '../node/support.ts'

const test = suite('metrics of nodes')

function value(
  node: Pick<HoldfastNode, 'status'>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const family = metricsOf(node).find((one) => one.name === name)!
  if (family.type === 'histogram') throw new Error(`${name} is a histogram`)
  const fits = ({ labels: given }: { labels: Readonly<Record<string, string>> }) =>
    Object.entries(labels).every(([label, text]) => given[label] === text)
  return family.samples.find(fits)?.value ?? 0
}

/** Value of a counter by reason; undefined if there is no such sample. */
function shown(node: Pick<HoldfastNode, 'status'>, name: string, reason: string): number | undefined {
  const line = new RegExp(`^${name}_total\\{.*reason="${reason}"\\} (\\d+)$`, 'm').exec(metricsText(node))
  return line === null ? undefined : Number(line[1])
}

test('changes count on both nodes, by what they did; a session written twice in one flush counts once', () =>
  closing(async (opened) => {
    const { a, b, close } = await createPair({ tables, heartbeat: PATIENT })
    opened.push({ close })
    const { sessions } = a.tables
    for (let id = 0; id < 10; id++) sessions.set({ id }, { count: 0 })
    await a.replicated()
    for (let id = 0; id < 5; id++) {
      sessions.update({ id }, { count: 1 })
      sessions.update({ id }, { count: 2 })
    }
    await a.replicated()
    for (let id = 0; id < 3; id++) sessions.delete({ id })
    await a.replicated()
    assert.equal(a.status().tables.sessions!.sent, { create: 10, update: 5, delete: 3 })
    assert.equal(a.status().tables.sessions!.received, { create: 0, update: 0, delete: 0 })
    await until('b has applied it', () => b.tables.sessions.size === 7)
    assert.equal(b.status().tables.sessions!.received, { create: 10, update: 5, delete: 3 })
    assert.is(a.status().tables.sessions!.flushMs.count, 3)
    assert.is(b.status().tables.sessions!.applyMs.count, 3)
    const { sent } = a.status().traffic
    assert.is(sent.batchBytes.count, 3)
    assert.is(b.status().traffic.received.batchBytes.sum, sent.batchBytes.sum)
    assert.is(value(b, 'holdfast_changes_received', { table: 'sessions', op: 'delete' }), 3)
    assert.is(value(a, 'holdfast_protected'), 1)
  }))

test('a failover counts by its reason, with how long it took, and is recorded by a meter', () =>
  closing(async (opened) => {
    const pair = await createPair({ tables, heartbeat: PATIENT, fastDetection: false })
    opened.push(pair)
    const { a, b, m1, m2 } = pair
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
    const provider = new MeterProvider({ readers: [reader] })
    const end = observeNode(b, provider.getMeter('test'))
    opened.push({ close: () => provider.shutdown() }, { close: async () => end() })
    a.tables.sessions.set({ id: 1 }, { count: 1 })
    await a.replicated()
    // A counter that began with its first promotion would show nobody an increase.
    assert.is(shown(b, 'holdfast_promotions', 'peer-silent'), 0)
    m1.cut()
    m2.cut()
    await until('b leads', () => b.role === 'primary')
    assert.is(b.status().roleChanges.promotions['peer-silent'], 1)
    assert.is(b.status().roleChanges.promotionMs.count, 1)
    assert.ok(b.status().roleChanges.promotionMs.sum >= 1525, 'the bound')
    assert.is(value(b, 'holdfast_promotions', { reason: 'peer-silent' }), 1)
    await provider.forceFlush()
    const metrics = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics))
    const point = (name: string, labels: Record<string, string>) => {
      const metric = metrics.find(({ descriptor }) => descriptor.name === name)
      assert.ok(metric, name)
      const points = metric!.dataPoints as { attributes: Record<string, unknown>; value: unknown }[]
      return points.find(({ attributes }) =>
        Object.entries(labels).every(([label, text]) => attributes[label] === text),
      )?.value
    }
    assert.is(point('holdfast.role', { node: 'b', role: 'primary' }), 1)
    assert.is(point('holdfast.sessions', { table: 'sessions' }), 1)
    assert.is(point('holdfast.link.up', { link: 'm1' }), 0)
    assert.is(point('holdfast.changes.received', { op: 'create' }), 1)
    assert.is(point('holdfast.batch.count', { direction: 'received' }), 1)
    const promotion = point('holdfast.promotion', { reason: 'peer-silent' }) as { count: number; sum: number }
    assert.is(promotion.count, 1)
    assert.ok(promotion.sum >= 1.525)
    const units = new Map(metrics.map(({ descriptor }) => [descriptor.name, descriptor.unit]))
    assert.is(units.get('holdfast.lag'), 's')
    assert.is(units.get('holdfast.link.sent'), 'By')
    assert.equal(
      [...units.keys()].filter((name) => /_total|_seconds|_bytes/.test(name)),
      [],
    )
  }))

test('/metrics serves the text of the node', () =>
  closing(async (opened) => {
    const pair = await createPair({ tables, heartbeat: PATIENT, admin: { listen: '127.0.0.1:0' } })
    opened.push(pair)
    const { status, headers, text } = await call(pair.a.status().admin!, '/metrics')
    assert.is(status, 200)
    assert.match(headers['content-type']!, 'text/plain; version=0.0.4')
    assert.match(text, /^holdfast_role\{node="a",role="primary"\} 1$/m)
    const names = (from: string) => from.match(/^# TYPE \S+/gm)
    assert.equal(names(text), names(metricsText(pair.a)))
  }))

test.run()
