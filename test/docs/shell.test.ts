// The commands of the documentation exist: scripts of package.json, files given to node, binaries given to npx, and
// otherwise nothing but what is listed here with where it comes from. Blocks of other languages are listed too, each with
// the reason why this folder does not check it.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Block, blocksOf, filesOf, pages, root, textOf } from './pages.ts'

const test = suite('commands of the documentation')

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
  bin?: Record<string, string>
}

/** Not from this repository. */
const SYSTEM: Record<string, string> = {
  cat: 'coreutils',
  cd: 'shell',
  chmod: 'coreutils',
  curl: 'curl',
  export: 'shell',
  kill: 'shell',
  mkdir: 'coreutils',
  openssl: 'openssl',
  'apt-get': 'Debian',
  systemctl: 'systemd',
  kubectl: 'Kubernetes',
  git: 'git',
  sleep: 'coreutils',
  ssh: 'OpenSSH',
  deno: 'a runtime',
  bun: 'a runtime',
}

/** What is neither TypeScript, JavaScript nor shell, by page and language. */
const ELSEWHERE: Record<string, string> = {
  'README.md text': 'what `npm run demo` printed; test/demo holds the program',
  'docs/DEPLOYING.md ini': 'a unit file for systemd; only read',
  'docs/DEPLOYING.md yaml': 'a manifest for Kubernetes; only read',
  'docs/GETTING-STARTED.md text': 'what its commands print, by test/package/getting-started.test.ts',
  'docs/SIZING.md text': 'what its block prints, by test/docs/programs.test.ts',
  'docs/FENCING.md sql': 'run against SQLite by test/fencing/recipes.test.ts',
  'docs/FENCING.md lua': 'run against Redis by test/fencing/recipes.test.ts',
}

const CODE = ['ts', 'js', 'sh', 'json']

const NPM_OWN = ['ci', 'i', 'install', 'init', 'pack', 'test']

test('a script that a page names is in package.json', () => {
  for (const page of pages()) {
    for (const [, name] of textOf(page).matchAll(/\bnpm run (?:--silent |-s )?([a-z][\w:]*)/g)) {
      assert.ok(name! in manifest.scripts, `${page}: npm run ${name}`)
    }
  }
})

test('every command of a shell block exists', () => {
  for (const page of pages()) {
    for (const block of blocksOf(page).filter(({ language }) => language === 'sh')) {
      for (const command of commands(block.code)) {
        assert.is(missing(command, block), undefined, `${page}:${block.line}: ${command}`)
      }
    }
  }
})

/** Simple commands of a script: lines joined at their backslashes, split at operators, without what a shell adds. */
function commands(code: string): string[] {
  return code
    .replace(/\\\n/g, ' ')
    .replace(/<<'?(\w+)'?[\s\S]*?^\1$/gm, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .flatMap((line) => line.split(/&&|\|\||[;|&]/))
    .map((command) =>
      command
        .trim()
        .replace(/^(do|then|else|until|sudo)\s+/, '')
        .replace(/^(\w+=\S*\s+)+/, ''),
    )
    .filter((command) => command !== '' && !/^(for|do$|done|if|fi|while|until(?= \[))\b/.test(command))
}

function missing(command: string, { page }: Block): string | undefined {
  const [name = '', ...rest] = command.split(/\s+/)
  const [first = ''] = rest.filter((word) => !word.startsWith('-'))
  if (name in SYSTEM) return undefined
  if (name === 'npm') return NPM_OWN.includes(first) || first === 'run' ? undefined : 'no such npm command'
  if (name === 'node') return isFile(first, page) ? undefined : 'no such file'
  if (name === 'npx') return isBinary(first) ? undefined : 'no such binary'
  return isBinary(name) ? undefined : 'neither here nor in SYSTEM'
}

/** Of the page's program, beside the page, or from the root. */
function isFile(path: string, page: string): boolean {
  return [dirname(page), '.'].some((from) => existsSync(join(root, from, path))) || filesOf(page).has(path)
}

const isBinary = (name: string) =>
  name in (manifest.bin ?? {}) || existsSync(join(root, 'node_modules/.bin', name))

test('a block of another language says where it is checked', () => {
  const listed = new Set<string>()
  for (const page of pages()) {
    for (const { language, line } of blocksOf(page)) {
      if (CODE.includes(language)) continue
      const place = `${page} ${language}`
      assert.ok(place in ELSEWHERE, `${page}:${line}: a block of '${language}' is listed in ELSEWHERE`)
      listed.add(place)
    }
  }
  assert.equal([...listed].sort(), Object.keys(ELSEWHERE).sort())
})

test('JSON blocks are JSON', () => {
  for (const { code, language } of pages().flatMap(blocksOf)) if (language === 'json') JSON.parse(code)
})

test.run()
