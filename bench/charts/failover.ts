// How long promotions took: one column for so many milliseconds, the middle and the end of the list marked.
import * as Plot from '@observablehq/plot'
import type { Figure } from '../lib/figure.ts'
import { show } from '../lib/report.ts'
import { quantile } from '../lib/statistics.ts'
import { type Card, colour } from './card.ts'

const BIN_MS = 1
const HEIGHT = 220
/** What took longer stands in the last column. */
const SHOWN_MS_MIN = 20

export function failoverChart({ runs, detail = {} }: Figure): Card {
  const p50 = quantile(runs, 0.5)
  const p99 = quantile(runs, 0.99)
  const end = Math.max(SHOWN_MS_MIN, Math.ceil(p99 / 10) * 10)
  const beyond = runs.filter((ms) => ms >= end).length
  const counts = Array.from({ length: end / BIN_MS }, (_, n) => ({ ms: n * BIN_MS, count: 0 }))
  for (const ms of runs) counts[Math.min(counts.length - 1, Math.floor(ms / BIN_MS))]!.count++
  const marks = [
    { ms: p50, text: `median ${show(p50)} ms`, side: 'left' },
    { ms: p99, text: `99 % ${show(p99)} ms`, side: 'right' },
  ]
  const most = Math.max(...counts.map(({ count }) => count))
  const longest = show(detail.max_ms ?? Math.max(...runs))
  const last = beyond > 0 ? `The last column holds ${beyond} that took longer, up to ${longest} ms.` : ''
  return {
    title: 'From kill -9 of the primary to the promotion of the secondary',
    subtitle: [
      `${runs.length} kills, 20,000 sessions, 20,000 updates/s going on; lower is better.`,
      `Columns of ${BIN_MS} ms. ${last}`.trim(),
    ],
    height: HEIGHT,
    marginLeft: 40,
    marginRight: 24,
    plot: {
      marginTop: 24,
      marginBottom: 40,
      x: { domain: [0, end], label: null },
      y: { domain: [0, most * 1.05], label: null },
      marks: [
        Plot.gridY({ stroke: colour('line'), strokeOpacity: 1, ticks: 4 }),
        Plot.axisY({ ticks: 4, tickSize: 0, color: colour('quiet') }),
        Plot.axisX({ ticks: 8, tickSize: 0, tickFormat: (ms: number) => `${ms} ms`, color: colour('quiet') }),
        Plot.rectY(counts, {
          x1: 'ms',
          x2: ({ ms }) => ms + BIN_MS,
          y: 'count',
          fill: colour('ours'),
          insetLeft: 0.5,
          insetRight: 0.5,
        }),
        Plot.ruleX(marks, {
          x: ({ ms }) => Math.min(ms, end),
          stroke: colour('target'),
          strokeWidth: 1.5,
          strokeDasharray: '4 3',
        }),
        // Away from each other, however near the two lines are.
        ...marks.map(({ ms, text, side }) =>
          Plot.text([text], {
            x: Math.min(ms, end),
            frameAnchor: 'top',
            textAnchor: side === 'left' ? 'end' : 'start',
            dx: side === 'left' ? -4 : 4,
            dy: -16,
            fill: colour('ink'),
            fontSize: 13,
            fontWeight: 600,
          }),
        ),
      ],
    },
  }
}
