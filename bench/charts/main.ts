// `npm run bench:charts`: draws the charts of docs/charts and writes the figures of README and docs/PERFORMANCE.md from
// bench/results. The benches do the same when they have written their results.
import { publish } from './publish.ts'

const changed = publish()
console.log(changed.length > 0 ? changed.map((path) => `wrote ${path}`).join('\n') : 'nothing has changed')
