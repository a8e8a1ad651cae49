// time-out: 240 s
// The benchmarks cannot rot: all of them run in small, and what they check must hold. Times mean nothing here.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CATALOGUE, lacking, select } from '../../bench/lib/catalogue.ts'
import { judge } from '../../bench/lib/figure.ts'
import type { Results } from '../../bench/lib/results.ts'
import { median, quantile } from '../../bench/lib/statistics.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const smoke = suite('bench')

interface Ended {
  readonly code: number | null
  readonly output: string
}

function bench(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...args], { cwd: root })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.on('close', (code) => resolve({ code, output }))
  })
}

function inFolder<T>(use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  return use(join(folder, 'figures.json')).finally(() => rmSync(folder, { recursive: true }))
}

smoke('every figure of the catalogue is measured in small, with right results', async () => {
  await inFolder(async (file) => {
    const { code, output } = await bench('--smoke', '--json', file)
    assert.is(code, 0, output)
    const { machine, runtime, figures } = JSON.parse(readFileSync(file, 'utf8')) as Results
    const able = CATALOGUE.filter((spec) => lacking(spec) === undefined)
    assert.equal(
      Object.keys(figures),
      able.map(({ name }) => name),
    )
    for (const { name, unit, target } of able) {
      const figure = figures[name]!
      assert.ok(Number.isFinite(figure.value) && figure.runs.length > 0, name)
      assert.is(figure.unit, unit)
      assert.equal(figure.target, target ?? null)
      assert.ok(output.includes(name), `${name} is printed`)
    }
    assert.equal(Object.keys(machine), ['cpu', 'cores', 'memoryGib', 'kernel'])
    assert.is(runtime, `node ${process.version}`)
  })
})

smoke('--only measures what it names and leaves the other figures of the file alone', async () => {
  await inFolder(async (file) => {
    const old = {
      value: 1,
      unit: 'B',
      target: null,
      runs: [1],
      date: '2020-01-01T00:00:00.000Z',
      commit: 'old',
    }
    const before = { figures: { 'wire.update.bytes': old, 'a.figure.of.later': old } }
    writeFileSync(file, JSON.stringify(before))
    const { code, output } = await bench('--smoke', '--json', file, '--only', 'wire.delete')
    assert.is(code, 0, output)
    const { figures } = JSON.parse(readFileSync(file, 'utf8')) as Results
    assert.equal(Object.keys(figures), ['wire.update.bytes', 'wire.delete.bytes', 'a.figure.of.later'])
    assert.equal(figures['wire.update.bytes'], old)
    assert.not.equal(figures['wire.delete.bytes']!.commit, 'old')
  })
})

smoke('a figure that does not exist is an error, not an empty run', async () => {
  const { code, output } = await bench('--only', 'table.nothing')
  assert.is(code, 2)
  assert.match(output, /--only table\.nothing/)
})

smoke('--help names every option', async () => {
  const { code, output } = await bench('--help')
  assert.is(code, 0)
  for (const option of ['--only', '--smoke', '--json', '--help']) assert.ok(output.includes(option), option)
})

smoke('a name is that figure alone; a beginning is all that begin so', () => {
  const names = (word: string) => select([word]).map(({ name }) => name)
  assert.equal(names('table.update.vs_map'), ['table.update.vs_map'])
  assert.equal(names('table.update.'), ['table.update.vs_map', 'table.update.vs_map_prebuilt'])
  assert.is(select([]).length, CATALOGUE.length)
})

smoke('medians, quantiles and verdicts are what they should be', () => {
  assert.is(median([3, 1, 2]), 2)
  assert.is(median([4, 1, 2, 3]), 2.5)
  assert.is(quantile([1, 2, 3, 4, 5], 1), 5)
  assert.is(quantile([0, 100], 0.99), 99)
  assert.is(judge(2.5, { atMost: 2.5 }), 'ok')
  assert.is(judge(2.6, { atMost: 2.5 }), 'MISSED')
  assert.is(judge(3.9, { atLeast: 4 }), 'MISSED')
  assert.is(judge(1, undefined), '-')
})

smoke.run()
