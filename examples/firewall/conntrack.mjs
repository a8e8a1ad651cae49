// The `conntrack` command as processes: its events, a dump of the kernel's table, and lines for it to load.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** From this version on it loads a file of lines in one process; before, each line takes a process of its own. */
const LOADS_FROM = [1, 4, 7]
const AT_ONCE = 4
/** So many lines that the kernel refuses and the loading is given up: something else is wrong, as a full table. */
const REFUSED_MAX = 32
/** Shell: runs its arguments, and ends them when whoever holds this shell's input is gone, however it died. */
const LEASH = `room=$1 size=$2; shift 2; "$@" </dev/null & exec >/dev/null
perl "$room" $! "$size" && echo "room: given" >&2 || echo "room: not given" >&2
cat; kill $! 2>/dev/null`
const ROOM = fileURLToPath(new URL('room.pl', import.meta.url))
/** Shell: it opens its input anew by name, which works with a pipe, but not with the socket that Node gives a child. */
const LOADER = 'cat | conntrack -R -'

export class Conntrack {
  #prefix
  #buffer
  #loads
  #ready

  /**
   * @param {{ netns?: string, buffer: number, oneByOne?: boolean }} options a network namespace by name; bytes for events
   *   not yet read; true takes a process for each line although the version would not need it
   */
  constructor({ netns, buffer, oneByOne = false }) {
    this.#prefix = netns === undefined ? [] : ['ip', 'netns', 'exec', netns]
    this.#buffer = buffer
    this.#loads = !oneByOne
  }

  #spawn(words, options) {
    const [program, ...rest] = [...this.#prefix, ...words]
    return spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  }

  /** Asks for the version and whether the kernel answers. Throws with what to do. */
  async check() {
    const asked = await finished(this.#spawn(['conntrack', '--version'])).catch((error) => error)
    const version = /v(\d+)\.(\d+)\.(\d+)/.exec(asked.output ?? '')
    if (version === null)
      throw new Error(`conntrack cannot be run: ${asked.message ?? asked.errors}; install conntrack-tools`)
    this.#loads &&= compare(version.slice(1).map(Number), LOADS_FROM) >= 0
    const { code, errors } = await finished(this.#spawn(['conntrack', '-C']))
    if (code !== 0)
      throw new Error(`conntrack -C: ${errors.trim()}; it needs root and a kernel with nf_conntrack`)
    return version[0].slice(1)
  }

  /**
   * The kernel's events, chunk by chunk: after each the stream rests for `gatherMs`, so that many events cost one turn.
   * `listens` resolves when none is missed any more.
   * @param {{ gatherMs: number, onLines: (lines: string[]) => void, onOverrun: () => void, onNoRoom: (why: string) => void,
   *   onEnd: (why: string) => void }} how
   */
  watch({ gatherMs, onLines, onOverrun, onNoRoom, onEnd }) {
    const room = String(this.#buffer)
    const words = ['conntrack', '-E', '-o', 'extended,id', '-b', room]
    const leash = ['sh', '-c', LEASH, 'sh', ROOM, room]
    const child = this.#spawn([...leash, ...words], { stdio: ['pipe', 'pipe', 'pipe'] })
    let rest = ''
    let timer
    child.stdout.setEncoding('latin1').on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      onLines(lines)
      if (gatherMs === 0) return
      child.stdout.pause()
      timer = setTimeout(() => child.stdout.resume(), gatherMs)
    })
    let errors = ''
    let listening
    const listens = new Promise((resolve) => {
      listening = resolve
    })
    child.stderr.setEncoding('latin1').on('data', (text) => {
      errors = (errors + text).slice(-1000)
      if (text.includes('ENOBUFS')) onOverrun()
      if (text.includes('room: not given')) onNoRoom(text.trim())
      if (text.includes('given')) listening()
    })
    child.stdin.on('error', () => {})
    // The leash waits for us, not for what it holds.
    child.stdout.once('end', () => child.stdin.end())
    const ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(String(error)))
      child.once('close', () => resolve(errors.trim()))
    })
    ended.then(listening)
    ended.then(onEnd)
    return {
      listens,
      async end() {
        child.stdin.end()
        clearTimeout(timer)
        child.stdout.resume()
        await ended
      },
    }
  }

  /** Calls `each` with every line of the kernel's table. */
  async dump(each) {
    await Promise.all(['ipv4', 'ipv6'].map((family) => this.#dump(family, each)))
  }

  async #dump(family, each) {
    const child = this.#spawn(['conntrack', '-L', '-f', family, '-o', 'extended,id'])
    let rest = ''
    child.stdout.setEncoding('latin1').on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines) each(line)
    })
    const { code, errors } = await finished(child)
    if (code !== 0) throw new Error(`conntrack -L -f ${family}: ${errors.trim()}`)
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
   * Has the kernel take all these lines. It stops at the first that it refuses, and taking one twice does no harm, so the
   * halves of a list that was refused find out which it was.
   * @param {Iterable<string[]>} portions made as they are taken, with a turn of the event loop after each
   * @returns {Promise<{ written: number, refused: { line: string, why: string }[] }>}
   */
  async load(portions) {
    const lines = []
    const loading = this.#loads ? this.#begin() : undefined
    for (const portion of portions) {
      lines.push(...portion)
      if (loading?.child.stdin.write(`${portion.join('\n')}\n`) === false) await drained(loading.child.stdin)
      else await turn()
    }
    if (loading === undefined) return { written: lines.length, refused: await this.#loadEach(lines) }
    loading.child.stdin.end()
    const { code, errors } = await loading.result
    const refused = []
    if (code !== 0) await this.#loadParts(lines, errors, refused)
    return { written: lines.length, refused }
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

/** When it is over: its exit code and what it said. Rejects if it could not be started. */
async function finished(child) {
  let output = ''
  let errors = ''
  child.stdout?.setEncoding('latin1').on('data', (text) => {
    output = (output + text).slice(-1000)
  })
  child.stderr?.setEncoding('latin1').on('data', (text) => {
    errors = (errors + text).slice(-1000)
  })
  const [code, signal] = await once(child, 'close')
  return { code: code ?? signal, output, errors }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Room again, or nobody left to make some. */
const drained = (stream) =>
  new Promise((resolve) => {
    stream.once('drain', resolve)
    stream.once('close', resolve)
  })

function compare(a, b) {
  for (const [i, part] of b.entries()) if (a[i] !== part) return a[i] - part
  return 0
}
