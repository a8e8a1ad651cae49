// The example as one side of the comparison: two processes of examples/firewall.
import { makeIdentity } from 'holdfast/testing'
import { FirewallProcess } from './actors.ts'
import type { FirewallGround, FirewallName } from './ground.ts'
import {
  cpuMsOfTree,
  type Loss,
  type Lost,
  monotonicMs,
  NeedlessFailover,
  type Side,
  shareOurWeight,
} from './side.ts'

export class HoldfastSide implements Side {
  readonly version = process.version
  readonly #ground: FirewallGround
  readonly #folder: string
  readonly #more: readonly string[]
  #firewalls: Partial<Record<FirewallName, FirewallProcess>> = {}

  constructor(ground: FirewallGround, folder: string, more: readonly string[] = []) {
    this.#ground = ground
    this.#folder = folder
    this.#more = more
  }

  #of(name: FirewallName): FirewallProcess {
    return this.#firewalls[name]!
  }

  async start(): Promise<void> {
    const identities = { a: await makeIdentity('a'), b: await makeIdentity('b') }
    const start = (name: FirewallName) => {
      // Both sides of the comparison take the addresses by the same command.
      const take = ['--on-promote', this.#ground.take(name).join(' ')]
      const more = [...take, '--hold-down', '1500', ...this.#more]
      this.#firewalls[name] = new FirewallProcess(this.#ground, this.#folder, name, identities, more)
      return this.#firewalls[name]
    }
    await start('a').until('serving')
    const b = start('b')
    await b.until('role', ({ role }) => role === 'secondary')
    await this.#of('a').status((told) => told.protected === true)
    for (const { child } of Object.values(this.#firewalls)) shareOurWeight(child.pid!)
  }

  async events(): Promise<number> {
    const { new: created, update, destroy } = await this.#of('a').status()
    return Number(created) + Number(update) + Number(destroy)
  }

  async held(): Promise<number> {
    return Number((await this.#of('b').status()).sessions)
  }

  cpuMs(firewall: FirewallName): number {
    return cpuMsOfTree(this.#of(firewall).child.pid!)
  }

  async lose(what: Lost): Promise<Loss> {
    if (this.#of('b').told.some((told) => told.what === 'serving')) throw new NeedlessFailover()
    const began = performance.now()
    const lostAt = monotonicMs()
    if (what === 'machine') this.#ground.setInterfaces('a', 'down')
    this.#of('a').kill()
    const b = this.#of('b')
    await b.until('serving')
    const servingMs = performance.now() - began
    const { ms } = await b.until('committed')
    const at = async (what: string) => Number((await b.until(what)).monotonicMs) - lostAt
    const noticedMs = await at('promoting')
    return { lostAt, servingMs, commitMs: Number(ms), noticedMs, writtenMs: await at('committed') }
  }

  async end(): Promise<void> {
    for (const firewall of Object.values(this.#firewalls)) await firewall.close()
  }
}
