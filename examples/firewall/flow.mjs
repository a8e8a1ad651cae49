// A flow: one entry of the kernel's connection table, as two holdfast tables keep it. IPv4 and IPv6 have a table each, so
// that an IPv4 address costs four bytes in memory and on the links.
import { defineTable } from 'holdfast'

/** Of TCP, as conntrack-tools name them; 'NONE' for every other protocol. The order is on the wire: append only. */
export const STATES = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
]
export const SEEN = ['unreplied', 'replied', 'assured']

const ENDING = new Set(['LAST_ACK', 'TIME_WAIT', 'CLOSE'])
/** Nothing is sent any more but what was lost: it can wait until the addresses are taken. */
export const isEnding = ({ state }) => ENDING.has(state)

const GRE = 47
/** Protocols with two 16-bit numbers in their key: ports, or the keys of a GRE tunnel. */
const NUMBERED = new Set([6, 17, 136, GRE])
/** Protocols of which conntrack-tools show less than the kernel needs to go on: ICMP, DCCP, ICMPv6, SCTP. */
const NOT_KEPT = new Map([
  [1, 'icmp'],
  [33, 'dccp'],
  [58, 'icmpv6'],
  [132, 'sctp'],
])

export const FAMILIES = ['ipv4', 'ipv6']

/** `node.tables.ipv4` and `node.tables.ipv6`. The kernel says when a flow ends, so neither has a time-out. */
export function flowTables({ ipv4, ipv6 }) {
  const table = (name, address, capacity) =>
    defineTable({
      name,
      key: { proto: 'u8', src: address, dst: address, sport: 'u16', dport: 'u16' },
      fields: {
        state: STATES,
        seen: SEEN,
        timeout: 'u32', // seconds the kernel gave it at its last change; 0: not told
        mark: 'u32',
        // Where it is translated to: zero where nothing is.
        snatIp: address,
        snatPort: 'u16',
        dnatIp: address,
        dnatPort: 'u16',
      },
      capacity,
    })
  return { ipv4: table('ipv4', 'ipv4', ipv4), ipv6: table('ipv6', 'ip', ipv6) }
}

/** What a line of conntrack may leave out. */
export const ZERO = { state: 'NONE', seen: 'unreplied', timeout: 0, mark: 0 }

/** Seconds for a flow whose time-out the kernel did not tell: one that a flow table had taken over. */
export const UNKNOWN_TIMEOUT = 600

/**
 * @param {{ timeout?: number }} flow
 * @param {number} leastTimeout seconds: packets renew a time-out without an event, so the last one known may be short
 */
export const timeoutOf = ({ timeout }, leastTimeout) => Math.max(timeout || UNKNOWN_TIMEOUT, leastTimeout)

/** Why a flow of this protocol is not kept; undefined if it is. */
export const protocolNotKept = (proto) => NOT_KEPT.get(proto)
export const hasNumbers = (proto) => NUMBERED.has(proto)
export const isGre = (proto) => proto === GRE

/** A flow's identity as one string, from a session or from what was parsed. */
export const nameOf = ({ proto, src, sport, dst, dport }) => `${proto} ${src} ${sport} ${dst} ${dport}`

/**
 * The tuple that answers have, as one string: no two flows may have the same, or the kernel refuses the second.
 * @param {object} flow a session, or the key and the fields of what was parsed in one object
 */
export function answersOf(flow) {
  const { proto, src, sport, dst, dport, snatIp, snatPort, dnatIp, dnatPort } = flow
  const from = isAddress(dnatIp) ? `${dnatIp} ${dnatPort}` : `${dst} ${dport}`
  const to = isAddress(snatIp) ? `${snatIp} ${snatPort}` : `${src} ${sport}`
  return `${proto} ${from} ${to}`
}

/** Whether a field holds an address, and not the zero that stands for none. */
export const isAddress = (ip) => ip !== undefined && ip !== '0.0.0.0' && ip !== '::'
