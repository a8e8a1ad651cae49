// The same families through a meter of @opentelemetry/api, whose types are all that is used of it: the application brings
// the meter. Names have dots and no unit, which is told apart, as the conventions of OpenTelemetry want it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api'
import type { HoldfastNode, NodeEvents } from '../index.ts'
import { familiesOf, type MetricFamily } from './families.ts'

/** What the end of a name says, in UCUM. */
const UNITS: readonly (readonly [string, string])[] = [
  ['_seconds', 's'],
  ['_bytes', 'By'],
  ['_ratio', '1'],
]

/** Name and unit of a family, as OpenTelemetry has them: 'holdfast.link.round_trip' in 's'. */
export function instrumentOf({ name }: Pick<MetricFamily, 'name'>): { name: string; unit: string } {
  const [ending, unit] = UNITS.find(([end]) => name.endsWith(end)) ?? ['', '1']
  const words = name.slice(0, name.length - ending.length).replace(/^holdfast_/, '')
  const scope = /^(link|sessions|snapshot|witness|arena|resync|lag|batch|changes)_(.+)$/.exec(words)
  return { name: `holdfast.${scope === null ? words : `${scope[1]}.${scope[2]}`}`, unit }
}

/** Names of the two counters that stand for a histogram the node keeps itself. */
const PARTS = ['sum', 'count'] as const

/**
 * Has a meter observe a node. Counters and gauges are read when the meter collects. `holdfast.promotion` is a histogram,
 * recorded at each promotion; of the other histograms, which the node keeps itself, a meter can take the sum and the
 * number of values: counters whose names end with `.sum` and `.count`. Gives a function that ends it.
 *
 * @example
 * const end = observeNode(node, metrics.getMeter('app'))
 */
export function observeNode(node: HoldfastNode, meter: Meter): () => void {
  const instruments = new Map<string, Observable>()
  for (const family of familiesOf(node.status())) declare(meter, family, instruments)
  const observables = [...instruments.values()]
  const collect = (result: BatchObservableResult) => {
    for (const family of familiesOf(node.status())) observe(result, family, instruments)
  }
  meter.addBatchObservableCallback(collect, observables)
  const promotion = meter.createHistogram('holdfast.promotion', {
    unit: 's',
    description: 'From the first sign to the decision of a promotion.',
  })
  const hear = (message: unknown) => {
    const { node: of, event } = message as { node: unknown; event: NodeEvents['role'] }
    if (of !== node || event.role !== 'primary') return
    promotion.record(event.durationMs / 1000, { node: node.id, reason: event.reason })
  }
  subscribe('holdfast:role', hear)
  return () => {
    meter.removeBatchObservableCallback(collect, observables)
    unsubscribe('holdfast:role', hear)
  }
}

function declare(meter: Meter, family: MetricFamily, into: Map<string, Observable>): void {
  const { name, unit } = instrumentOf(family)
  const options = { unit, description: family.help }
  if (family.type === 'gauge') into.set(name, meter.createObservableGauge(name, options))
  else if (family.type === 'counter') into.set(name, meter.createObservableCounter(name, options))
  else if (family.name !== 'holdfast_promotion_seconds') {
    for (const part of PARTS) {
      const partName = `${name}.${part}`
      const partOptions = part === 'sum' ? options : { ...options, unit: '1' }
      into.set(partName, meter.createObservableCounter(partName, partOptions))
    }
  }
}

function observe(
  result: BatchObservableResult,
  family: MetricFamily,
  instruments: Map<string, Observable>,
): void {
  const { name } = instrumentOf(family)
  if (family.type === 'histogram') {
    for (const { labels, spread } of family.samples) {
      for (const part of PARTS) {
        const instrument = instruments.get(`${name}.${part}`)
        if (instrument !== undefined) result.observe(instrument, spread[part], labels)
      }
    }
    return
  }
  const instrument = instruments.get(name)
  if (instrument === undefined) return
  for (const { labels, value } of family.samples) result.observe(instrument, value, labels)
}
