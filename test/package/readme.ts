// The program of the README ("Use it"), as two processes that can run on one machine: word for word but for addresses, the
// names of the second node, and the end of the second, which waits until it leads and says what it holds.
import { blocksOf } from '../docs/pages.ts'
import { places } from './support.ts'

const block = () => blocksOf('README.md').find(({ language }) => language === 'ts')!

/** What the block takes for granted, declared; for compiling. */
export const declared = (): string => `${block().notes.get('given')}\n${block().code}`

const READ = `import { readFileSync } from 'node:fs'
const { cert, key, peerCert } = JSON.parse(readFileSync(new URL('./keys-ID.json', import.meta.url), 'utf8'))
`

const WAIT = `
while (node.role !== 'primary') await new Promise((done) => node.once('role', done))
console.log('b holds', table.get(flow)?.packets, 'of', table.size)
await node.close()
`

type Place = {
  links: Record<'m1' | 'm2', { listen: string; peer: string }>
  identity: { cert: string; key: string; trust: string[] }
}

/** Files of both processes: \`a.ts\` and \`b.ts\`, and their keys. */
export async function files(): Promise<Record<string, string>> {
  const { a, b } = (await places()) as Record<'a' | 'b', Place>
  const keys = ({ identity: { cert, key, trust } }: Place) =>
    JSON.stringify({ cert, key, peerCert: trust[0] })
  return {
    'a.ts': source('a', a, block().code),
    'b.ts': source('b', b, block().code.replace(/\nawait node\.close\(\).*\n/, WAIT)),
    'keys-a.json': keys(a),
    'keys-b.json': keys(b),
  }
}

function source(id: 'a' | 'b', { links }: Place, code: string): string {
  const link = (name: 'm1' | 'm2') =>
    `${name}: { listen: '${links[name].listen}', peer: '${links[name].peer}' },`
  const text = code
    .replace(/id: 'a',/, `id: '${id}',`)
    .replace(/peer: 'b',/, `peer: '${id === 'a' ? 'b' : 'a'}',`)
    .replace(/m1: \{ listen.*\},/, link('m1'))
    .replace(/m2: \{ listen.*\},/, link('m2'))
  if (/10\.0\.\d\.\d/.test(text)) throw new Error(`an address of the README is left: ${text}`)
  return READ.replace('ID', id) + text
}
