// time-out: 300 s
// A seed is the same run everywhere: its trace hash is equal on Node, Deno and Bun.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runs } from '../support/seed.ts'
import { ROOT } from './mutant-tree.ts'

const SEEDS = 36
const FROM = process.env.HOLDFAST_SEED ?? '1'
const SCRIPT = join(ROOT, 'test/sim/hashes.ts')
const bin = (name: string) => join(ROOT, 'node_modules/.bin', name)

const RUNTIMES: Record<string, readonly string[]> = {
  node: [process.execPath, '--import', 'tsx'],
  deno: [bin('deno'), 'run', '--allow-all', '--no-prompt'],
  bun: [bin('bun')],
}

/** Lines of seed, trace hash, events and finding. */
function hashesOn(runtime: string): Promise<string[]> {
  const [command, ...args] = RUNTIMES[runtime]!
  assert.ok(existsSync(command!), `${runtime} is not installed: npm ci brings it`)
  return new Promise((resolve, reject) => {
    const child = spawn(command!, [...args, SCRIPT, FROM, `${runs(SEEDS)}`], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text
    })
    child.on('close', (code) => {
      if (code === 0) resolve(output.trim().split('\n'))
      else reject(new Error(`${runtime} ended with ${code}:\n${errors}`))
    })
  })
}

const runtimes = suite('runtimes')

runtimes('make the same run of the same seed', async () => {
  const node = await hashesOn('node')
  assert.is(node.length, runs(SEEDS))
  for (const runtime of ['deno', 'bun']) {
    const other = await hashesOn(runtime)
    for (const [i, line] of node.entries())
      assert.is(other[i], line, `${runtime}, seed ${line.split(' ')[0]}`)
  }
})

runtimes.run()
