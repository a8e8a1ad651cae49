// The suite for session stores, tried on stores that are not ours: MemoryStore passes, and each planted fault is found by
// the test that is there for it.
import session, { type SessionData } from 'express-session'
import { type StoreUnderTest, sessionStoreSuite } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('session-store-suite')

sessionStoreSuite(test, { create: () => new session.MemoryStore(), lateMs: 200 })

type Done = (error?: unknown) => void
type Sessions = { sessions: Record<string, string> }

/** Names of the tests a store does not pass. */
async function failing(create: () => StoreUnderTest): Promise<string[]> {
  const tests: { name: string; run: () => Promise<void> }[] = []
  sessionStoreSuite((name, run) => tests.push({ name, run }), { create, lateMs: 200 })
  const failed = await Promise.all(
    tests.map(({ name, run }) =>
      run().then(
        () => undefined,
        () => name,
      ),
    ),
  )
  return failed.filter((name) => name !== undefined)
}

class TouchWrites extends session.MemoryStore {
  override touch(sid: string, given: SessionData, done?: () => void) {
    if ((this as unknown as Sessions).sessions[sid] !== undefined) this.set(sid, given, done)
    else setImmediate(() => done?.())
  }
}
class TouchCreates extends session.MemoryStore {
  override touch(sid: string, given: SessionData, done?: () => void) {
    if ((this as unknown as Sessions).sessions[sid] === undefined) this.set(sid, given, done)
    else super.touch!(sid, given, done as () => void)
  }
}
class TouchForgets extends session.MemoryStore {
  override touch(_sid: string, _given: SessionData, done?: () => void) {
    setImmediate(() => done?.())
  }
}
class NeverExpires extends session.MemoryStore {
  override set(sid: string, given: SessionData, done?: Done) {
    const cookie = { ...given.cookie, expires: new Date(Date.now() + 3_600_000) }
    super.set(sid, { ...given, cookie } as unknown as SessionData, done)
  }
}
class ExpiresEarly extends session.MemoryStore {
  override set(sid: string, given: SessionData, done?: Done) {
    const date = given.cookie.expires
    const expires = date && new Date(date.getTime() - 300)
    super.set(sid, { ...given, cookie: { ...given.cookie, expires } } as SessionData, done)
  }
}
class Merges extends session.MemoryStore {
  override set(sid: string, given: SessionData, done?: Done) {
    const old = (this as unknown as Sessions).sessions[sid]
    super.set(sid, old === undefined ? given : { ...JSON.parse(old), ...given }, done)
  }
}
class Shares extends session.MemoryStore {
  readonly shared = new Map<string, SessionData>()
  override set(sid: string, given: SessionData, done?: Done) {
    this.shared.set(sid, given)
    super.set(sid, given, done)
  }
  override get(sid: string, done: (error: unknown, found?: SessionData | null) => void) {
    super.get(sid, (error, found) => done(error, found && this.shared.get(sid)))
  }
}
class CallsTwice extends session.MemoryStore {
  override destroy(sid: string, done?: Done) {
    super.destroy(sid, done)
    setImmediate(() => done?.())
  }
}
class CallsAtOnce extends session.MemoryStore {
  override set(sid: string, given: SessionData, done?: Done) {
    super.set(sid, given)
    done?.()
  }
}
class Keeps extends session.MemoryStore {
  override destroy(_sid: string, done?: Done) {
    setImmediate(() => done?.())
  }
}
class Fails extends session.MemoryStore {
  override get(sid: string, done: (error: unknown, found?: SessionData | null) => void) {
    super.get(sid, (error, found) => done(error ?? (found ? null : new Error('no such session')), found))
  }
}
class FoldsCase extends session.MemoryStore {
  override set(sid: string, given: SessionData, done?: Done) {
    super.set(sid.toLowerCase(), given, done)
  }
  override get(sid: string, done: (error: unknown, found?: SessionData | null) => void) {
    super.get(sid.toLowerCase(), done)
  }
}
class Cuts extends session.MemoryStore {
  override set(sid: string, given: SessionData, done?: Done) {
    const cut = (_: string, value: unknown) => (typeof value === 'string' ? value.slice(0, 4096) : value)
    super.set(sid, JSON.parse(JSON.stringify(given, cut)), done)
  }
}
class Miscounts extends session.MemoryStore {
  override length(done: (error: unknown, length?: number) => void) {
    super.length!((error, length) => done(error, length && length + 1))
  }
}

const FAULTS: [new () => StoreUnderTest, string][] = [
  [TouchWrites, 'touch leaves what another request has written'],
  [TouchCreates, 'touch makes no session'],
  [TouchForgets, 'touch lets a session live on'],
  [NeverExpires, 'a session is found until its cookie expires, and not much longer'],
  [ExpiresEarly, 'a session is found until its cookie expires, and not much longer'],
  [Merges, 'set replaces the session whole'],
  [Shares, 'what was stored is a copy'],
  [CallsTwice, 'destroy ends a session, and one that is not there without an error'],
  [CallsAtOnce, 'get gives what set stored'],
  [Keeps, 'destroy ends a session, and one that is not there without an error'],
  [Fails, 'get of an id there is not gives no session and no error but ENOENT'],
  [FoldsCase, 'sessions do not mix, whatever their ids and however many are stored at once'],
  [Cuts, 'a session of 65536 characters comes back whole'],
  [Miscounts, 'all, length and clear agree with each other, where there are any'],
]

for (const [Faulty, name] of FAULTS) {
  test(`a store that has a fault is found: ${Faulty.name}`, async () => {
    const failed = await failing(() => new Faulty())
    assert.ok(failed.includes(name), `failed: ${failed.join('; ') || 'none'}`)
  })
}

test('a store with the required methods only passes', async () => {
  class Least extends session.MemoryStore {}
  for (const name of ['touch', 'all', 'length', 'clear'])
    Object.defineProperty(Least.prototype, name, { value: undefined })
  assert.equal(await failing(() => new Least()), [])
})

test.run()
