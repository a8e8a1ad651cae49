// Writes a flow as the kernel takes it: a message of nfnetlink that makes one entry of its connection table, as
// linux/netfilter/nfnetlink_conntrack.h has it. The same things are said as conntrack-tools say of the same flow: the
// original tuple, its reverse, and the translation, out of which the kernel makes the tuple that answers have.
import { endianness } from 'node:os'
import { hasNumbers, isAddress, isGre, STATES, timeoutOf } from './flow.mjs'

const NATIVE = endianness() === 'LE'
const NEW_ENTRY = 0x0100
const DELETE_ENTRY = 0x0102
/** Request, ack if asked, create, and nothing that is there already is changed. */
const [REQUEST, ACK, EXCLUSIVE, CREATE] = [0x1, 0x4, 0x200, 0x400]
const NESTED = 0x8000
const HEADER_BYTES = 20
/** No flow needs more. */
export const MESSAGE_BYTES_MAX = 384
/** A flow that is there already: no harm, as it is the same one. */
export const EEXIST = 17

const ENTRY = { orig: 1, reply: 2, status: 3, protocol: 4, snat: 6, timeout: 7, mark: 8, dnat: 13 }
const STATUS = { unreplied: 0, replied: 2, assured: 6 }
const CONFIRMED = 8
/** The kernel does not check windows whose sequence numbers it was not told, and takes selective acks for allowed. */
const LIBERAL = 0x08 | 0x02
const TCP = 6

/** A run of messages in one buffer. */
export class Messages {
  #bytes
  #view
  #at = 0
  /** Where the last message begins. */
  #last = 0
  count = 0

