// Identity files as `keygen` writes them: JSON of cert, key and trust, for their owner only, never half written.
import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** `trust` may be empty: the peer's certificate comes later. */
export interface StoredIdentity {
  readonly cert: string
  readonly key: string
  readonly trust: readonly string[]
}

export function readStored(path: string): StoredIdentity {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  let given: Partial<StoredIdentity>
  try {
    given = JSON.parse(content)
  } catch {
    throw new Error(`${path}: not an identity made by holdfast keygen (JSON with cert, key and trust)`)
  }
  const { cert, key, trust } = given
  if (typeof cert !== 'string' || typeof key !== 'string' || !Array.isArray(trust))
    throw new Error(`${path}: not an identity made by holdfast keygen (JSON with cert, key and trust)`)
  return { cert, key, trust }
}

/** A new file is refused where there is one already; `replace` puts it in that one's place at once. */
export function writeStored(path: string, identity: StoredIdentity, replace: boolean): void {
  const { cert, key, trust } = identity
  writeWhole(path, `${JSON.stringify({ cert, key, trust }, null, 2)}\n`, 0o600, replace)
}

export function writeCertificate(path: string, pem: string, replace: boolean): void {
  writeWhole(path, `${pem.trim()}\n`, 0o644, replace)
}

function writeWhole(path: string, content: string, mode: number, replace: boolean): void {
  const draft = `${path}.${process.pid}.new`
  try {
    writeFileSync(draft, content, { mode, flag: 'wx', flush: true } as object)
    // The mode given at creation is narrowed by the process's mask; for a certificate that would be a surprise.
    chmodSync(draft, mode)
    if (replace) renameSync(draft, path)
    else linkSync(draft, path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && existsSync(path)) throw new Error(`${path} exists already, and was left alone`)
    throw new Error(`${path}: cannot be written (${code ?? message})`)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The certificate in a file: PEM, or an identity file's own. */
export function readCertificate(path: string): string {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const pem = content.trimStart().startsWith('{') ? readStored(path).cert : content
  const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(pem)?.[0]
  if (block === undefined) throw new Error(`${path}: no certificate in it (PEM)`)
  return `${block}\n`
}

/** SHA-256 of the certificate, hex: what nodes know each other by. */
export const pinOf = (pem: string): string =>
  new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()

export function described(pem: string): string {
  const certificate = new X509Certificate(pem)
  const until = new Date(certificate.validTo).toISOString().slice(0, 10)
  return `${certificate.subject.replaceAll('\n', ', ')}, pin ${pinOf(pem).slice(0, 16)}, valid until ${until}`
}
