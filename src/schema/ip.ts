// IP addresses as text. IPv4 as a 32-bit number, IPv6 as 16 bytes in network order; IPv6 text is written as RFC 5952
// says. IPv4 parsing is on the path of every keyed call: a plain loop over the characters.

const OCTETS: readonly string[] = Array.from({ length: 256 }, (_, i) => String(i))

/** The address as a number; -1 if the text is not four decimal octets. A leading zero is refused: it may mean octal. */
export function parseIpv4(text: string): number {
  let address = 0
  let octet = -1
  let dots = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit >= 0 && digit <= 9) {
      if (octet === 0) return -1
      octet = octet < 0 ? digit : octet * 10 + digit
      if (octet > 255) return -1
    } else {
      if (digit !== -2 || octet < 0 || dots === 3) return -1
      dots++
      address = (address << 8) | octet
      octet = -1
    }
  }
  return dots === 3 && octet >= 0 ? ((address << 8) | octet) >>> 0 : -1
}

export function formatIpv4(address: number): string {
  return `${OCTETS[address >>> 24]}.${OCTETS[(address >>> 16) & 255]}.${OCTETS[(address >>> 8) & 255]}.${OCTETS[address & 255]}`
}

/** Value of a hex digit; -1 for another character. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const letter = (code | 32) - 97
  return letter >= 0 && letter <= 5 ? letter + 10 : -1
}

function putGroup(bytes: Uint8Array, at: number, group: number): void {
  bytes[at] = group >>> 8
  bytes[at + 1] = group & 255
}

/** Writes the 16 bytes of an IPv6 address; false if the text is none. No zone, no prefix length. */
export function parseIpv6(text: string, bytes: Uint8Array): boolean {
  let at = 0
  /** Bytes before `::`; -1 while there was none. */
  let gap = -1
  let i = 0
  if (text.startsWith('::')) {
    gap = 0
    i = 2
  }
  while (i < text.length) {
    const begin = i
    let group = 0
    for (let digit: number; i < text.length && (digit = hexDigit(text.charCodeAt(i))) >= 0; i++) {
      group = (group << 4) | digit
      if (i - begin === 4) return false
    }
    if (text.charCodeAt(i) === 46) {
      const tail = at <= 12 ? parseIpv4(text.slice(begin)) : -1
      if (tail < 0) return false
      putGroup(bytes, at, tail >>> 16)
      putGroup(bytes, at + 2, tail & 0xffff)
      at += 4
      break
    }
    if (i === begin || at > 14) return false
    putGroup(bytes, at, group)
    at += 2
    if (i === text.length) break
    if (text.charCodeAt(i) !== 58) return false
    i++
    if (text.charCodeAt(i) === 58) {
      if (gap >= 0) return false
      gap = at
      i++
    } else if (i === text.length) return false
  }
  if (gap < 0) return at === 16
  if (at > 14) return false
  bytes.copyWithin(16 - (at - gap), gap, at)
  bytes.fill(0, gap, 16 - (at - gap))
  return true
}

/** Whether 16 bytes are an IPv4 address as ::ffff:a.b.c.d. */
export function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false
  return bytes[at + 10] === 255 && bytes[at + 11] === 255
}

/** Canonical text of 16 bytes: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
export function formatIpv6(bytes: Uint8Array, at: number): string {
  if (isMapped(bytes, at)) return `::ffff:${Array.from(bytes.subarray(at + 12, at + 16)).join('.')}`
  let best = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && bytes[at + 2 * (i + length)] === 0 && bytes[at + 2 * (i + length) + 1] === 0)
      length++
    if (length > bestLength) {
      best = i
      bestLength = length
    }
    if (length > 0) i += length
  }
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (i === best) {
      text += '::'
      i += bestLength - 1
    } else {
      if (text !== '' && !text.endsWith(':')) text += ':'
      text += ((bytes[at + 2 * i]! << 8) | bytes[at + 2 * i + 1]!).toString(16)
    }
  }
  return text
}
