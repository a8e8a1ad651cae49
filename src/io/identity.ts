// Certificates and keys: what is wrong with them, and the pin by which a peer is known. A pin is the SHA-256 of the
// whole certificate; names, issuers and chains decide nothing.
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import type { Identity } from './thread-messages.ts'

/** What is wrong with an identity, as a sentence; undefined when it can be used. Says nothing of the key's content. */
export function identityFault({ cert, key, trust }: Identity): string | undefined {
  const own = parse(cert)
  if (own === undefined) return 'identity.cert: not a certificate; allowed: one certificate in PEM'
  let isPair: boolean
  try {
    isPair = own.checkPrivateKey(createPrivateKey(key))
  } catch {
    return 'identity.key: not a private key; allowed: an unencrypted key in PEM'
  }
  if (!isPair)
    return 'identity.key: does not belong to identity.cert; give the key the certificate was made with'
  const trusted: X509Certificate[] = []
  for (const [i, pem] of trust.entries()) {
    const one = parse(pem)
    if (one === undefined) {
      return `identity.trust[${i}]: not a certificate; allowed: the peer's certificate in PEM`
    }
    const other = trusted.findIndex((before) => isConfused(before, one))
    if (other >= 0) {
      return `identity.trust[${i}]: has the subject of identity.trust[${other}] and TLS cannot tell them apart; make it with key identifiers, as openssl req -x509 does, or with another subject`
    }
    trusted.push(one)
  }
  return undefined
}

/**
 * Whether OpenSSL could take one certificate for the issuer of the other: it finds issuers by subject and looks at the
 * first only, unless key identifiers say that it is another. Two renewals of one name would shut each other out.
 */
function isConfused(a: X509Certificate, b: X509Certificate): boolean {
  if (a.fingerprint256 === b.fingerprint256 || a.subject !== b.subject) return false
  try {
    return b.checkIssued(a) || a.checkIssued(b)
  } catch {
    // A runtime whose TLS has no such question does not look for issuers in this way.
    return false
  }
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** SHA-256 of a certificate's DER bytes, hex. */
export function pinOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

export function pinsOf(trust: readonly string[]): ReadonlySet<string> {
  return new Set(trust.map((pem) => pinOf(new X509Certificate(pem).raw)))
}
