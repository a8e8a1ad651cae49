// Writes flows into the kernel over netlink, by one process that lives as long as this one: no process starts between the
// loss of the other firewall and the last flow, and a run of messages is one call of the kernel.
import { getSystemErrorName } from 'node:util'
import { addLine } from './lines.mjs'
import { EEXIST, Messages } from './netlink.mjs'

/** Bytes of messages in one call of the kernel, some 150 flows. */
const RUN_BYTES = 32_768
/** Runs that are on their way before more are made. */
const UNDER_WAY_MAX = 8

export class NetlinkWriter {
  #start
  #child
  #seq = 0
  #errors = ''
  #rest = ''
  /** Of the runs under way, by the number of the last message of each: its flows by number, and who waits. */
  #runs = new Map()
  #opened

  /** @param {() => import('node:child_process').ChildProcess} start starts write.pl */
  constructor(start) {
    this.#start = start
  }

  /** Resolves when it can write; rejects where it cannot. */
  prepare() {
    if (this.#child !== undefined) return this.#opened
    const child = this.#start()
    this.#child = child
    this.#rest = ''
    this.#errors = ''
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('latin1').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-1000)
    })
    this.#opened = new Promise((resolve, reject) => {
      child.stdout.setEncoding('latin1').on('data', (text) => this.#handleText(text, resolve))
      const fail = (why) => {
        if (this.#child === child) this.#child = undefined
        const error = new Error(`write.pl: ${this.#errors.trim() || why}`)
        for (const { reject } of this.#runs.values()) reject(error)
        this.#runs.clear()
        reject(error)
      }
      child.once('error', fail)
      child.once('close', (code, signal) => fail(`ended with ${code ?? signal}`))
    })
    this.#opened.catch(() => {})
    return this.#opened
  }

  #handleText(text, ready) {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()
    for (const line of lines) {
      if (line === 'ready') ready()
      else if (line.startsWith('done ')) this.#settle(Number(line.slice(5)))
      else this.#refuse(...line.split(' ').map(Number))
    }
  }

  #settle(last) {
    const run = this.#runs.get(last)
    this.#runs.delete(last)
    run?.resolve()
  }

  #refuse(seq, errno) {
    if (errno === EEXIST) return
    const [run] = this.#runs.values()
    run?.refused.push({ flow: run.flows.get(seq), errno })
  }

  /**
   * Has the kernel take all these flows. One that it refuses keeps no other one out.
   * @param {Iterable<object>} portions as `planOf` makes them, with a turn of the event loop after each run
   * @returns {Promise<{ written: number, refused: { line: string, why: string }[] }>}
   */
  async load(portions) {
    this.prepare()
    const refused = []
    let sent = 0
    const messages = new Messages(RUN_BYTES)
    let flows = new Map()
    const waiting = []
    const send = async () => {
      if (messages.count === 0) return
      waiting.push(this.#send(messages.take(), flows, refused))
      sent += flows.size
      flows = new Map()
      if (waiting.length >= UNDER_WAY_MAX) await waiting.shift()
      else await new Promise((resolve) => setImmediate(resolve))
    }
    for (const { flush, flows: portion, leastTimeout } of portions) {
      if (flush) messages.addFlush(this.#next())
      for (const flow of portion) {
        const seq = this.#next()
        messages.add(flow, leastTimeout, seq)
        flows.set(seq, { flow, leastTimeout })
        if (!messages.hasRoom) await send()
      }
    }
    await send()
    await Promise.all(waiting)
    return { written: sent - refused.length, refused: refused.map(explained) }
  }

  /** As `load`, but that nothing is written. */
  rehearse(portions) {
    const messages = new Messages(RUN_BYTES)
    for (const { flows, leastTimeout } of portions) {
      for (const flow of flows) {
        messages.add(flow, leastTimeout, 0)
        if (!messages.hasRoom) messages.take()
      }
    }
  }

  #next() {
    this.#seq = (this.#seq + 1) >>> 0
    return this.#seq
  }

  #send(bytes, flows, refused) {
    const last = this.#seq
    const head = Buffer.alloc(8)
    head.writeUInt32BE(bytes.length)
    head.writeUInt32BE(last, 4)
    const done = new Promise((resolve, reject) => this.#runs.set(last, { flows, refused, resolve, reject }))
    // Whoever waits for the first of several hears of it.
    done.catch(() => {})
    this.#child.stdin.write(Buffer.concat([head, bytes]))
    return done
  }

  /** Ends the process. */
  async close() {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const gone = new Promise((resolve) => child.once('close', resolve))
    child.stdin.end()
    await gone
  }
}

function explained({ flow, errno }) {
  const line = flow === undefined ? 'flush' : addLine(flow.flow, flow.leastTimeout)
  return { line, why: getSystemErrorName(-errno) }
}
