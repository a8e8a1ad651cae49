// The command as a whole: what it lists, what it refuses, and bench in small.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { holdfast } from './support.ts'

const test = suite('commands')
const COMMANDS = ['keygen', 'status', 'watch', 'doctor', 'bench', 'demo']

test('without a command it lists them, and each has a help of at most 120 columns', async () => {
  const { code, out } = await holdfast([])
  assert.is(code, 2)
  assert.is((await holdfast(['--help'])).code, 0)
  for (const name of COMMANDS) {
    assert.match(out, new RegExp(`^  ${name} +\\S`, 'm'))
    const help = await holdfast([name, '--help'])
    assert.is(help.code, 0)
    assert.match(help.out, new RegExp(`^usage: holdfast ${name}`))
    for (const line of help.out.split('\n')) assert.ok(line.length <= 120, line)
  }
})

test('a command there is not, and an option there is not, end with 2', async () => {
  assert.match((await holdfast(['fly'])).error, /there is no command 'fly'/)
  assert.is((await holdfast(['fly'])).code, 2)
  assert.is((await holdfast(['toString'])).code, 2)
  assert.is((await holdfast(['bench', '--fast'])).code, 2)
  assert.is((await holdfast(['bench', '--sessions', '1'])).code, 2)
})

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.is((await holdfast(['--version'])).out, `${version}\n`)
})

test('bench measures what it says', async () => {
  const { code, out, error } = await holdfast(['bench', '--sessions', '2000', '--json'])
  assert.equal([code, error], [0, ''])
  const { sessions, figures } = JSON.parse(out)
  assert.is(sessions, 2000)
  assert.is(figures.length, 5)
  for (const { name, value, runs } of figures) {
    assert.ok(value > 0 && runs.length >= 5, name)
    assert.ok(Math.min(...runs) <= value && value <= Math.max(...runs), name)
  }
})

test.run()
