// Writes flows into the kernel as lines of conntrack-tools: where write.pl cannot, or where it was chosen.
import { addLine } from './lines.mjs'
import { finished } from './processes.mjs'

const AT_ONCE = 4
/** So many lines that the kernel refuses and the loading is given up: something else is wrong, as a full table. */
const REFUSED_MAX = 32
/** Lines made between two turns of the event loop: some ten milliseconds. */
const CHUNK = 4096
/** Shell: it opens its input anew by name, which works with a pipe, but not with the socket that Node gives a child. */
const LOADER = 'cat | conntrack -R -'

export class LinesWriter {
  #spawn
  #loads
  #ready

  /**
   * @param {(words: string[], options?: object) => import('node:child_process').ChildProcess} spawn
   * @param {boolean} loads one process takes all lines; else each line takes a process
   */
  constructor(spawn, loads) {
    this.#spawn = spawn
    this.#loads = loads
  }

  /** Has a process ready that waits for lines: its start is not on the way of a failover then. */
  prepare() {
    if (!this.#loads || this.#ready !== undefined) return
    this.#ready = this.#spawn(['sh', '-c', LOADER], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#ready.once('error', () => {})
    this.#ready.stdin.on('error', () => {})
    this.#ready.once('exit', () => {
      this.#ready = undefined
    })
  }

  /**
   * Has the kernel take all these flows. It stops at the first that it refuses, and taking one twice does no harm, so the
   * halves of a list that was refused find out which it was.
   * @param {Iterable<object>} portions as `planOf` makes them, with turns of the event loop while their lines are made
   * @returns {Promise<{ written: number, refused: { line: string, why: string }[] }>}
   */
  async load(portions) {
    const lines = []
    const loading = this.#loads ? this.#begin() : undefined
    for (const chunk of chunksOf(portions)) {
      lines.push(...chunk)
      if (loading?.child.stdin.write(`${chunk.join('\n')}\n`) === false) await drained(loading.child.stdin)
      else await turn()
    }
    const refused = []
    if (loading === undefined) refused.push(...(await this.#loadEach(lines)))
    else {
      loading.child.stdin.end()
      const { code, errors } = await loading.result
      if (code !== 0) await this.#loadParts(lines, errors, refused)
      this.prepare()
    }
    const flows = lines[0] === '-F' ? lines.length - 1 : lines.length
    return { written: flows - refused.length, refused }
  }

  async #loadParts(lines, why, refused) {
    if (lines.length === 0) throw new Error(`conntrack --load-file: ${why.trim()}`)
    if (lines.length === 1) {
      refused.push({ line: lines[0], why: why.trim() })
      if (refused.length < REFUSED_MAX) return
      throw new Error(`the kernel refused ${refused.length} flows, the last as: ${why.trim()}`)
    }
    const middle = lines.length >> 1
    for (const part of [lines.slice(0, middle), lines.slice(middle)]) {
      const { child, result } = this.#begin()
      child.stdin.end(`${part.join('\n')}\n`)
      const { code, errors } = await result
      if (code !== 0) await this.#loadParts(part, errors, refused)
    }
  }

  /** The process that is ready takes the lines, and whatever it says is kept. */
  #begin() {
    this.prepare()
    const child = this.#ready
    this.#ready = undefined
    child.removeAllListeners('exit')
    return { child, result: finished(child) }
  }

  /** A process for each line. Versions that need it say of a flow that is there already that it failed. */
  async #loadEach(lines) {
    const flush = lines[0] === '-F'
    if (flush) await finished(this.#spawn(['conntrack', '-F']))
    const words = ['xargs', '-P', String(AT_ONCE), '-L', '1', 'conntrack']
    const child = this.#spawn(words, { stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => {})
    let errors = ''
    child.stderr.setEncoding('latin1').on('data', (text) => {
      errors += text
    })
    child.stdin.end(
      lines
        .slice(flush ? 1 : 0)
        .map((line) => `${line.replace(/^-A/, '-I')}\n`)
        .join(''),
    )
    await finished(child)
    const said = errors.split('\n').filter((text) => text.includes('failed') && !text.includes('exists'))
    return said.map((why) => ({ line: '', why }))
  }

  /** Ends the process that waits for lines. */
  async close() {
    const child = this.#ready
    if (child === undefined) return
    this.#ready = undefined
    child.removeAllListeners('exit')
    const result = finished(child)
    child.stdin.end()
    await result
  }
}

/** A plan as lines for `conntrack --load-file`, in chunks. */
export function* chunksOf(portions) {
  let lines = []
  for (const { flush, flows, leastTimeout } of portions) {
    if (flush) lines.push('-F')
    for (const flow of flows) {
      lines.push(addLine(flow, leastTimeout))
      if (lines.length < CHUNK) continue
      yield lines
      lines = []
    }
  }
  if (lines.length > 0) yield lines
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Room again, or nobody left to make some. */
const drained = (stream) =>
  new Promise((resolve) => {
    stream.once('drain', resolve)
    stream.once('close', resolve)
  })
