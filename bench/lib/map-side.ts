// What a program without Holdfast would keep its sessions in: a Map of objects by a string key, and a Set of the keys
// that changed since the last flush. The slow, obvious twin of a table.
import { fieldsOf, ipv4Text, keyOf } from './sessions.ts'
import type { Updates } from './updates.ts'

interface Session {
  state: string
  packets: number
  bytes: number
  natIp: number
  natPort: number
}

export class MapSide {
  readonly #sessions = new Map<string, Session>()
  readonly #dirty = new Set<string>()
  /** The keys by session number: the very strings that the Map holds, so that comparing them is comparing pointers. */
  readonly strings: string[] = []

  /** `text`: the keys hold addresses as text, not as numbers. */
  constructor(sessions: number, text: boolean) {
    for (let i = 0; i < sessions; i++) {
      const { proto, srcIp, srcPort, dstIp, dstPort } = keyOf(i)
      const string = text
        ? `${proto}:${ipv4Text(srcIp)}:${srcPort}:${ipv4Text(dstIp)}:${dstPort}`
        : `${proto}:${srcIp}:${srcPort}:${dstIp}:${dstPort}`
      this.#sessions.set(string, { ...fieldsOf(i) })
      this.strings.push(string)
    }
  }

  get size(): number {
    return this.#sessions.size
  }

  /** The session of a number. */
  session(i: number): Readonly<Session> | undefined {
    return this.#sessions.get(this.strings[i]!)
  }

  update({ count, proto, srcIp, srcPort, dstIp, dstPort, packets, bytes }: Updates): number {
    let hits = 0
    for (let i = 0; i < count; i++) {
      const key = `${proto[i]!}:${srcIp[i]!}:${srcPort[i]!}:${dstIp[i]!}:${dstPort[i]!}`
      const session = this.#sessions.get(key)
      if (session === undefined) continue
      session.packets = packets[i]!
      session.bytes = bytes[i]!
      this.#dirty.add(key)
      hits++
    }
    this.#dirty.clear()
    return hits
  }

  updateByText({ count, proto, srcText, srcPort, dstText, dstPort, packets, bytes }: Updates): number {
    let hits = 0
    for (let i = 0; i < count; i++) {
      const key = `${proto[i]!}:${srcText[i]!}:${srcPort[i]!}:${dstText[i]!}:${dstPort[i]!}`
      const session = this.#sessions.get(key)
      if (session === undefined) continue
      session.packets = packets[i]!
      session.bytes = bytes[i]!
      this.#dirty.add(key)
      hits++
    }
    this.#dirty.clear()
    return hits
  }

  /** By keys that are strings already. */
  updatePrebuilt({ count, packets, bytes }: Updates, keys: readonly string[]): number {
    let hits = 0
    for (let i = 0; i < count; i++) {
      const key = keys[i]!
      const session = this.#sessions.get(key)
      if (session === undefined) continue
      session.packets = packets[i]!
      session.bytes = bytes[i]!
      this.#dirty.add(key)
      hits++
    }
    this.#dirty.clear()
    return hits
  }
}
