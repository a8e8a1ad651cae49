// The sessions that are measured: connections of a firewall that translates addresses, the table of README and
// docs/ARCHITECTURE.md. Session i is the same in every process and every run.
import { defineTable } from './built.ts'

export type Connections = ReturnType<typeof defineConnections>

export function defineConnections(capacity: number) {
  return defineTable({
    name: 'connections',
    key: { proto: 'u8', srcIp: 'ipv4', srcPort: 'u16', dstIp: 'ipv4', dstPort: 'u16' },
    fields: {
      state: ['syn', 'established', 'closing'],
      packets: 'u53',
      bytes: 'u53',
      natIp: 'ipv4',
      natPort: 'u16',
    },
    capacity,
  })
}

const PORTS = 64_512
const FIRST_PORT = 1024
const SERVICES = [443, 443, 443, 80, 53, 8080, 5060, 22]

/** 32 bits that look random and depend on `i` only. */
function mixed(i: number): number {
  let bits = Math.imul(i ^ (i >>> 16), 0x45d9f3b)
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** The key of session i: four flows of each client, a client somewhere in 10.0.0.0/8, 1024 servers. Unique below 2^26. */
export function keyOf(i: number) {
  const client = i >>> 2
  const bits = mixed(i)
  const dstPort = SERVICES[bits & 7]!
  return {
    proto: dstPort === 53 || dstPort === 5060 ? 17 : 6,
    srcIp: 0x0a000000 + client,
    srcPort: FIRST_PORT + ((mixed(client) + (i & 3) * (PORTS / 4)) % PORTS),
    dstIp: 0xc6120000 + ((bits >>> 8) & 1023),
    dstPort,
  }
}

/** What session i holds when it is opened; each has a NAT address and port of its own. */
export function openedOf(i: number) {
  const bytes = 40 + (mixed(i ^ 0x5bd1e995) % 1461)
  return { state: 'syn', packets: 1, bytes, ...natOf(i) } as const
}

/** What session i holds after a while. */
export function fieldsOf(i: number) {
  const packets = 1 + (mixed(i ^ 0x27d4eb2f) % 1000)
  return { state: 'established', packets, bytes: packets * packetBytesOf(i), ...natOf(i) } as const
}

/** Bytes of every packet of session i, so that its two counters belong together and a torn session shows. */
export function packetBytesOf(i: number): number {
  return 40 + (mixed(i ^ 0x165667b1) % 1461)
}

export function natOf(i: number) {
  return { natIp: 0xcb007100 + Math.floor(i / PORTS), natPort: FIRST_PORT + (i % PORTS) }
}

export function ipv4Text(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}
