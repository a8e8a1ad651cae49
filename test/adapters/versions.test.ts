// What docs/adapters says was tried is what the tests here run with.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('versions')
const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8')

test('the table of versions is that of package.json, and every adapter is an optional peer’s', () => {
  const { devDependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(read('package.json'))
  const page = read('docs/adapters/README.md')
  for (const [adapter, ...libraries] of [
    ['express-session', 'express-session', '@fastify/session'],
    ['keyv', 'keyv', 'keyv5'],
    ['rate-limiter', 'rate-limiter-flexible'],
    ['express-rate-limit', 'express-rate-limit'],
    ['unstorage', 'unstorage'],
  ]) {
    const tried = libraries.map((name) => devDependencies[name].replace('npm:keyv@', '')).join(', ')
    const row = page.split('\n').find((line) => line.startsWith(`| [${adapter}](`))
    assert.ok(row?.endsWith(`| ${tried} |`), `${adapter}: ${tried}, not ${row}`)
    assert.ok(peerDependencies[libraries[0]!], `${libraries[0]} is a peer`)
    assert.is(peerDependenciesMeta[libraries[0]!].optional, true)
  }
})

test.run()
