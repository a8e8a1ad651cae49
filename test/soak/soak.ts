// Runs a pair for minutes: load all the time, one fault after another, and between them quiet points at which both nodes
// must be one primary and one synced secondary that hold the same, with nothing said that has no cause.
import { setTimeout as pause } from 'node:timers/promises'
import type { NodeOptions } from 'holdfast'
import { type Cable, createCable, makeIdentity, type TestIdentity } from 'holdfast/testing'
import { mulberry32 } from '../../src/testing/faults.ts'
import { type Account, judge } from './account.ts'
import { MemoryTrend } from './memory.ts'
import { Remote } from './remote.ts'
import { ROUNDS } from './rounds.ts'
import { type Standstill, watchStandstills } from './standstill.ts'
import type { Tables } from './tables.ts'

export interface SoakOptions {
  /** It ends after so many minutes, or rounds, whichever comes first. */
  readonly minutes?: number
  readonly rounds?: number
  /** Only rounds whose name contains this. */
  readonly only?: string
  /** How long one round goes on, ms. */
  readonly roundMs: number
  readonly seed: number
  /** Calls a second. */
  readonly load: number
  /** Gets a line now and then. */
  readonly tell: (line: string) => void
}

export interface SoakResult {
  readonly minutes: number
  readonly violations: readonly string[]
  /** Rounds done, by what was done in them. */
  readonly rounds: Readonly<Record<string, number>>
  readonly calls: number
  /** Of the worst round. */
  readonly p999Us: number
  readonly callMsMax: number
  readonly verified: number
  /** Changes of role for which only a machine that stood still was the cause. */
  readonly excused: number
  readonly memory: MemoryTrend
}

/** After faults the pair has so long to be whole again, ms. */
const QUIET_LIMIT_MS = 30_000
const STORY_LINES = 60

export class Soak {
  readonly #options: SoakOptions
  readonly #random: () => number
  readonly #memory = new MemoryTrend()
  readonly #violations: string[] = []
  readonly #rounds: Record<string, number> = {}
  readonly #lives = { a: 0, b: 0 }
  #cables: { m1: Cable; m2: Cable } | undefined
  #identities: { a: TestIdentity; b: TestIdentity } | undefined
  readonly #remotes = new Map<'a' | 'b', Remote>()
  #calls = 0
  #p999Us = 0
  #callMsMax = 0
  #verified = 0
  #excused = 0
  /** Of this process, which the cables are in. */
  readonly #standstills: Standstill[] = []

  constructor(options: SoakOptions) {
    this.#options = options
    this.#random = mulberry32(options.seed)
  }

