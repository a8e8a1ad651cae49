// The commands that take and give up the addresses, and the guard that gives them up when this process dies: nobody else
// on this machine would, and two firewalls would answer for one address.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Names of what a command is told by its environment, and in this order by the input of the shell that waits to run it. */
const TOLD = ['HOLDFAST_ROLE', 'HOLDFAST_EPOCH', 'HOLDFAST_REASON']
/** Shell: without a word at its input, as when its parent dies, it runs nothing. */
const WAITING = `read -r ${TOLD.join(' ')} || exit 0; export ${TOLD.join(' ')}; exec </dev/null; eval "$0"`

/** A command with a shell that waits to run it, since the start of a process takes milliseconds. */
export class Command {
  #command
  #timeoutMs
  #env
  #ready

  constructor(command, { timeoutMs, env }) {
    this.#command = command
    this.#timeoutMs = timeoutMs
    this.#env = env
  }

  prepare() {
    if (this.#ready !== undefined) return
    const child = spawn('sh', ['-c', WAITING, this.#command], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, ...this.#env },
      // A group of its own, so that what the shell started ends with it.
      detached: true,
    })
    child.on('error', () => {})
    child.stdin.on('error', () => {})
    this.#ready = child
  }

  /** Runs it, killed after its time. Resolves with undefined if it went well, or with what went wrong. */
  async run({ role, epoch = '', reason = '' }) {
    if (this.#ready?.exitCode !== null || this.#ready.signalCode !== null) this.#ready = undefined
    this.prepare()
    const child = this.#ready
    this.#ready = undefined
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors = (errors + text).slice(-500)
    })
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      process.kill(-child.pid, 'SIGKILL')
    }, this.#timeoutMs)
    // No word may be empty: they are told apart by spaces.
    child.stdin.end(`${role} ${epoch === '' ? '-' : epoch} ${reason === '' ? '-' : reason}\n`)
    try {
      // Not `close`: what it left running may hold its output.
      const [code, signal] = await once(child, 'exit')
      if (isLate) return `did not end within ${this.#timeoutMs} ms`
      return code === 0 ? undefined : `ended with ${code ?? signal}: ${errors.trim()}`
    } catch (error) {
      return String(error)
    } finally {
      clearTimeout(timer)
      child.stderr.destroy()
    }
  }

  /** The shell that waits is let go. */
  close() {
    this.#ready?.stdin.end()
    this.#ready = undefined
  }
}

/** Waits for the end of this process, then runs `command` once. `dismiss()` is for an orderly end. */
export class Guard {
  #child

  constructor(command, env) {
    this.#child = spawn('sh', ['-c', 'cat >/dev/null; exec sh -c "$0"', command], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, ...env, HOLDFAST_ROLE: 'dead' },
      // Not of this process's group: a signal to the group, as by a terminal, must not end both.
      detached: true,
    })
    this.#child.stdin.on('error', () => {})
    this.#child.unref()
    this.#child.stdin.unref?.()
  }

  get pid() {
    return this.#child.pid
  }

  async dismiss() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.ref()
    const gone = once(this.#child, 'exit')
    process.kill(-this.#child.pid, 'SIGKILL')
    await gone
  }
}
