// One address of one device: taken with a word to the neighbours (gratuitous ARP), given up, and given up by a guard process
// when this one dies, for then nobody else on this machine would.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The kernel announces the addresses of a device whose own is set anew, with arp_notify on; it may stay the same one. */
const TAKE = `ip addr replace "$0" dev "$1" &&
echo 1 >"/proc/sys/net/ipv4/conf/$1/arp_notify" &&
ip link set dev "$1" address "$(cat "/sys/class/net/$1/address")"`
const DROP = 'ip addr del "$0" dev "$1" 2>/dev/null; exit 0'

export class Address {
  #guard

  /** @param address with its prefix length: '10.0.0.100/24' */
  constructor(address, device) {
    this.address = address
    this.device = device
    // A port may be bound to an address that is yet to come.
    writeFileSync('/proc/sys/net/ipv4/ip_nonlocal_bind', '1')
  }

  get host() {
    return this.address.split('/')[0]
  }

  /** Ends early, with an error, when the signal aborts. */
  async take(signal) {
    await run('sh', ['-c', TAKE, this.address, this.device], { signal })
  }

  /** Does no harm where it is not there. */
  async drop(signal) {
    await run('sh', ['-c', DROP, this.address, this.device], { signal })
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
