// time-out: 180 s
// `npm run bench:firewall` in its smallest form, so that it cannot rot: every figure is there and every connection survives.
// Times mean nothing here. Needs what the firewall's test needs; says so where it is missing.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { missing } from '../../bench/firewall/ground.ts'

const test = suite('bench:firewall')
const PROGRAM = fileURLToPath(new URL('../../bench/firewall/main.ts', import.meta.url))

interface Figures {
  readonly sides: Readonly<
    Record<string, { readonly figures: Record<string, { readonly runs: readonly number[] }> }>
  >
}

const absent = missing(['ip', 'nft', 'conntrack', 'perl'])
if (absent !== undefined) {
  test(`SKIPPED: the firewall's bench needs ${absent}`, () => undefined)
} else {
  test('one small round of the example: every connection survives, and each figure is there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-firewall-bench-'))
    try {
      const file = join(folder, 'figures.json')
      const words = ['--import', 'tsx', PROGRAM, '--smoke', '--only', 'holdfast', '--json', file]
      const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text
        })
      const [code] = await once(child, 'close')
      assert.is(code, 0, output)
      const { sides } = JSON.parse(readFileSync(file, 'utf8')) as Figures
      const { figures } = sides.holdfast!
      for (const lost of ['machine_lost', 'process_killed']) {
        assert.equal(figures[`${lost}.survivors`]!.runs, [20], output)
        assert.equal(figures[`${lost}.wrong_bytes`]!.runs, [0], output)
      }
      for (const [name, { runs }] of Object.entries(figures))
        assert.ok(runs.length === 1 && runs.every(Number.isFinite), `${name}: ${JSON.stringify(runs)}`)
      assert.ok(figures['commit2000.commit_ms']!.runs[0]! > 0)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

test.run()
