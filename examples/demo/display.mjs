// What the demonstration shows. Acts are lines that stay; in a terminal the panel lives below them and is redrawn in
// place, without one there are only lines.
import { panel } from './panel.mjs'

const REDRAW_MS = 250
const TITLE_WIDTH = 11
const COLUMNS_WITHOUT_TERMINAL = 100

export class Display {
  #out
  #live
  #cluster
  #act = ''
  #drawn = 0
  #timer
  #begun = performance.now()
  #said = []
  #resized = () => this.#retell()

  /** @param {{ out: import('node:tty').WriteStream, live: boolean }} options */
  constructor({ out, live }) {
    this.#out = out
    this.#live = live
  }

  /** Shows the cluster from now on. */
  watch(cluster) {
    this.#cluster = cluster
    if (!this.#live) return
    this.#out.write('\x1b[?25l')
    this.#out.on('resize', this.#resized)
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS)
  }

  /** What is going on. */
  get act() {
    return this.#act
  }

  begin(act) {
    this.#act = act
    this.#draw()
  }

  /** What was seen: a line that stays. */
  say(title, text) {
    this.#said.push([title, text])
    this.#erase()
    this.#write(title, text)
    this.#draw()
  }

  /** Leaves the terminal as it was found. */
  end() {
    if (!this.#live) return
    clearInterval(this.#timer)
    this.#erase()
    this.#live = false
    this.#out.off('resize', this.#resized)
    this.#out.write('\x1b[?25h')
  }

  #draw() {
    if (!this.#live || !this.#cluster) return
    const { columns = 80, rows = 24 } = this.#out
    const seconds = (performance.now() - this.#begun) / 1000
    const lines = panel(this.#cluster, { act: this.#act, seconds, columns, rows })
    this.#erase()
    this.#out.write(lines.map((line) => `\x1b[2m${line}\x1b[0m\n`).join(''))
    this.#drawn = lines.length
  }

  #write(title, text) {
    const columns = this.#out.columns ?? COLUMNS_WITHOUT_TERMINAL
    const lines = wrap(text, Math.max(20, columns - TITLE_WIDTH - 2))
    lines.forEach((line, i) => {
      this.#out.write(` ${(i === 0 ? title : '').padEnd(TITLE_WIDTH)}${line}\n`)
    })
  }

  #erase() {
    if (this.#drawn > 0) this.#out.write(`\r\x1b[${this.#drawn}A\x1b[J`)
    this.#drawn = 0
  }

  // Another width breaks lines elsewhere, so nobody knows where the panel is now.
  #retell() {
    this.#out.write('\x1b[2J\x1b[H')
    this.#drawn = 0
    for (const [title, text] of this.#said) this.#write(title, text)
    this.#draw()
  }
}

/** Words of a text in lines of at most `width`. */
export function wrap(text, width) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}
