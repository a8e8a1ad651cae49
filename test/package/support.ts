// What the tests of the package share: the tarball as `npm pack` makes it, projects it is installed into, the runtimes,
// processes that are watched by what they print.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freeAddress, makeIdentity } from '../../src/testing/index.ts'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** Without colours; Deno takes any FORCE_COLOR for a yes. */
const { FORCE_COLOR, ...environment } = process.env
const PLAIN = { ...environment, NO_COLOR: '1' }

const folders: string[] = []
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-package-'))
  folders.push(folder)
  return folder
}

/** Runs a command to its end; throws what it printed when it fails. */
export function run(command: string, args: readonly string[], cwd: string, env: object = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...PLAIN, ...env },
    maxBuffer: 1 << 26,
  })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${error ?? ''}\n${stdout}\n${stderr}`)
}

let tarball: string | undefined

/** The packed package; packed once. The build must be fresh: `npm run test:package` sees to it. */
export function packed(): string {
  if (tarball === undefined) {
    const folder = temporary()
    const json = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root)
    const [{ filename }] = JSON.parse(json) as [{ filename: string }]
    tarball = join(folder, filename)
  }
  return tarball
}

/** A new, empty project with these files, into which the tarball and what else is named is installed. */
export function project(files: Readonly<Record<string, string>>, ...packages: readonly string[]): string {
  const folder = temporary()
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }))
  write(folder, files)
  install(folder, packed(), ...packages)
  return folder
}

export function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

export function install(folder: string, ...packages: readonly string[]): void {
  run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', ...packages],
    folder,
  )
}

const repositoryBinary = (name: string) => join(root, 'node_modules/.bin', name)

export interface Runtime {
  readonly name: string
  /** The command in front of a script. */
  readonly command: readonly string[]
  /** Whether it runs TypeScript as it is. */
  readonly runsTypes: boolean
}

/** This Node, those of other lines (their binaries come as packages), Deno and Bun. */
export function runtimes(majors: readonly number[] = [22, 24, 26]): Runtime[] {
  const found: Runtime[] = [
    { name: `node ${process.versions.node}`, command: [process.execPath], runsTypes: false },
  ]
  for (const major of majors) {
    const binary = nodeBinary(major)
    if (binary === undefined)
      console.log(`Node ${major}: no binary for ${process.platform}-${process.arch}, not tried`)
    else found.push({ name: `node ${major}`, command: [binary], runsTypes: true })
  }
  for (const [name, ...args] of [['deno', 'run', '--allow-all', '--no-prompt'], ['bun']] as const) {
    const binary = repositoryBinary(name)
    if (!existsSync(binary)) console.log(`${name}: not installed, not tried`)
    else found.push({ name, command: [binary, ...args], runsTypes: true })
  }
  return found
}

let binaries: string | undefined

/** Node of another line, from the package that carries its binary; undefined where there is none. */
export function nodeBinary(major: number): string | undefined {
  const name = `node-${process.platform}-${process.arch}`
  binaries ??= temporary()
  const folder = join(binaries, String(major))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  try {
    install(folder, `${name}@${major}`)
  } catch (error) {
    if (/ETARGET|E404|EBADPLATFORM/.test(String(error))) return undefined
    throw error
  }
  return join(folder, 'node_modules', name, 'bin/node')
}

/** An environment in which `node` is that binary. */
export const withNode = (binary: string): object => ({
  PATH: `${dirname(binary)}${delimiter}${process.env.PATH}`,
})

/** A process that is watched by its lines. */
export class Watched {
  readonly child: ChildProcess
  output = ''
  /** It has ended, and all that it said is here. */
  ended = false
  #looks: (() => void)[] = []

  constructor(command: readonly string[], cwd: string, env: object = {}) {
    const [file = '', ...args] = command
    this.child = spawn(file, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...PLAIN, ...env },
    })
    const take = (chunk: Buffer) => {
      this.output += chunk
      for (const look of this.#looks.splice(0)) look()
    }
    this.child.stdout!.on('data', take)
    this.child.stderr!.on('data', take)
    // Not 'exit', which may come before the last words.
    this.child.on('close', () => {
      this.ended = true
      take(Buffer.from(''))
    })
    this.child.on('error', (error) => take(Buffer.from(String(error))))
  }

  /** Resolves when it has printed what matches; rejects when it ends before, or after the bound. */
  says(pattern: RegExp, boundMs = 60_000): Promise<RegExpExecArray> {
    return this.#wait(() => pattern.exec(this.output) ?? undefined, `says ${pattern}`, boundMs, true)
  }

  /** Its exit code. */
  async ends(boundMs = 60_000): Promise<number | null> {
    await this.#wait(() => (this.ended ? true : undefined), 'ends', boundMs, false)
    return this.child.exitCode
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal)
  }

  #wait<T>(look: () => T | undefined, what: string, boundMs: number, alive: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${what}: ${why}\n${this.output}`))
      const timer = setTimeout(() => fail(`not within ${boundMs} ms`), boundMs)
      const again = () => {
        const found = look()
        if (found === undefined && !(alive && this.ended)) return void this.#looks.push(again)
        clearTimeout(timer)
        if (found === undefined) fail(`it ended with ${this.child.exitCode ?? this.child.signalCode}`)
        else resolve(found)
      }
      again()
    })
  }
}

/** Files of two nodes: the options of each that differ from machine to machine, with identities and free addresses. */
export async function places(): Promise<Record<'a' | 'b', { links: object; identity: object }>> {
  const addresses = await Promise.all([1, 2, 3, 4].map(freeAddress))
  const [a, b] = await Promise.all(['a', 'b'].map(makeIdentity))
  const [a1, a2, b1, b2] = addresses as [string, string, string, string]
  return {
    a: {
      links: { m1: { listen: a1, peer: b1 }, m2: { listen: a2, peer: b2 } },
      identity: { ...a!, trust: [b!.cert] },
    },
    b: {
      links: { m1: { listen: b1, peer: a1 }, m2: { listen: b2, peer: a2 } },
      identity: { ...b!, trust: [a!.cert] },
    },
  }
}
