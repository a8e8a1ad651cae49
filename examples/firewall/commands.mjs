// The commands that take and give up the addresses, and the guard that gives them up when this process dies: nobody else
// on this machine would, and two firewalls would answer for one address.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs `command` by the shell, killed after `timeoutMs`. Resolves with undefined if it went well, or what went wrong. */
export async function runCommand(command, { timeoutMs, env }) {
  const child = spawn('sh', ['-c', command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
    // A group of its own, so that what the shell started ends with it.
    detached: true,
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = (errors + text).slice(-500)
  })
  let late = false
  const timer = setTimeout(() => {
    late = true
    process.kill(-child.pid, 'SIGKILL')
  }, timeoutMs)
  try {
    // Not `close`: what it left running may hold its output.
    const [code, signal] = await once(child, 'exit')
    if (late) return `did not end within ${timeoutMs} ms`
    return code === 0 ? undefined : `ended with ${code ?? signal}: ${errors.trim()}`
  } catch (error) {
    return String(error)
  } finally {
    clearTimeout(timer)
    child.stderr.destroy()
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
