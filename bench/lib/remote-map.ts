// Two Map programs in processes of their own, the second kept like the first: what figures compare Holdfast with.
import type { MapMethods } from './map-process.ts'
import { RemoteProcess } from './remote-process.ts'

export interface MapPair {
  readonly primary: RemoteProcess<MapMethods>
  readonly secondary: RemoteProcess<MapMethods>
}

export const startMapProcess = () => new RemoteProcess<MapMethods>('map-process.js')

/** Starts both with the same sessions, gives them to `use`, and ends them. */
export async function withMapPair<T>(sessions: number, use: (pair: MapPair) => Promise<T>): Promise<T> {
  const primary = startMapProcess()
  const secondary = startMapProcess()
  try {
    await Promise.all([primary.call('fill', sessions), secondary.call('fill', sessions)])
    await primary.call('connect', await secondary.call('listen'))
    return await use({ primary, secondary })
  } finally {
    await Promise.all([primary.end(), secondary.end()])
  }
}
