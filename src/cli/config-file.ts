// A configuration that `holdfast doctor` examines: JSON, or a module that exports the options of createNode. JSON may leave
// out the tables, which are code, and may name the identity's file instead of holding it.
import { readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineTable, type NodeOptions, readIdentity } from '../index.ts'

export interface Config {
  readonly options: NodeOptions
  /** False: a table stands in for those that the file does not have. */
  readonly hasTables: boolean
  /** Files that hold a key. */
  readonly keyFiles: readonly string[]
  /** When the newest of the files was changed, ms since 1970. */
  readonly changedAt: number
}

const STAND_IN = defineTable({ name: 'none', key: { id: 'u32' }, fields: { value: 'u32' }, capacity: 1 })

export async function readConfig(file: string): Promise<Config> {
  const path = resolve(file)
  const given = /\.[cm]?[jt]s$/.test(path) ? await fromModule(path, file) : fromJson(path, file)
  const { identity } = given
  const keyFiles = holdsKey(path) ? [path] : []
  let options = given
  if (typeof identity === 'string') {
    const place = isAbsolute(identity) ? identity : join(dirname(path), identity)
    keyFiles.push(place)
    options = { ...given, identity: await readIdentity(place) }
  }
  const hasTables = given.tables !== undefined
  if (!hasTables) options = { ...options, tables: { none: STAND_IN } }
  const changedAt = Math.max(...[path, ...keyFiles].map((one) => statSync(one).mtimeMs))
  return { options: options as unknown as NodeOptions, hasTables, keyFiles, changedAt }
}

async function fromModule(path: string, file: string): Promise<Record<string, unknown>> {
  let module: { default?: unknown; options?: unknown }
  try {
    module = await import(pathToFileURL(path).href)
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
  const options = module.default ?? module.options
  if (typeof options === 'object' && options !== null) return options as Record<string, unknown>
  throw new Error(`${file}: exports neither a default nor 'options' that are the options of createNode`)
}

function fromJson(path: string, file: string): Record<string, unknown> {
  let options: unknown
  try {
    options = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`${file}: ${code === undefined ? 'not JSON' : `cannot be read (${code})`}`)
  }
  if (typeof options === 'object' && options !== null && !Array.isArray(options))
    return options as Record<string, unknown>
  throw new Error(`${file}: must be an object, the options of createNode`)
}

function holdsKey(path: string): boolean {
  return readFileSync(path, 'latin1').includes('PRIVATE KEY-----')
}
