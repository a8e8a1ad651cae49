// Keyv's own suite (scripts/suites.mjs) under uvu: it wants a runner with `it`, hooks and an `expect`, which is this shim.
import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'

const FOLDER = fileURLToPath(new URL('../../build/suites/keyv5', import.meta.url))
export const PASSED_OVER = 'not fetched: run `node scripts/suites.mjs`'

type Body = (t: { expect: (value: unknown) => object }) => unknown
interface Runner {
  it(name: string, body: Body): void
  beforeEach(body: Body): void
  afterEach(body: Body): void
}
type Tests = (runner: Runner, Keyv: unknown, store: () => unknown) => void
export interface KeyvSuite {
  default: Tests
  keyvApiTests: Tests
  keyvValueTests: Tests
  keyvNamespaceTest: Tests
  keyvIteratorTests: Tests
}

/** Undefined where it has not been fetched. */
export async function keyvSuite(): Promise<KeyvSuite | undefined> {
  const path = `${FOLDER}/node_modules/@keyv/test-suite/dist/index.js`
  return existsSync(path) ? await import(pathToFileURL(path).href) : undefined
}

function matchers(value: unknown) {
  const said = (matcher: string, holds: boolean, other?: unknown) =>
    assert.ok(holds, `expected ${String(value)} ${matcher} ${String(other ?? '')}`)
  return {
    toBe: (other: unknown) => said('to be', Object.is(value, other), other),
    toEqual: (other: unknown) => assert.equal(value, other),
    toBeTruthy: () => said('to be truthy', Boolean(value)),
    toBeFalsy: () => said('to be falsy', !value),
    toBeUndefined: () => said('to be undefined', value === undefined),
    toBeDefined: () => said('to be defined', value !== undefined),
    toBeNull: () => said('to be null', value === null),
  }
}

/** Registers a part of the suite; hooks count for that part only. Gives how many tests it has. */
export function register(test: Test, tests: Tests, Keyv: unknown, store: () => unknown): number {
  const before: Body[] = []
  const after: Body[] = []
  let count = 0
  const runner: Runner = {
    beforeEach: (body) => before.push(body),
    afterEach: (body) => after.push(body),
    it(name, body) {
      count++
      test(name, async () => {
        let demanded: number | undefined
        let asserted = 0
        const expect = (value: unknown) => {
          asserted++
          return matchers(value)
        }
        const t = { expect: Object.assign(expect, { assertions: (n: number) => void (demanded = n) }) }
        for (const hook of before) await hook(t)
        await body(t)
        for (const hook of after) await hook(t)
        if (demanded !== undefined) assert.is(asserted, demanded, 'assertions made')
      })
    },
  }
  tests(runner, Keyv, store)
  return count
}
