// Charts and documents from the results: what `npm run bench:charts` writes, and what a test compares with what is there.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LATEST, type Results } from '../lib/results.ts'
import { PEERS_FILE, readPeerResults } from '../peers/results.ts'
import { drawCharts } from './charts.ts'
import { fillDocument } from './documents.ts'

const CHARTS = 'docs/charts'
const DOCUMENTS = ['README.md', 'docs/PERFORMANCE.md']

const place = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** Every published file as it has to be, by its path from the root. */
export function published(): Record<string, string> {
  const results = JSON.parse(readFileSync(LATEST, 'utf8')) as Results
  const peers = existsSync(PEERS_FILE) ? readPeerResults(PEERS_FILE) : undefined
  const files: Record<string, string> = {}
  const charts = drawCharts(results.figures, peers)
  for (const [name, svg] of Object.entries(charts)) files[`${CHARTS}/${name}.svg`] = svg
  for (const path of DOCUMENTS) {
    const paths = Object.keys(charts).map((name) => [
      name,
      posix.relative(posix.dirname(path), `${CHARTS}/${name}.svg`),
    ])
    files[path] = fillDocument(readFileSync(place(path), 'utf8'), results, peers, Object.fromEntries(paths))
  }
  return files
}

/** Gives the paths of the files that changed. */
export function publish(): string[] {
  const changed: string[] = []
  for (const [path, text] of Object.entries(published())) {
    const file = place(path)
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    changed.push(path)
  }
  return changed
}
