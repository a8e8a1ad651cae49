// The last minute as four moving charts.
import { el, setText } from './dom.js'
import { count, ms } from './format.js'

const SPAN_S = 60
const HEIGHT = 132
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

/** Per kind of page: which series, what it is called, its lines (name and colour), how a value is written. */
const CHARTS = {
  demo: [
    ['sessions', 'Sessions', ['a', 'b'], count],
    ['updates', 'Updates a second', ['a'], count],
    ['lag', 'Lag of the secondary', ['a'], ms],
    ['last', 'Longest wait of a client', ['c'], ms],
  ],
  node: [
    ['sessions', 'Sessions', ['a'], count],
    ['updates', 'Changes a second', ['a'], count],
    ['lag', 'Lag of the secondary', ['a'], ms],
    ['last', 'Round trip', ['a', 'b'], ms],
  ],
}

export class Charts {
  #charts
  #element
  #still = matchMedia('(prefers-reduced-motion: reduce)')
  #drawnAt = -Infinity

  constructor(element, kind, names) {
    this.#element = element
    this.#charts = CHARTS[kind].map(([series, title, lines, format]) => {
      const called = series === 'last' && kind === 'node' ? ['M1', 'M2'] : lines.length > 1 ? names : []
      return new Chart(series, title, lines, called, format)
    })
    element.append(...this.#charts.map((chart) => chart.element))
    for (const chart of this.#charts) chart.begin()
    new ResizeObserver(() => this.#resize()).observe(element)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#restyle())
  }

  show({ now, series }) {
    for (const chart of this.#charts) chart.add(now, series[chart.series])
    // Moving by steps of a second is what is left of motion where it is not wanted.
    if (this.#still.matches && now - this.#drawnAt < 1000) return
    this.#drawnAt = now
    for (const chart of this.#charts) chart.draw(now)
  }

  #resize() {
    for (const chart of this.#charts) chart.fit()
  }

  #restyle() {
    for (const chart of this.#charts) chart.begin()
    this.#element.dataset.drawn = 'again'
  }
}

class Chart {
  #title
  #lines
  #format
  #value = el('output')
  #frame = el('div.plot')
  #times = []
  #values
  #plot

  constructor(series, title, lines, names, format) {
    this.series = series
    this.#title = title
    this.#lines = lines
    this.#format = format
    this.#values = lines.map(() => [])
    const key = names.map((name, i) => el(`span.key.${lines[i]}`, {}, name))
    const heading = el('h2', {}, title)
    this.#frame.setAttribute('role', 'img')
    this.element = el('figure.card', {}, el('figcaption', {}, heading, ...key, this.#value), this.#frame)
  }

  /** Made anew when colours change. */
  begin() {
    this.#plot?.destroy()
    const style = getComputedStyle(document.documentElement)
    const colour = (name) => style.getPropertyValue(`--${name}`).trim()
    const axis = {
      stroke: colour('faint'),
      font: '11px system-ui, sans-serif',
      grid: { stroke: colour('grid'), width: 1 },
      ticks: { show: false },
    }
    const options = {
      width: this.#frame.clientWidth || 320,
      height: HEIGHT,
      // At the right there is room for half of 'now'.
      padding: [8, 14, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: {
        x: { time: false, range: [-SPAN_S, 0] },
        y: { range: (_, _min, max) => [0, max > 0 ? max * 1.12 : 1] },
      },
      axes: [
        {
          ...axis,
          size: 22,
          gap: 4,
          splits: () => [-60, -40, -20, 0],
          values: (_, at) => at.map(secondsAgo),
        },
        { ...axis, size: 46, gap: 4, space: 34, values: (_, at) => at.map((n) => this.#tick(n)) },
      ],
      series: [
        {},
        ...this.#lines.map((line, i) => ({
          stroke: colour(`line-${line}`),
          fill: i === 0 ? colour(`area-${line}`) : undefined,
          dash: i === 1 ? [6, 4] : undefined,
          width: 2,
          points: { show: false },
        })),
      ],
    }
    this.#plot = new uPlot(options, [[], ...this.#lines.map(() => [])], this.#frame)
  }

  add(now, values) {
    this.#times.push(now)
    for (const [i, list] of this.#values.entries()) list.push(values[i] ?? null)
    while (this.#times[0] < now - (SPAN_S + 1) * 1000) {
      this.#times.shift()
      for (const list of this.#values) list.shift()
    }
  }

  draw(now) {
    this.#plot.setData([this.#times.map((at) => (at - now) / 1000), ...this.#values])
    const last = this.#values.map((list) => list.at(-1) ?? null)
    const text = last.map((value) => (value === null ? '–' : this.#format(value))).join(' / ')
    setText(this.#value, text)
    this.#frame.setAttribute('aria-label', `${this.#title}, the last minute; now ${text}`)
  }

  fit() {
    const width = this.#frame.clientWidth
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT })
  }

  #tick(value) {
    if (this.#format === ms)
      return value >= 1000 ? `${compact.format(value / 1000)} s` : `${compact.format(value)} ms`
    return Number.isInteger(value) ? compact.format(value) : ''
  }
}

const secondsAgo = (at) => (at === 0 ? 'now' : `${at} s`)
