// A process of the demonstration: started, called, listened to, killed. All of them end with this one.
import { fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import { within } from './wait.mjs'

const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Emits the events its child reports, each with its data, and `ended` once with a sentence on how. */
export class Process extends EventEmitter {
  #child
  #calls = new Map()
  #lastId = 0
  #stderr = ''
  #expected = false

  /** Starts a script of this folder; resolves when it can be called. */
  static async start(name, script) {
    const child = fork(fileURLToPath(new URL(script, import.meta.url)), [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    })
    const started = new Process(name, child)
    await started.awaitEvent('started', 10_000)
    return started
  }

  constructor(name, child) {
    super()
    this.name = name
    this.#child = child
    running.add(child)
    child.stderr.on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-4000)
    })
    child.on('message', (message) => this.#take(message))
    child.on('close', (code, signal) => {
      running.delete(child)
      const how = `process ${name} ended by ${signal ?? `exit code ${code}`}`
      const why = this.#stderr.trim() ? `${how}:\n${this.#stderr.trim()}` : how
      for (const { reject } of this.#calls.values()) reject(new Error(why))
      this.#calls.clear()
      this.emit('ended', why, this.#expected)
    })
  }

  get pid() {
    return this.#child.pid
  }

  /** Calls a method of the child; rejects with what it threw, or when it has not answered in time. */
  call(method, args, withinMs = 10_000) {
    const id = ++this.#lastId
    const answer = new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      this.#child.send({ id, method, args }, (error) => error && reject(error))
    })
    return within(withinMs, `${this.name} answers '${method}'`, answer)
  }

  /** The data of the next such event. */
  async awaitEvent(event, withinMs) {
    let arrived
    let ended
    const arrives = new Promise((resolve, reject) => {
      arrived = resolve
      ended = (why) => reject(new Error(why))
      this.once(event, arrived).once('ended', ended)
    })
    try {
      return await within(withinMs, `${this.name} reports '${event}'`, arrives)
    } finally {
      this.off(event, arrived).off('ended', ended)
    }
  }

  /** kill -9; resolves when the process is gone. */
  kill() {
    this.#expected = true
    const { exitCode, signalCode } = this.#child
    const gone = exitCode === null && signalCode === null ? this.awaitGone() : Promise.resolve()
    this.#child.kill('SIGKILL')
    return gone
  }

  awaitGone() {
    return within(5000, `${this.name} is gone`, new Promise((resolve) => this.once('ended', resolve)))
  }

  #take({ id, result, error, event, data }) {
    if (id === undefined) {
      this.emit(event, data)
      return
    }
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (error) call?.reject(Object.assign(new Error(`${this.name}: ${error.message}`), { code: error.code }))
    else call?.resolve(result)
  }
}
