// The frame every chart of docs/charts has: a card with a title, a line that says how to read it, and the plot. Colours
// are attributes, so that any renderer shows the light form; a style sheet gives the same elements dark colours where
// the reader's system asks for them. The card has a background of its own: it is readable on any page.
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

export const WIDTH = 760
const PADDING = 24
const TITLE_AT = 40
const SUBTITLE_AT = 62
const SUBTITLE_LINE = 17
const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif'

/** What a thing is drawn in: light, and dark. */
const COLOURS = {
  background: ['#ffffff', '#161b22'],
  border: ['#d0d7de', '#30363d'],
  ink: ['#1f2328', '#e6edf3'],
  quiet: ['#59636e', '#9198a1'],
  line: ['#e6e9ec', '#262c34'],
  ours: ['#0a66c2', '#58a6ff'],
  ours2: ['#0b4f93', '#8ec5ff'],
  other: ['#a3abb4', '#5c6570'],
  range: ['#3d4650', '#b7bfc8'],
  target: ['#bc4c00', '#f0883e'],
} as const

export type Colour = keyof typeof COLOURS

/** The light colour, which the style sheet knows. */
export const colour = (name: Colour): string => COLOURS[name][0]

const DARK = Object.values(COLOURS)
  .map(([light, dark]) => `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`)
  .join('')

export interface Card {
  readonly title: string
  /** One or more lines under the title. */
  readonly subtitle: readonly string[]
  readonly height: number
  readonly marginLeft: number
  readonly marginRight?: number
  readonly plot: Plot.PlotOptions
}

/** The chart as an SVG document. */
export function drawCard({ title, subtitle, height, marginLeft, marginRight = 96, plot }: Card): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const top = SUBTITLE_AT + subtitle.length * SUBTITLE_LINE
  const drawn = Plot.plot({
    ...plot,
    document,
    width: WIDTH - 2 * PADDING,
    height,
    marginLeft,
    marginRight,
    style: {
      fontFamily: FONT,
      fontSize: '13px',
      color: colour('quiet'),
      background: 'none',
      overflow: 'visible',
    },
  })
  const total = top + height + PADDING / 2
  const text = (y: number, size: number, weight: number, fill: Colour, line: string) =>
    `<text x="${PADDING}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${colour(fill)}">${escaped(line)}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${total}" viewBox="0 0 ${WIDTH} ${total}" font-family="${FONT}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<style>@media (prefers-color-scheme:dark){${DARK}}</style>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${total - 1}" rx="10" fill="${colour('background')}" stroke="${colour('border')}"/>`,
    text(TITLE_AT, 19, 600, 'ink', title),
    ...subtitle.map((line, n) => text(SUBTITLE_AT + n * SUBTITLE_LINE, 13, 400, 'quiet', line)),
    `<g transform="translate(${PADDING},${top})">${inner(drawn.outerHTML)}</g>`,
    '</svg>\n',
  ].join('\n')
}

/** Plot's own document without its style sheet: the colours are said by the card. */
function inner(svg: string): string {
  return svg.replace(/<style>[\s\S]*?<\/style>/, '').replaceAll('currentColor', colour('quiet'))
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
