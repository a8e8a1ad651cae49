// Identities: of P-256 for tests and demonstrations; `holdfast keygen`, which makes those of a deployment, has the choice.
import { ConfigError } from '../index.ts'

/** What `createNode` takes as `identity`, apart from the certificates it is to trust. PEM, both. */
export interface TestIdentity {
  readonly cert: string
  readonly key: string
}

/** What kind of key an identity has. */
export type IdentityType = 'p256' | 'ed25519'

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const ED25519 = { name: 'Ed25519' } as const
const YEARS = 20

type Keys = Extract<Awaited<ReturnType<typeof crypto.subtle.generateKey>>, { privateKey: unknown }>

/**
 * A new P-256 key and a self-signed certificate for it, valid from the year 2000 (a machine whose clock is behind must
 * not refuse it) until twenty years from now. Needs the packages `@peculiar/x509` and `reflect-metadata`, which are
 * optional peer dependencies of holdfast and loaded at the first call.
 *
 * @param name the common name, usually the node's id
 * @example
 * const [a, b] = await Promise.all([makeIdentity('a'), makeIdentity('b')])
 * createNode({ id: 'a', identity: { ...a, trust: [b.cert] }, ... })
 */
export function makeIdentity(name: string): Promise<TestIdentity> {
  return makeIdentityOf('p256', name)
}

/**
 * The same with a key of the given type, P-256 or Ed25519.
 *
 * @throws ConfigError another type
 */
export async function makeIdentityOf(type: IdentityType, name: string): Promise<TestIdentity> {
  if (type !== 'p256' && type !== 'ed25519')
    throw new ConfigError(`makeIdentityOf: type '${type}' given; allowed: p256, ed25519`)
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const { subtle } = crypto
  const keys = (await (type === 'p256'
    ? subtle.generateKey(P256, true, ['sign', 'verify'])
    : subtle.generateKey(ED25519, true, ['sign', 'verify']))) as Keys
  const notAfter = new Date()
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + YEARS)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    notBefore: new Date('2000-01-01T00:00:00Z'),
    notAfter,
    signingAlgorithm: type === 'p256' ? P256 : ED25519,
    keys,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      // By these OpenSSL tells this certificate from an earlier one of the same name.
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}
