// Makes the API reference from the docstrings: npm run docs [-- --out build/api]
// typedoc reads TypeScript by an API that the version this package is built with no longer has, so it has packages of its
// own in scripts/api, installed at the first run.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'build/api') } } })

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' })
  if (error !== undefined) console.error(`docs: ${error.message}`)
  if (status !== 0) process.exit(1)
}

const tools = join(root, 'scripts/api')
if (!existsSync(join(tools, 'node_modules/typedoc'))) {
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], tools)
}
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
// The thread is an entry for bundlers only: it exports nothing.
const entries = Object.entries(exports)
  .filter(([name, entry]) => entry.types !== undefined && name !== './thread')
  .map(([, { types }]) => types.replace('./dist/', 'src/').replace('.d.ts', '.ts'))
run(
  process.execPath,
  [
    join(tools, 'node_modules/typedoc/bin/typedoc'),
    ...[
      '--out',
      values.out,
      '--tsconfig',
      'tsconfig.build.json',
      '--name',
      'Holdfast',
      '--readme',
      'docs/README.md',
    ],
    ...[
      '--excludeInternal',
      '--excludePrivate',
      '--validation.invalidLink',
      '--validation.notExported',
      'false',
      '--treatWarningsAsErrors',
    ],
    ...['--disableSources', '--skipErrorChecking'],
    ...entries,
  ],
  root,
)
