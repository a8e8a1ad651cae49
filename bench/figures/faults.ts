// failover.false_promotions and failover.lost_after_replicated: two nodes in network namespaces under one random fault
// after another (test/system), until 200 failovers were seen. Its own process and loader: nothing is timed here.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context, Measured } from '../lib/figure.ts'

/** Of test/system/campaign.ts, as far as it is read here. */
interface Summary {
  readonly failovers: number
  readonly falsePromotions: number
  readonly heldWrites: number
  readonly lostWrites: number
  readonly hours: number
  readonly load: readonly [number, number]
  readonly kinds: Readonly<Record<string, { readonly failovers: number; readonly seconds: number }>>
}

const FAILOVERS = 200

export async function measure({ smoke, expect, note }: Context): Promise<Record<string, Measured>> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-faults-'))
  const file = join(folder, 'summary.json')
  try {
    const how = smoke ? ['--rounds', '3', '--only', 'killed'] : ['--failovers', String(FAILOVERS)]
    await campaign([...how, '--json', file], note)
    const summary = JSON.parse(readFileSync(file, 'utf8')) as Summary
    expect(summary.heldWrites > 100, 'writes were held')
    return figuresOf(summary)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What it found besides is in its output; what was lost or promoted falsely is a figure, not a failure to measure. */
function campaign(options: readonly string[], note: (text: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const program = ['--import', 'tsx', 'test/system/main.ts', ...options]
    const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.setEncoding('utf8').on('data', (text: string) => note(text.trimEnd()))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0 || code === 1) resolve()
      else reject(new Error(`the campaign ended with ${code}`))
    })
  })
}

export function figuresOf(summary: Summary): Record<string, Measured> {
  const quiet = Object.values(summary.kinds).filter(({ failovers }) => failovers === 0)
  const seconds = quiet.reduce((sum, kind) => sum + kind.seconds, 0)
  const shared = { failovers: summary.failovers, minutes: summary.hours * 60, load_max: summary.load[1] }
  return {
    'failover.false_promotions': {
      runs: [summary.falsePromotions],
      detail: { ...shared, minutes_of_faults_that_allow_none: seconds / 60 },
    },
    'failover.lost_after_replicated': {
      runs: [summary.lostWrites],
      detail: { ...shared, held_writes: summary.heldWrites },
    },
  }
}
