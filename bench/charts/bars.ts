// Bars from the left, longest reading first, each with its value and the range of its runs.
import * as Plot from '@observablehq/plot'
import { show } from '../lib/report.ts'
import { type Card, colour } from './card.ts'

export interface Bar {
  readonly label: string
  readonly value: number
  /** Single values, for the range. */
  readonly runs?: readonly number[]
  readonly ours: boolean
  /** Bars of one group stand together under its name. */
  readonly group?: string
}

const BAR_PX = 30
const GROUP_PX = 26
const AXIS_PX = 34

/** `unit` follows each value. */
export function bars(
  given: Pick<Card, 'title' | 'subtitle' | 'marginLeft'>,
  unit: string,
  list: readonly Bar[],
): Card {
  const groups = [...new Set(list.map(({ group }) => group ?? ''))]
  const grouped = groups.length > 1
  // A row for each bar, and one for the name of each group.
  const rows: { row: number; bar?: Bar; group?: string }[] = []
  for (const group of groups) {
    if (grouped) rows.push({ row: rows.length, group })
    for (const bar of list.filter((one) => (one.group ?? '') === group)) rows.push({ row: rows.length, bar })
  }
  const drawn = rows.filter((row): row is { row: number; bar: Bar } => row.bar !== undefined)
  const most = Math.max(...list.map(({ value, runs = [] }) => Math.max(value, ...runs)))
  const ranges = drawn.filter(({ bar }) => (bar.runs?.length ?? 0) > 1)
  return {
    ...given,
    height: rows.length * BAR_PX + AXIS_PX - (grouped ? groups.length * (BAR_PX - GROUP_PX) : 0),
    plot: {
      marginTop: 4,
      marginBottom: AXIS_PX - 4,
      x: { domain: [0, most * 1.02], nice: false, label: null },
      y: { type: 'band', domain: rows.map(({ row }) => row), padding: 0.28, axis: null },
      marks: [
        Plot.gridX({ stroke: colour('line'), strokeOpacity: 1, ticks: 5 }),
        Plot.axisX({ ticks: 5, tickSize: 0, tickFormat: short, color: colour('quiet') }),
        Plot.barX(drawn, {
          x: ({ bar }) => bar.value,
          y: 'row',
          fill: ({ bar }) => colour(bar.ours ? 'ours' : 'other'),
          rx: 3,
        }),
        Plot.ruleY(ranges, {
          x1: ({ bar }) => Math.min(...bar.runs!),
          x2: ({ bar }) => Math.max(...bar.runs!),
          y: 'row',
          stroke: colour('range'),
          strokeWidth: 1.5,
        }),
        Plot.text(drawn, {
          x: 0,
          y: 'row',
          text: ({ bar }) => bar.label,
          textAnchor: 'end',
          dx: -10,
          fill: ({ bar }) => colour(bar.ours ? 'ink' : 'quiet'),
          fontWeight: 500,
          fontSize: 13,
        }),
        Plot.text(drawn, {
          x: ({ bar }) => Math.max(bar.value, ...(bar.runs ?? [])),
          y: 'row',
          text: ({ bar }) => `${show(Number(bar.value.toPrecision(3)))}${unit}`,
          textAnchor: 'start',
          dx: 8,
          fill: colour('ink'),
          fontSize: 13,
          fontWeight: 600,
        }),
        ...(grouped
          ? [
              Plot.text(
                rows.filter(({ group }) => group !== undefined),
                {
                  x: 0,
                  y: 'row',
                  text: 'group',
                  textAnchor: 'start',
                  dx: -given.marginLeft,
                  dy: 3,
                  fill: colour('ink'),
                  fontWeight: 600,
                  fontSize: 13,
                },
              ),
            ]
          : []),
      ],
    },
  }
}

/** 2,000,000 as 2 M. */
function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`
  if (value >= 1e4) return `${value / 1e3} k`
  return value.toLocaleString('en-US')
}
