// One address of one device: taken with a word to the neighbours (gratuitous ARP), given up, and given up by a guard process
// when this one dies, for then nobody else on this machine would.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** For the guard: it has nothing but a shell. */
const DROP = 'ip addr del "$0" dev "$1" 2>/dev/null; exit 0'

export class Address {
  #guard

  /** @param address with its prefix length: '10.0.0.100/24' */
  constructor(address, device) {
    this.address = address
    this.device = device
    // A port may be bound to an address that is yet to come.
    writeFileSync('/proc/sys/net/ipv4/ip_nonlocal_bind', '1')
    // The kernel announces the addresses of a device whose own is set anew; it may stay the same one.
    writeFileSync(`/proc/sys/net/ipv4/conf/${device}/arp_notify`, '1')
    this.ethernet = readFileSync(`/sys/class/net/${device}/address`, 'utf8').trim()
  }

  get host() {
    return this.address.split('/')[0]
  }

  /** Ends early, with an error, when the signal aborts. */
  async take(signal) {
    const { address, device, ethernet } = this
    // One process for both: while clients wait, starting processes is most of the time this takes.
    const taking = run('ip', ['-batch', '-'], { signal })
    taking.child.stdin.on('error', () => {})
    taking.child.stdin.end(
      `addr replace ${address} dev ${device}\nlink set dev ${device} address ${ethernet}\n`,
    )
    await taking
  }

  /** Does no harm where it is not there. */
  async drop(signal) {
    try {
      await run('ip', ['addr', 'del', this.address, 'dev', this.device], { signal })
    } catch (error) {
      // ip(8) ends with 2 when the kernel says no: it is not there.
      if (error.code !== 2) throw error
    }
  }

  /** Gives it up as soon as this process is gone, however it went: its end of the pipe is closed then. */
  guard() {
    const script = `cat >/dev/null; ${DROP}`
    this.#guard = spawn('sh', ['-c', script, this.address, this.device], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    this.#guard.stdin.on('error', () => {})
    this.#guard.unref()
    this.#guard.stdin.unref?.()
  }

  async dismiss() {
    const gone = once(this.#guard, 'exit')
    this.#guard.ref()
    this.#guard.stdin.end()
    await gone
  }
}
