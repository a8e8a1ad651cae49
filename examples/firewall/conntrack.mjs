// The kernel's connection table: its events and a dump by the `conntrack` command, and flows written into it.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { LinesWriter } from './lines-writer.mjs'
import { finished } from './processes.mjs'
import { NetlinkWriter } from './writer.mjs'

/** From this version on it loads a file of lines in one process; before, each line takes a process of its own. */
const LOADS_FROM = [1, 4, 7]
/** Shell: runs its arguments, and ends them when whoever holds this shell's input is gone, however it died. */
const LEASH = `room=$1 size=$2; shift 2; "$@" </dev/null & exec >/dev/null
perl "$room" $! "$size" && echo "room: given" >&2 || echo "room: not given" >&2
cat; kill $! 2>/dev/null`
const ROOM = fileURLToPath(new URL('room.pl', import.meta.url))
const WRITE = fileURLToPath(new URL('write.pl', import.meta.url))

export class Conntrack {
  #prefix
  #buffer
  #write
  #loads = true
  #onFallback
  #netlink
  /** Instead of netlink: chosen, or since that failed. */
  #lines

  /**
   * @param {{ netns?: string, buffer: number, write?: 'netlink' | 'lines' | 'one-by-one', onFallback?: (why: string) => void }}
   *   options a network namespace by name; bytes for events not yet read; how flows are written, netlink by default;
   *   called when netlink cannot and lines are written from then on
   */
  constructor({ netns, buffer, write = 'netlink', onFallback = () => {} }) {
    this.#prefix = netns === undefined ? [] : ['ip', 'netns', 'exec', netns]
    this.#buffer = buffer
    this.#write = write
    this.#loads = write !== 'one-by-one'
    this.#onFallback = onFallback
    this.#netlink = new NetlinkWriter(() => this.#spawn(['perl', WRITE], { stdio: ['pipe', 'pipe', 'pipe'] }))
    if (write !== 'netlink') this.#useLines()
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
    this.#lines = undefined
    this.#loads &&= compare(version.slice(1).map(Number), LOADS_FROM) >= 0
    const { code, errors } = await finished(this.#spawn(['conntrack', '-C']))
    if (code !== 0)
      throw new Error(`conntrack -C: ${errors.trim()}; it needs root and a kernel with nf_conntrack`)
    if (this.#write === 'netlink') await this.#netlink.prepare().catch((error) => this.#useLines(error))
    else this.#useLines()
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

  /** Has what writes ready: the start of a process is not on the way of a failover then. */
  prepare() {
    if (this.#lines === undefined) this.#netlink.prepare().catch(() => {})
    else this.#lines.prepare()
  }

  /**
   * Has the kernel take all these flows, and says which it refused.
   * @param {Iterable<object>} plan as `planOf` makes it
   * @returns {Promise<{ written: number, refused: { line: string, why: string }[] }>}
   */
  async load(plan) {
    if (this.#lines === undefined) {
      try {
        return await this.#netlink.load(plan)
      } catch (error) {
        // Whatever it had written does no harm when it is written once more.
        this.#useLines(error)
      }
    }
    return this.#lines.load(plan)
  }

  /** Makes what would be written for this plan, and writes nothing. */
  rehearse(plan) {
    if (this.#lines === undefined) this.#netlink.rehearse(plan)
  }

  #useLines(error) {
    this.#lines ??= new LinesWriter((words, options) => this.#spawn(words, options), this.#loads)
    if (error !== undefined) this.#onFallback(error.message)
  }

  /** Ends the processes that wait for flows. */
  async close() {
    await Promise.all([this.#lines?.close(), this.#netlink.close()])
  }
}

function compare(a, b) {
  for (const [i, part] of b.entries()) if (a[i] !== part) return a[i] - part
  return 0
}
