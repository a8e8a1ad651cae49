// The checks behind the options of what a node keeps on disk.
import { resolve } from 'node:path'
import { checkNames, isObject, number, refusal } from './option-kinds.ts'

export interface SnapshotSettings {
  readonly intervalMs: number
  readonly unusable: 'reject' | 'empty'
}

const INTERVAL_MS = { least: 1_000, most: 86_400_000, usual: 60_000 } as const

export function checkStateDir(path: unknown): string | undefined {
  if (path === undefined) return undefined
  if (typeof path !== 'string' || path === '') throw refusal('stateDir', path, 'the path of a directory')
  return resolve(path)
}

export function checkSnapshot(given: unknown, stateDir: unknown): SnapshotSettings | undefined {
  if (given === undefined) return undefined
  if (!isObject(given)) throw refusal('snapshot', given, 'an object with interval and unusable')
  checkNames('snapshot', given, ['interval', 'unusable'])
  if (stateDir === undefined) throw refusal('snapshot', given, 'only together with stateDir')
  const { interval = INTERVAL_MS.usual, unusable = 'reject' } = given
  if (unusable !== 'reject' && unusable !== 'empty') {
    throw refusal('snapshot.unusable', unusable, "'reject' or 'empty'")
  }
  return { intervalMs: number('snapshot.interval', interval, INTERVAL_MS.least, INTERVAL_MS.most), unusable }
}
