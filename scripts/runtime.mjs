// Runs test/runtime under another runtime: node scripts/runtime.mjs deno|bun|node
// Each file in a process of its own, under a time-out, against the built package.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const TIMEOUT_S = 120
const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name)

const RUNTIMES = {
  node: [process.execPath],
  deno: [bin('deno'), 'run', '--allow-all', '--no-prompt'],
  bun: [bin('bun')],
}

const [name, ...filters] = process.argv.slice(2)
const command = RUNTIMES[name]
if (command === undefined) {
  console.error(
    `usage: node scripts/runtime.mjs ${Object.keys(RUNTIMES).join('|')} [part of a file's name]...`,
  )
  process.exit(2)
}
if (!existsSync(command[0])) {
  console.error(`${name} is not installed: npm ci brings it as a development dependency`)
  process.exit(1)
}

const files = readdirSync(join(root, 'test/runtime'))
  .filter((file) => file.endsWith('.test.mjs'))
  .filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)))
  .sort()
const sum = { passed: 0, failed: 0 }
for (const file of files) {
  const { output, code, timedOut } = await run(join('test/runtime', file))
  const last = (word) =>
    Number([...output.matchAll(new RegExp(`^ {2}${word}: +(\\d+)`, 'gm'))].at(-1)?.[1] ?? 0)
  const [total, passed] = [last('Total'), last('Passed')]
  const failed = Math.max(total - passed, code === 0 && total > 0 ? 0 : 1)
  sum.passed += passed
  sum.failed += failed
  const why = timedOut ? `  timed out after ${TIMEOUT_S} s` : ''
  console.log(`${failed > 0 ? 'FAIL' : 'ok  '} ${name} ${file}  ${passed}/${total}${why}`)
  for (const line of output.split('\n')) if (failed > 0 || line.includes(' ms')) console.log(`    ${line}`)
}
if (files.length === 0) sum.failed = 1
console.log(`${sum.passed} passed, ${sum.failed} failed`)
process.exitCode = sum.failed > 0 ? 1 : 0

function run(file) {
  return new Promise((resolve) => {
    const child = spawn(command[0], [...command.slice(1), file], {
      cwd: root,
      // Strangers in a test are Node, whatever the runtime under test.
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', HOLDFAST_NODE: process.execPath },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a time-out also ends what the test has started.
      detached: true,
    })
    let output = ''
    let timedOut = false
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        output += chunk
      })
    }
    const timer = setTimeout(() => {
      timedOut = true
      process.kill(-child.pid, 'SIGKILL')
    }, TIMEOUT_S * 1000)
    child.on('close', (code) => {
      clearTimeout(timer)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
      resolve({ output: output.replace(/\x1b\[[0-9;]*m/g, ''), code, timedOut })
    })
  })
}
