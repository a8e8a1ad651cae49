// An identity as it lies on disk: one file, JSON or PEM, made by `holdfast keygen` or by openssl.
import { readFile } from 'node:fs/promises'
import { ConfigError } from './errors.ts'
import type { IdentityOptions } from './options.ts'
import { checkPem } from './settings-identity.ts'

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g

/**
 * Reads an identity file and checks it. Either JSON, `{ "cert", "key", "trust": [...] }` of PEM texts, or PEM: this node's
 * certificate, its private key, then the certificates that it trusts; the key may stand anywhere.
 *
 * @example
 * const node = await createNode({ id: 'a', identity: await readIdentity('/etc/holdfast/a.json'), ... })
 * @throws ConfigError the file cannot be read, or what is in it is no identity
 */
export async function readIdentity(path: string): Promise<IdentityOptions> {
  if (typeof path !== 'string') throw new ConfigError('readIdentity(path): no text given; allowed: a file')
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ConfigError(`identity file ${path}: cannot be read (${code ?? message})`)
  }
  try {
    return checkPem(content.trimStart().startsWith('{') ? fromJson(content) : fromPem(content))
  } catch (error) {
    throw new ConfigError(`identity file ${path}: ${(error as Error).message}`)
  }
}

function fromJson(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    // The parser's message would show a piece of the file, and that may be the key.
    throw new ConfigError('not JSON; allowed: { "cert", "key", "trust": [...] }')
  }
}

function fromPem(content: string): IdentityOptions {
  const blocks = content.match(BLOCK) ?? []
  const [cert, ...trust] = blocks.filter((block) => block.startsWith('-----BEGIN CERTIFICATE-----'))
  const key = blocks.find((block) => /^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(block))
  if (cert === undefined || key === undefined || trust.length === 0) {
    throw new ConfigError(
      "allowed: this node's certificate, its private key, then a certificate to trust, in PEM",
    )
  }
  return { cert, key, trust }
}
