// A certificate authority, and an identity whose certificate it has issued: what pins must not be satisfied with. No
// import of Node's own, for the tests of other runtimes.

/** Resolves to the authority's certificate, PEM, and the identity issued to `name`. */
export async function makeAuthority(name) {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const generate = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const [own, leaf] = await Promise.all([generate(), generate()])
  const shared = {
    notBefore: new Date('2000-01-01'),
    notAfter: new Date('2099-01-01'),
    signingAlgorithm: algorithm,
  }
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...shared,
    name: [{ CN: ['authority'] }],
    keys: own,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  })
  const certificate = await x509.X509CertificateGenerator.create({
    ...shared,
    serialNumber: '02',
    subject: [{ CN: [name] }],
    issuer: root.subject,
    signingKey: own.privateKey,
    publicKey: leaf.publicKey,
  })
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', leaf.privateKey), 'PRIVATE KEY')
  return { cert: root.toString('pem'), issued: { cert: certificate.toString('pem'), key } }
}
