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
  for (const [i, pem] of trust.entries()) {
    if (parse(pem) === undefined) {
      return `identity.trust[${i}]: not a certificate; allowed: the peer's certificate in PEM`
    }
  }
  return undefined
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
