// What a logger is told, and that it cannot hurt the node: pino itself, and one that throws at everything.
import { createPair } from 'holdfast/testing'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, PATIENT, tables, until } from './support.ts'

const test = suite('logger')

interface Line {
  level: number
  msg: string
  [detail: string]: unknown
}

const LEVELS = { info: 30, warn: 40, error: 50 }

test('pino gets each event once, at its level, with its details and a sentence', () =>
  closing(async (opened) => {
    const lines: Line[] = []
    const logger = pino(
      { base: null },
      { write: (line: string) => void lines.push(JSON.parse(line) as Line) },
    )
    const pair = await createPair({ tables, heartbeat: { interval: 20, lost: 20 }, b: { logger } })
    opened.push(pair)
    const { a, b, m1, m2 } = pair
    const told = (level: keyof typeof LEVELS, message: RegExp, details: object) =>
      lines.filter(
        (line) =>
          line.level === LEVELS[level] &&
          message.test(line.msg) &&
          Object.entries(details).every(([name, value]) => line[name] === value),
      ).length
    await until(
      'b has told that it is synced',
      () => told('info', /^this node holds everything$/, { synced: true }) > 0,
    )
    assert.is(told('info', /^secondary in epoch \d+: /, { role: 'secondary' }), 1)
    assert.is(told('info', /^node 'a' is heard$/, { alive: true }), 1)
    m1.cut()
    await until('the cut is told', () => told('warn', /^m1 is down: /, { link: 'm1', up: false }) > 0)
    m2.cut()
    await until(
      'b leads',
      () => told('info', /^primary in epoch \d+: Nothing was heard/, { reason: 'peer-silent' }) > 0,
    )
    assert.is(told('warn', /^node 'a' is not heard any more$/, { alive: false }), 1)
    b.on('link', () => {
      throw new Error('a listener of the application')
    })
    m1.mend()
    await until(
      'what a listener throws is told',
      () => told('error', /^a listener of the application$/, {}) > 0,
    )
    await until('they have met', () => a.role === 'secondary' || b.role === 'secondary')
    assert.ok(lines.every(({ msg }) => msg.length > 0))
  }))

test('a logger that throws or rejects stops nothing', () =>
  closing(async (opened) => {
    let calls = 0
    const fail = () => {
      calls++
      throw new Error('the disk is full')
    }
    const reject = async () => {
      calls++
      throw new Error('the disk is full')
    }
    const pair = await createPair({
      tables,
      heartbeat: PATIENT,
      logger: { info: fail, warn: reject, error: fail },
    })
    opened.push(pair)
    pair.m1.cut()
    await until('the cut is told', () => !pair.a.status().links.m1.up)
    pair.a.tables.sessions.set({ id: 1 }, { count: 1 })
    assert.equal(await pair.a.replicated(), { held: true })
    await pair.a.handover()
    assert.ok(calls > 4)
  }))

test.run()
