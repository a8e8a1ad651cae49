// Identities for nodes that live only as long as a test or a demonstration. A real deployment makes its own once.

/** What `createNode` takes as `identity`, apart from the certificates it is to trust. PEM, both. */
export interface TestIdentity {
  readonly cert: string
  readonly key: string
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const YEARS = 20

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
export async function makeIdentity(name: string): Promise<TestIdentity> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const notAfter = new Date()
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + YEARS)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    notBefore: new Date('2000-01-01T00:00:00Z'),
    notAfter,
    signingAlgorithm: ALGORITHM,
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