  constructor(bytesMax) {
    this.#bytes = Buffer.alloc(bytesMax)
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, bytesMax)
  }

  get hasRoom() {
    return this.#bytes.length - this.#at >= MESSAGE_BYTES_MAX
  }

  /** @param {object} flow a session, or key and fields in one object; @param {number} seq by which an error names it */
  add(flow, leastTimeout, seq) {
    const isV6 = flow.src.includes(':')
    const began = this.#begin(NEW_ENTRY, REQUEST | CREATE | EXCLUSIVE, seq, isV6 ? 10 : 2)
    const { proto, sport, dport } = flow
    this.#tuple(ENTRY.orig, isV6, flow.src, flow.dst, proto, sport, dport)
    // The keys of a tunnel are not translated by what follows.
    const isTunnel = isGre(proto)
    const [from, to] = isTunnel ? [flow.dnatPort || dport, flow.snatPort || sport] : [dport, sport]
    this.#tuple(ENTRY.reply, isV6, flow.dst, flow.src, proto, from, to)
    const ports = hasNumbers(proto) && !isTunnel
    if (isAddress(flow.snatIp)) this.#translation(ENTRY.snat, isV6, flow.snatIp, ports && flow.snatPort)
    if (isAddress(flow.dnatIp)) this.#translation(ENTRY.dnat, isV6, flow.dnatIp, ports && flow.dnatPort)
    this.#word(ENTRY.status, STATUS[flow.seen] | CONFIRMED)
    this.#word(ENTRY.timeout, timeoutOf(flow, leastTimeout))
    if (flow.mark) this.#word(ENTRY.mark, flow.mark)
    if (proto === TCP) this.#state(flow.state)
    this.#end(began)
  }

  /** Everything that the kernel has, of both families. */
  addFlush(seq) {
    this.#end(this.#begin(DELETE_ENTRY, REQUEST, seq, 0))
  }

  /** The messages so far, of which the last asks for an answer; the next ones begin anew. */
  take() {
    this.#view.setUint16(this.#last + 6, this.#view.getUint16(this.#last + 6, NATIVE) | ACK, NATIVE)
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#at))
    this.#at = 0
    this.count = 0
    return bytes
  }

  #begin(type, flags, seq, family) {
    const at = this.#at
    this.#last = at
    this.#view.setUint16(at + 4, type, NATIVE)
    this.#view.setUint16(at + 6, flags, NATIVE)
    this.#view.setUint32(at + 8, seq, NATIVE)
    this.#view.setUint32(at + 12, 0, NATIVE)
    this.#view.setUint32(at + 16, family << 24)
    this.#at = at + HEADER_BYTES
    this.count++
    return at
  }

  #end(began) {
    this.#view.setUint32(began, this.#at - began, NATIVE)
  }

  #attribute(type, length) {
    this.#view.setUint16(this.#at, length + 4, NATIVE)
    this.#view.setUint16(this.#at + 2, type, NATIVE)
    const at = this.#at + 4
    this.#at = at + ((length + 3) & ~3)
    // Padding says nothing, but must not be what an earlier message left.
    for (let i = at + length; i < this.#at; i++) this.#bytes[i] = 0
    return at
  }

  #open(type) {
    return this.#attribute(type | NESTED, 0) - 4
  }

  #close(opened) {
    this.#view.setUint16(opened, this.#at - opened, NATIVE)
  }

  #byte(type, value) {
    this.#bytes[this.#attribute(type, 1)] = value
  }

  #short(type, value) {
    this.#view.setUint16(this.#attribute(type, 2), value)
  }

  #word(type, value) {
    this.#view.setUint32(this.#attribute(type, 4), value)
  }

  #address(type, isV6, text) {
    if (isV6) putIpv6(this.#bytes, this.#attribute(type, 16), text)
    else putIpv4(this.#bytes, this.#attribute(type, 4), text)
  }

  #tuple(type, isV6, src, dst, proto, from, to) {
    const tuple = this.#open(type)
    const ip = this.#open(1)
    this.#address(isV6 ? 3 : 1, isV6, src)
    this.#address(isV6 ? 4 : 2, isV6, dst)
    this.#close(ip)
    const protocol = this.#open(2)
    this.#byte(1, proto)
    if (hasNumbers(proto)) {
      this.#short(2, from)
      this.#short(3, to)
    }
    this.#close(protocol)
    this.#close(tuple)
  }

  /** Exactly this address and, where there are ports, exactly this one. */
  #translation(type, isV6, ip, port) {
    const range = this.#open(type)
    this.#address(isV6 ? 4 : 1, isV6, ip)
    this.#address(isV6 ? 5 : 2, isV6, ip)
    if (port) {
      const ports = this.#open(3)
      this.#short(1, port)
      this.#short(2, port)
      this.#close(ports)
    }
    this.#close(range)
  }

  #state(state) {
    const protocol = this.#open(ENTRY.protocol)
    const tcp = this.#open(1)
    this.#byte(1, STATES.indexOf(state === 'NONE' ? 'ESTABLISHED' : state))
    for (const direction of [4, 5]) {
      const at = this.#attribute(direction, 2)
      this.#bytes[at] = LIBERAL
      this.#bytes[at + 1] = LIBERAL
    }
    this.#close(tcp)
    this.#close(protocol)
  }
}

function putIpv4(bytes, at, text) {
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 46) {
      bytes[at++] = value
      value = 0
    } else value = value * 10 + code - 48
  }
  bytes[at] = value
}

/** Also with '::' for zeros, and the last four bytes as an IPv4 address. */
function putIpv6(bytes, at, text) {
  bytes.fill(0, at, at + 16)
  const [front, back] = text.split('::')
  const put = (from, words) => {
    for (const word of words) {
      if (word.includes('.')) putIpv4(bytes, from, word)
      else bytes.writeUInt16BE(Number.parseInt(word, 16), from)
      from += 2
    }
  }
  const wordsOf = (part) => (part ? part.split(':') : [])
  put(at, wordsOf(front))
  if (back === undefined) return
  const words = wordsOf(back)
  put(at + 16 - 2 * (words.length + (back.includes('.') ? 1 : 0)), words)
}
