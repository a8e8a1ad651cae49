// docs/PROMISES.md names the test of each promise: every file must be there, and have a test of that name.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(root, 'docs/PROMISES.md'), 'utf8')
const promises = suite('promises')

promises('name files that exist', () => {
  const files = [...page.matchAll(/`((?:test|docs)\/[^`*]+)`/g)].map((match) => match[1]!)
  assert.ok(files.length > 40)
  for (const file of files) assert.ok(existsSync(join(root, file)), file)
})

promises('name tests that exist', () => {
  const named = [...page.matchAll(/`(test\/[^`]+\.test\.ts)`((?:,? ?"[^"]+")+)/g)]
  assert.ok(named.length > 15)
  for (const [, file, names] of named) {
    const text = readFileSync(join(root, file!), 'utf8').replace(/\\'/g, "'")
    for (const [, name] of names!.matchAll(/"([^"]+)"/g)) {
      assert.ok(text.includes(name!), `${file}: ${name}`)
    }
  }
})

promises.run()
