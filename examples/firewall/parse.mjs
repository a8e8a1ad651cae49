// Reads the lines of `conntrack -E` and `conntrack -L`, with any of -o extended, id, timestamp, ktimestamp, userspace.
// Words it does not know are passed over: newer versions add some. What it cannot keep is named, never guessed.
import { hasNumbers, isGre, protocolNotKept } from './flow.mjs'

const EVENTS = { '[NEW]': 'new', '[UPDATE]': 'update', '[DESTROY]': 'destroy' }
const NUMBER = /^\d{1,10}$/
const STATE = /^[A-Z][A-Z0-9_]*$/

/**
 * One line.
 * @param {string} line
 * @returns {undefined | { event: 'new' | 'update' | 'destroy' | 'entry', family: 'ipv4' | 'ipv6', id: string | undefined,
 *   notKept: string | undefined, key: object, fields: object }} undefined for a line that is no flow. `notKept` says why
 *   a flow is passed over. `fields` has only what the line tells: an update may leave out the state.
 */
export function parseLine(line) {
  const words = line.trim().split(/\s+/)
  let at = 0
  if (/^\[\d+\.\d+\]$/.test(words[at])) at++
  const event = EVENTS[words[at]] ?? 'entry'
  if (event !== 'entry') at++
  if (words[at] === 'ipv4' || words[at] === 'ipv6') at += 2
  const proto = Number(words[at + 1])
  if (!NUMBER.test(words[at + 1] ?? '') || proto > 255) return undefined
  at += 2

  const fields = {}
  if (NUMBER.test(words[at] ?? '')) fields.timeout = Number(words[at++])
  if (STATE.test(words[at] ?? '')) fields.state = words[at++]
  const flow = readWords(words, at, fields)
  const { original, reply } = flow
  if (!isTuple(original, proto) || !isTuple(reply, proto)) return undefined

  const family = original.src.includes(':') ? 'ipv6' : 'ipv4'
  const numbers = numbersOf(original, proto)
  const key = { proto, src: original.src, dst: original.dst, sport: numbers.from, dport: numbers.to }
  translate(fields, key, reply, numbersOf(reply, proto))
  fields.seen = flow.seen
  return { event, family, id: flow.id, notKept: protocolNotKept(proto) ?? flow.notKept, key, fields }
}

/** The part behind the state: two tuples, flags, and numbers by name, in an order that differs between versions. */
function readWords(words, at, fields) {
  const original = {}
  const reply = {}
  let tuple
  let id
  let notKept
  let seen = 'replied'
  for (; at < words.length; at++) {
    const word = words[at]
    const equals = word.indexOf('=')
    if (equals < 0) {
      // Flows that a flow table takes over show that instead of the word for assured.
      if (word === '[ASSURED]' || word === '[OFFLOAD]' || word === '[HW_OFFLOAD]') seen = 'assured'
      else if (word === '[UNREPLIED]') seen = 'unreplied'
      continue
    }
    const name = word.slice(0, equals)
    const value = word.slice(equals + 1)
    if (name === 'src') {
      tuple = original.src === undefined ? original : reply
      tuple.src = value
    } else if (TUPLE.has(name) && tuple !== undefined && tuple[name] === undefined) tuple[name] = value
    else if (name === 'mark') fields.mark = Number(value)
    else if (name === 'id') id = value
    else if (name.startsWith('zone')) notKept = 'zone'
  }
  return { original, reply, id, notKept, seen }
}

const TUPLE = new Set(['dst', 'sport', 'dport', 'srckey', 'dstkey', 'type', 'code'])

function isTuple({ src, dst, sport, dport, srckey, dstkey }, proto) {
  if (src === undefined || dst === undefined) return false
  if (isGre(proto)) return srckey !== undefined && dstkey !== undefined
  return !hasNumbers(proto) || (sport !== undefined && dport !== undefined)
}

function numbersOf({ sport, dport, srckey, dstkey }, proto) {
  if (isGre(proto)) return { from: Number(srckey), to: Number(dstkey) }
  return hasNumbers(proto) ? { from: Number(sport), to: Number(dport) } : { from: 0, to: 0 }
}

/** What the reply tuple is, turned round, other than the original: that is how the kernel shows translation. */
function translate(fields, key, reply, { from, to }) {
  if (reply.dst !== key.src || to !== key.sport) {
    fields.snatIp = reply.dst
    fields.snatPort = to
  }
  if (reply.src !== key.dst || from !== key.dport) {
    fields.dnatIp = reply.src
    fields.dnatPort = from
  }
}
