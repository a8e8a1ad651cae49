// holdfast doctor: a configuration held against the machine it is for and the peer it names, with what to do.
import { ConfigError, probePeer } from '../index.ts'
import { VERSION } from '../version.ts'
import { type Command, numberOf, parse, UsageError } from './command.ts'
import { readConfig } from './config-file.ts'
import { Findings, print } from './findings.ts'
import { checkAddresses, checkAdmin, checkClock, checkIdentity, checkStateDir } from './machine-checks.ts'
import { checkPeer } from './peer-checks.ts'

const NODE_LEAST = [20, 19] as const

const HELP = `usage: holdfast doctor CONFIG [--timeout MS] [--json]

Holds a configuration against this machine and against the peer it names: options, addresses and ports of both
links, identity, clock, state directory; whether the peer can be reached on each link from this address, is
trusted and trusts, how long it takes, and whether what it says of itself fits. It may be run beside a running
node, which it does not disturb.

CONFIG is JSON, or a module (.mjs) whose default export, or whose export 'options', is what createNode takes. In
JSON 'identity' may be a file's name, and 'tables' may be missing. A module is run: it should start nothing.

  --timeout MS    of each step with the peer, 10 to 60000 (2000)
  --json          the findings as JSON
Ends with 0, or with 1 if anything says FAIL.`

const OPTIONS = {
  timeout: { type: 'string', default: '2000' },
  json: { type: 'boolean', default: false },
} as const

export const doctor: Command = {
  summary: 'a configuration held against this machine and its peer',
  help: HELP,
  async run(args, terminal) {
    const { values, positionals } = parse(args, OPTIONS)
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new UsageError('give one configuration')
    const timeout = numberOf('timeout', values.timeout, 10, 60_000)
    const findings = new Findings()
    checkRuntime(findings)
    await examine(file, timeout, findings)
    if (values.json)
      terminal.out(JSON.stringify({ ok: !findings.hasFailed, findings: findings.all }, null, 2))
    else {
      print(findings, terminal)
      const [fails, warnings] = [findings.count('fail'), findings.count('warn')]
      const many = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
      terminal.out(`\n${many(fails, 'failure')}, ${many(warnings, 'warning')}`)
    }
    return findings.hasFailed ? 1 : 0
  },
}

function checkRuntime(findings: Findings): void {
  const { bun, deno, node } = process.versions as NodeJS.ProcessVersions & { deno?: string; bun?: string }
  const name = bun !== undefined ? `Bun ${bun}` : deno !== undefined ? `Deno ${deno}` : `Node ${node}`
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const isOld =
    bun === undefined &&
    deno === undefined &&
    (major < NODE_LEAST[0] || (major === NODE_LEAST[0] && minor < NODE_LEAST[1]))
  if (isOld) findings.add('fail', 'runtime', name, `install Node ${NODE_LEAST.join('.')} or later`)
  else findings.add('ok', 'runtime', `${name}, holdfast ${VERSION}`)
}

async function examine(file: string, timeout: number, findings: Findings): Promise<void> {
  let config: Awaited<ReturnType<typeof readConfig>>
  try {
    config = await readConfig(file)
  } catch (error) {
    findings.add('fail', 'configuration', (error as Error).message, 'correct the file')
    return
  }
  const { options, hasTables, keyFiles, changedAt } = config
  let peer: Awaited<ReturnType<typeof probePeer>>
  try {
    peer = await probePeer(options, { timeout })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    findings.add('fail', 'options', error.message, 'correct this option; createNode refuses it likewise')
    return
  }
  findings.add(
    'ok',
    'options',
    `node '${options.id}', peer '${options.peer}'${hasTables ? '' : '; no tables in the file'}`,
  )
  checkIdentity(options.identity, keyFiles, findings)
  checkClock(changedAt, findings)
  checkStateDir(options.stateDir, findings)
  await checkAddresses(options.links, findings)
  await checkAdmin(options.admin, findings)
  for (const name of ['m1', 'm2'] as const) checkPeer(name, peer[name], options, hasTables, findings)
}
