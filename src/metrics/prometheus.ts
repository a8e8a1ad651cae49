// Families in the text format of Prometheus, version 0.0.4. Three rules make all of it: a head for each family, label values
// escaped, buckets cumulative. A client library would bring a registry that has to be kept in step with the node; here
// the node's own counts are the registry.
import type { Histogram } from '../index.ts'
import type { Labels, MetricFamily } from './families.ts'

/** The content type of what `prometheusText` gives. */
export const PROMETHEUS_TYPE: string = 'text/plain; version=0.0.4; charset=utf-8'

/** Families without samples are left out. */
export function prometheusText(families: readonly MetricFamily[]): string {
  const lines: string[] = []
  for (const family of families) {
    if (family.samples.length === 0) continue
    const name = family.type === 'counter' ? `${family.name}_total` : family.name
    lines.push(`# HELP ${name} ${family.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`)
    lines.push(`# TYPE ${name} ${family.type}`)
    if (family.type === 'histogram') {
      for (const { labels, spread } of family.samples) lines.push(...buckets(name, labels, spread))
    } else {
      for (const { labels, value } of family.samples) lines.push(line(name, labels, value))
    }
  }
  return `${lines.join('\n')}\n`
}

function buckets(name: string, labels: Labels, { bounds, counts, sum, count }: Histogram): string[] {
  let below = 0
  const lines = bounds.map((bound, i) => {
    below += counts[i]!
    return line(`${name}_bucket`, { ...labels, le: String(bound) }, below)
  })
  lines.push(line(`${name}_bucket`, { ...labels, le: '+Inf' }, count))
  lines.push(line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count))
  return lines
}

function line(name: string, labels: Labels, value: number): string {
  const inside = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${inside.length > 0 ? `{${inside.join(',')}}` : ''} ${value}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