  async run(): Promise<SoakResult> {
    const began = performance.now()
    const { minutes = Number.POSITIVE_INFINITY, rounds = Number.POSITIVE_INFINITY } = this.#options
    const end = began + minutes * 60_000
    let round = 0
    const unwatch = watchStandstills((standstill) => this.#standstills.push(standstill))
    try {
      await this.#begin()
      await this.#quiet('the start', [/^a primary/, /^b secondary/])
      for (const name of this.#order()) {
        if (performance.now() >= end || round++ >= rounds || this.#violations.length > 0) break
        await this.#round(name)
      }
    } catch (error) {
      this.#violations.push(String((error as Error).stack ?? error))
    }
    if (this.#violations.length > 0) await this.#tellStory()
    this.#violations.push(...this.#memory.violations())
    await this.#end()
    unwatch()
    return {
      minutes: (performance.now() - began) / 60_000,
      violations: this.#violations,
      rounds: this.#rounds,
      calls: this.#calls,
      p999Us: this.#p999Us,
      callMsMax: this.#callMsMax,
      verified: this.#verified,
      excused: this.#excused,
      memory: this.#memory,
    }
  }

  /** Every kind of round once, in a random order, again and again. */
  *#order(): Generator<string> {
    const { only = '' } = this.#options
    for (;;) {
      const names = Object.keys(ROUNDS).filter((name) => name.includes(only))
      while (names.length > 0) yield names.splice(Math.floor(this.#random() * names.length), 1)[0]!
    }
  }

  async #begin(): Promise<void> {
    const { seed } = this.#options
    this.#cables = { m1: await createCable({ seed }), m2: await createCable({ seed: seed + 1 }) }
    this.#identities = { a: await makeIdentity('a'), b: await makeIdentity('b') }
    await this.#start('a')
    await this.#start('b')
  }

  async #start(id: 'a' | 'b'): Promise<void> {
    const other = id === 'a' ? 'b' : 'a'
    const { m1, m2 } = this.#cables!
    const { cert, key } = this.#identities![id]
    const options: Omit<NodeOptions<Tables>, 'tables'> = {
      id,
      peer: other,
      priority: id === 'a' ? 200 : 100,
      links: { m1: m1.link(id), m2: m2.link(id) },
      identity: { cert, key, trust: [this.#identities![other].cert] },
    }
    const remote = new Remote(id, ++this.#lives[id])
    this.#remotes.set(id, remote)
    await remote.call('start', options, this.#options.seed + this.#lives[id])
    await remote.call('load', this.#options.load)
  }

  async #roles(): Promise<{ primary: Remote; secondary: Remote } | undefined> {
    const [a, b] = [this.#remotes.get('a')!, this.#remotes.get('b')!]
    const [ofA, ofB] = [await a.call('status'), await b.call('status')]
    if (ofA.isProtected && ofB.synced) return { primary: a, secondary: b }
    if (ofB.isProtected && ofA.synced) return { primary: b, secondary: a }
    return undefined
  }

  async #whole(after: string): Promise<{ primary: Remote; secondary: Remote }> {
    const limit = performance.now() + QUIET_LIMIT_MS
    for (;;) {
      const roles = await this.#roles()
      if (roles !== undefined) return roles
      if (performance.now() > limit) {
        throw new Error(`after ${after}: no primary with a synced secondary within ${QUIET_LIMIT_MS} ms`)
      }
      await pause(20)
    }
  }

  async #round(name: string): Promise<void> {
    const { primary, secondary } = await this.#whole('a quiet point')
    for (const remote of [primary, secondary]) await remote.call('load', this.#options.load)
    const explained = await ROUNDS[name]!({
      primary,
      secondary,
      ...this.#cables!,
      random: this.#random,
      durationMs: this.#options.roundMs,
      restart: (id) => this.#start(id),
    })
    this.#rounds[name] = (this.#rounds[name] ?? 0) + 1
    await this.#quiet(name, explained)
  }

  /** Nobody writes: everything is compared, and what was told is accounted for. */
  async #quiet(after: string, explained: readonly RegExp[]): Promise<void> {
    for (const remote of this.#remotes.values()) await remote.call('rest')
    const { primary, secondary } = await this.#verify(after)
    const [mine, theirs] = [await primary.call('sum'), await secondary.call('sum')]
    if (mine.torn + theirs.torn > 0) {
      this.#violations.push(`after ${after}: ${mine.torn} and ${theirs.torn} sessions mix two writes`)
    }
    if (mine.sessions !== theirs.sessions || mine.sum !== theirs.sum) {
      this.#violations.push(
        `after ${after}: ${primary.name} holds ${mine.sessions} sessions (${mine.sum}), ${secondary.name} ${theirs.sessions} (${theirs.sum})`,
      )
    }
    const { calls, p999Us, maxMs } = await primary.call('calls')
    await secondary.call('calls')
    this.#calls += calls
    this.#p999Us = Math.max(this.#p999Us, p999Us)
    this.#callMsMax = Math.max(this.#callMsMax, maxMs)
    const accounts: Account[] = []
    for (const remote of [primary, secondary]) {
      this.#memory.add(remote.name, await remote.call('memory'))
      accounts.push(await remote.account())
    }
    const { violations, excused } = judge(accounts, explained, this.#standstills.splice(0))
    this.#violations.push(...violations.map((one) => `after ${after}: ${one}`))
    this.#excused += excused
    this.#options.tell(
      `${after}: ${mine.sessions} sessions equal, ${primary.name} leads, ${calls} calls, p99.9 ${p999Us} us, longest ${maxMs.toFixed(1)} ms`,
    )
  }

  /** One of the two proves that both hold the same. What is lost on a busy machine meanwhile begins again. */
  async #verify(after: string): Promise<{ primary: Remote; secondary: Remote }> {
    const limit = performance.now() + QUIET_LIMIT_MS
    for (;;) {
      const pair = await this.#whole(after)
      const asked = this.#random() < 0.5 ? pair.primary : pair.secondary
      try {
        const { equal } = await asked.call('verify')
        this.#verified++
        if (!equal) this.#violations.push(`after ${after}: verify() on ${asked.name} says not equal`)
        return pair
      } catch (error) {
        if (!(error as Error).message.includes('VerifyError') || performance.now() > limit) throw error
      }
    }
  }

  async #tellStory(): Promise<void> {
    const lines: { atMs: number; line: string }[] = []
    for (const remote of this.#remotes.values()) {
      await remote.account().catch(() => {})
      for (const { atMs, event, text } of remote.story)
        lines.push({ atMs, line: `${remote.name} ${event}: ${text}` })
    }
    lines.sort((a, b) => a.atMs - b.atMs)
    for (const { atMs, line } of lines.slice(-STORY_LINES)) this.#options.tell(`${atMs.toFixed(1)} ${line}`)
  }

  async #end(): Promise<void> {
    for (const remote of this.#remotes.values()) await remote.kill()
    await this.#cables?.m1.close()
    await this.#cables?.m2.close()
  }
}
