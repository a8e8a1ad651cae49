// docs/SECURITY.md claims nothing without a test: each one it names is there, under that name, and the bounds it states
// are those of the code.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CANDIDATES_MAX, HELLO_TIMEOUT_MS } from '../../src/core/options.ts'
import { HANDSHAKE_TIMEOUT_MS, HANDSHAKES_MAX, HANDSHAKES_PER_SECOND } from '../../src/io/door.ts'
import { FRAME_BYTES_MAX, HEARTBEAT_BYTES } from '../../src/wire/constants.ts'

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const text = read('docs/SECURITY.md')

test('every test that docs/SECURITY.md names is there, under that name', () => {
  const named = [...text.matchAll(/`(test\/[\w/.-]+\.(?:ts|mjs))`(?:: ((?:"[^"]+"(?:, )?)+))?/g)]
  assert.ok(named.length >= 15, `${named.length} tests named`)
  for (const [, path, names = ''] of named) {
    const source = read(path!).replace(/\s+/g, ' ')
    for (const [, name] of names.matchAll(/"([^"]+)"/g))
      assert.ok(source.includes(name!), `${path} has no test "${name}"`)
  }
})

test('no row of a table is without its test', () => {
  const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
  for (const row of rows) {
    const last = row.split('|').at(-2)!.trim()
    assert.ok(last.includes('`test/') || ['proved by', '-'].includes(last), `no test in: ${row}`)
  }
})

test('bounds are stated as they are', () => {
  for (const words of [
    `${HANDSHAKES_MAX} handshakes at once`,
    `${HANDSHAKES_PER_SECOND} in a second`,
    `${HANDSHAKE_TIMEOUT_MS / 1000} s for each`,
    `${CANDIDATES_MAX} connections without a hello`,
    `${HELLO_TIMEOUT_MS / 1000} s to say it`,
    `${HEARTBEAT_BYTES} bytes`,
    `${FRAME_BYTES_MAX / 2 ** 20} MiB`,
  ])
    assert.ok(text.includes(words), `docs/SECURITY.md does not say: ${words}`)
})

test('SECURITY.md and README lead there', () => {
  assert.ok(read('SECURITY.md').includes('docs/SECURITY.md'))
  assert.ok(read('README.md').includes('docs/SECURITY.md'))
})

test.run()
