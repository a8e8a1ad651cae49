// npm run demo: two gateways, two links that can be cut, 20,000 clients, and everything that can happen to them.
import { parseArgs } from 'node:util'
import { Cluster } from './cluster.mjs'
import { Display } from './display.mjs'
import { tell } from './story.mjs'
import { brokenPromises, summary } from './verdict.mjs'
import { within } from './wait.mjs'
import { serveWeb } from './web.mjs'

const HELP = `usage: npm run demo -- [--flows N] [--pace MS] [--quick] [--json] [--web [--port N]]
  --flows N    client flows, 1 to 1000000 (20000, or 2000 with --quick)
  --pace MS    every flow asks once in so many milliseconds (so that 10,000 ask in a second, but between
               1000 and 4000)
  --quick      fewer flows, shorter acts
  --json       the last line is one JSON object with what was seen
  --web        no story: a page on the loopback with everything that can be done to the cluster, until Ctrl-C
  --port N     where the page is (a free port)
Ends with 0 if every promise held, 1 if not, 130 when interrupted.`

const ENDS_WITHIN_MS = 58_000

const options = readOptions()
const display = new Display({ out: process.stdout, live: process.stdout.isTTY === true && !options.json })
const cluster = new Cluster(options)
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => leave(code, 'interrupted'))
}

try {
  const failed = new Promise((_, reject) => cluster.once('failed', reject))
  if (options.web) await Promise.race([serve(), failed])
  const seen = await within(ENDS_WITHIN_MS, 'the story ends', Promise.race([play(), failed]))
  display.end()
  const broken = brokenPromises(seen)
  for (const sentence of broken) display.say('BROKEN', sentence)
  if (broken.length === 0) display.say('end', 'every promise held')
  if (options.json) console.log(JSON.stringify(summary(seen)))
  leave(broken.length === 0 ? 0 : 1)
} catch (error) {
  leave(1, `${display.act}: ${error.message}`)
}

async function play() {
  display.say('demo', `${options.flows.toLocaleString('en-US')} clients, two gateways, two links`)
  display.watch(cluster)
  display.begin('start')
  await cluster.start()
  const seen = await tell(cluster, display, options)
  display.begin('stop')
  await cluster.stop()
  return seen
}

/** The page instead of the story; goes on until this process is told to end. */
async function serve() {
  display.say('demo', `${options.flows.toLocaleString('en-US')} clients, two gateways, two links`)
  display.watch(cluster)
  display.begin('start')
  await cluster.start()
  await cluster.startLoad()
  await cluster.until(30_000, 'every client has a session', () => cluster.sessions >= options.flows)
  display.say('page', await serveWeb(cluster, options.port))
  display.begin('Ctrl-C ends it')
  await new Promise(() => {})
}

/** Ends this process, and with it all that it has started. */
function leave(code, why) {
  display.end()
  if (why) console.error(`demo: ${why}`)
  process.exit(code)
}

/** Two cores carry 10,000 requests a second with all their answers, both gateways and the cables, and room for failover. */
function defaultPaceMs(flows) {
  return Math.min(Math.max(1000, Math.round(flows / 10)), 4000)
}

function readOptions() {
  const fail = (message) => {
    console.error(`${message}\n${HELP}`)
    process.exit(2)
  }
  const number = (name, text, min, max) => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    return fail(`--${name}: '${text}' is not a whole number from ${min} to ${max}`)
  }
  try {
    const { values } = parseArgs({
      options: {
        flows: { type: 'string' },
        pace: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        web: { type: 'boolean', default: false },
        port: { type: 'string', default: '0' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(HELP)
      process.exit(0)
    }
    const flows = number('flows', values.flows ?? (values.quick ? '2000' : '20000'), 1, 1_000_000)
    return {
      flows,
      paceMs: number('pace', values.pace ?? defaultPaceMs(flows), 1, 60_000),
      quick: values.quick,
      json: values.json,
      web: values.web,
      port: number('port', values.port, 0, 65_535),
    }
  } catch (error) {
    return fail(error.message)
  }
}
