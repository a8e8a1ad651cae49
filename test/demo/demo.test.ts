// time-out: 120 s
// The short demonstration, as a user starts it: real processes, against the built package.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('demo')
const script = fileURLToPath(new URL('../../examples/demo/main.mjs', import.meta.url))

function demo(...args: string[]): Promise<{ code: number | null; lines: string[]; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args])
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, lines: output.trimEnd().split('\n'), errors }))
  })
}

test('tells its story, and every promise holds', async () => {
  const { code, lines, errors } = await demo('--quick', '--json')
  const told = `${lines.join('\n')}\n${errors}`
  assert.is(code, 0, told)
  const seen = JSON.parse(lines.at(-1)!)
  assert.equal(Object.keys(seen), [
    'sessions',
    'kept',
    'restarted',
    'countersBackwards',
    'promoteMs',
    'reason',
    'clientGapMsMax',
    'm1Cut',
    'rejoin',
    'handover',
    'stall',
  ])
  const { sessions, kept, restarted, countersBackwards } = seen
  assert.equal(
    { sessions, kept, restarted, countersBackwards },
    { sessions: 2000, kept: 2000, restarted: 0, countersBackwards: 0 },
    told,
  )
  assert.type(seen.reason, 'string')
  assert.ok(seen.promoteMs > 0 && seen.promoteMs < 5000, told)
  assert.ok(seen.clientGapMsMax > 0, told)
  assert.is(seen.m1Cut.lost, 0)
  assert.is(seen.rejoin.digestEqual, true)
  assert.is(seen.handover.lost, 0)
  assert.equal(seen.stall, { failovers: 0 })
})

test('refuses an option it does not understand', async () => {
  const { code, errors } = await demo('--flows', 'many')
  assert.is(code, 2)
  assert.match(errors, /--flows: 'many' is not a whole number/)
})

test('says what it can do', async () => {
  const { code, lines } = await demo('--help')
  assert.is(code, 0)
  assert.match(lines[0]!, /^usage: /)
})

test.run()
