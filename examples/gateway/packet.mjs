// What clients and gateway say to each other: one datagram is one packet of a flow. As in GTP-U or VXLAN the packet
// travels inside an outer datagram and its header names the inner client, so that a few sockets can carry many clients.
//
//     0        4      5      6             8             12        16        24         28         30
//     +--------+------+------+-------------+-------------+---------+---------+----------+----------+----------+
//     | 'HFGW' | kind | node | client port | client IPv4 | request | packets | NAT IPv4 | NAT port | reserved |
//     | u32    | u8   | u8   | u16         | u32         | u32     | f64     | u32      | u16      | u16      |
//     +--------+------+------+-------------+-------------+---------+---------+----------+----------+----------+
//
// Big-endian. A request has node, packets and NAT zero; whatever follows the header is payload. An answer repeats the
// request's header, completed, and says by the NAT address and the packet count which session it belongs to.

export const PACKET_BYTES = 32
const MAGIC = 0x48464757

/** What a datagram is: payload for the flow, its last one, or the gateway's answer to either. */
export const Kind = { data: 1, bye: 2, answer: 3 }

/**
 * @typedef {object} Packet
 * @property {number} kind
 * @property {number} clientPort
 * @property {number} clientIp as a number
 * @property {number} request number of the request, chosen by the client
 * @property {string} [node] id of the node that answered, one letter
 * @property {number} [packets] packets of the flow so far
 * @property {number} [natIp] as a number
 * @property {number} [natPort]
 */

/**
 * @param {Buffer} bytes
 * @returns {Packet | undefined} undefined for a datagram that is none of ours
 */
export function readPacket(bytes) {
  if (bytes.length < PACKET_BYTES || bytes.readUInt32BE(0) !== MAGIC) return undefined
  return {
    kind: bytes[4],
    node: String.fromCharCode(bytes[5]),
    clientPort: bytes.readUInt16BE(6),
    clientIp: bytes.readUInt32BE(8),
    request: bytes.readUInt32BE(12),
    packets: bytes.readDoubleBE(16),
    natIp: bytes.readUInt32BE(24),
    natPort: bytes.readUInt16BE(28),
  }
}

/**
 * @param {Packet} packet
 * @returns {Buffer}
 */
export function writePacket({
  kind,
  node,
  clientPort,
  clientIp,
  request,
  packets = 0,
  natIp = 0,
  natPort = 0,
}) {
  const bytes = Buffer.alloc(PACKET_BYTES)
  bytes.writeUInt32BE(MAGIC, 0)
  bytes[4] = kind
  bytes[5] = node?.charCodeAt(0) ?? 0
  bytes.writeUInt16BE(clientPort, 6)
  bytes.writeUInt32BE(clientIp, 8)
  bytes.writeUInt32BE(request, 12)
  bytes.writeDoubleBE(packets, 16)
  bytes.writeUInt32BE(natIp, 24)
  bytes.writeUInt16BE(natPort, 28)
  return bytes
}

/** '10.0.0.1' as a number. */
export function ipToNumber(text) {
  return text.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
}

/** A number as '10.0.0.1'. */
export function numberToIp(ip) {
  return [ip >>> 24, (ip >>> 16) & 255, (ip >>> 8) & 255, ip & 255].join('.')
}
