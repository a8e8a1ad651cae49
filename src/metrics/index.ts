// `holdfast/metrics`: what a node counts, for Prometheus and for anything else that takes numbers with names.
import type { HoldfastNode } from '../index.ts'
import { familiesOf, type MetricFamily } from './families.ts'
import { prometheusText } from './prometheus.ts'

export type { Labels, MetricFamily, Sample, SpreadSample } from './families.ts'
export { PROMETHEUS_TYPE } from './prometheus.ts'

/**
 * What a node counts at this moment, as families of samples. Names are those of Prometheus, `holdfast_link_up`, without the
 * `_total` of counters; each sample has the label `node`, the node's id. docs/OPERATING.md lists them.
 *
 * @example
 * for (const { name, samples } of metricsOf(node)) console.log(name, samples)
 */
export function metricsOf(node: Pick<HoldfastNode, 'status'>): MetricFamily[] {
  return familiesOf(node.status())
}

/**
 * The same as text for Prometheus, to be sent with the content type `PROMETHEUS_TYPE`. Ends with a line end, so the text of
 * another registry may follow. The `admin` option serves it at /metrics.
 *
 * @example
 * response.setHeader('content-type', PROMETHEUS_TYPE)
 * response.end(metricsText(node) + (await register.metrics()))
 */
export function metricsText(node: Pick<HoldfastNode, 'status'>): string {
  return prometheusText(metricsOf(node))
}
