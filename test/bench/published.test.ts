// Published figures cannot rot: README, docs/PERFORMANCE.md and the charts are what bench/results says, and every figure
// of the catalogue has been measured.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fillDocument } from '../../bench/charts/documents.ts'
import { published } from '../../bench/charts/publish.ts'
import { CATALOGUE } from '../../bench/lib/catalogue.ts'
import { LATEST, type Results } from '../../bench/lib/results.ts'
import { PEERS_FILE, readPeerResults } from '../../bench/peers/results.ts'

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const latest = JSON.parse(readFileSync(LATEST, 'utf8')) as Results

test('every figure of the catalogue is in latest.json, with its unit and target', () => {
  for (const { name, unit, target } of CATALOGUE) {
    const figure = latest.figures[name]
    assert.ok(figure, `${name} was not measured: npm run bench -- --only ${name}`)
    assert.ok(Number.isFinite(figure.value) && figure.runs.length > 0, name)
    assert.is(figure.unit, unit, name)
    assert.equal(figure.target, target ?? null, name)
  }
})

test('latest.json holds nothing that the catalogue does not know', () => {
  const known = CATALOGUE.map(({ name }) => name)
  assert.equal(
    Object.keys(latest.figures).filter((name) => !known.includes(name)),
    [],
  )
})

test('README, docs/PERFORMANCE.md and charts are written from the results', () => {
  for (const [path, text] of Object.entries(published()))
    assert.ok(read(path) === text, `${path} is not what bench/results says: npm run bench:charts`)
})

test('the figures of README and docs/PERFORMANCE.md stand in blocks', () => {
  for (const name of ['machine', 'headlines'])
    assert.ok(read('README.md').includes(`<!-- figures: ${name} -->`))
  for (const name of ['machine', 'all', 'targets', 'peers', 'peers-setup'])
    assert.ok(read('docs/PERFORMANCE.md').includes(`<!-- figures: ${name} -->`), name)
})

test('every chart that a document shows is there, and every chart is shown', () => {
  const documents = `${read('README.md')}${read('docs/PERFORMANCE.md')}`
  const charts = Object.keys(published()).filter((path) => path.endsWith('.svg'))
  for (const chart of charts) assert.ok(documents.includes(`charts/${chart.split('/').at(-1)}`), chart)
  for (const [, name] of documents.matchAll(/\((?:docs\/)?charts\/([\w-]+\.svg)\)/g))
    assert.ok(charts.includes(`docs/charts/${name}`), `${name} is shown`)
})

test('the peers were measured with as many sessions as the figures', () => {
  if (!existsSync(PEERS_FILE)) return
  const { peers } = readPeerResults(PEERS_FILE)
  for (const name of ['holdfast', 'holdfast-many', 'map']) assert.is(peers[name]!.sessions, 1_000_000, name)
})

test('a block of an unknown name is an error', () => {
  const text = '<!-- figures: nothing -->\n<!-- end -->'
  assert.throws(() => fillDocument(text, latest, undefined, {}), /nothing/)
})

test.run()
