// What a figure is, what a group of figures gives, and how a value is judged against its target.
import { median } from './statistics.ts'

/** The value a figure shall reach; undefined where it is only reported. */
export type Target = { readonly atMost: number } | { readonly atLeast: number } | undefined

export interface FigureSpec {
  readonly name: string
  readonly unit: string
  readonly target: Target
  /** File of bench/figures that measures it; figures of one group are measured in one process. */
  readonly group: string
  /** What the machine has to allow; the figure is passed over where it does not. */
  readonly needs?: 'namespaces'
}

/** What a group gives for one figure. */
export interface Measured {
  /** The single values, in the order they were measured. */
  readonly runs: readonly number[]
  /** The figure, if it is not the median of the runs. */
  readonly value?: number
  /** Numbers that help to read the figure, unit last in the name. */
  readonly detail?: Readonly<Record<string, number>>
}

/** One figure of latest.json. */
export interface Figure {
  readonly value: number
  readonly unit: string
  readonly target: Target | null
  readonly runs: readonly number[]
  readonly detail?: Readonly<Record<string, number>>
  readonly date: string
  readonly commit: string
  /** Load average of the machine over the minute before; what else ran shows in it. */
  readonly load?: number
}

/** What a group is told. */
export interface Context {
  /** Small sizes: results are checked, times mean nothing. */
  readonly smoke: boolean
  /** Whether a figure of this name is asked for. */
  wanted(name: string): boolean
  /** Says what goes on, to whoever watches. */
  note(text: string): void
  /** Ends the run if a result is wrong: what is fast and wrong is no figure. */
  expect(holds: boolean, what: string): void
}

/** What a file of bench/figures exports as `measure`. */
export type Measure = (context: Context) => Promise<Readonly<Record<string, Measured>>>

export type Verdict = 'ok' | 'MISSED' | '-'

export function judge(value: number, target: Target): Verdict {
  if (target === undefined) return '-'
  return ('atMost' in target ? value <= target.atMost : value >= target.atLeast) ? 'ok' : 'MISSED'
}

export function showTarget(target: Target): string {
  if (target === undefined) return '-'
  return 'atMost' in target ? `<= ${target.atMost}` : `>= ${target.atLeast}`
}

/** Four significant digits: more would only pretend. */
export function rounded(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : value
}

export function toFigure(
  spec: FigureSpec,
  measured: Measured,
  { date, commit, load }: { readonly date: string; readonly commit: string; readonly load: number },
): Figure {
  const detail = Object.entries(measured.detail ?? {}).map(([name, value]) => [name, rounded(value)])
  return {
    value: rounded(measured.value ?? median(measured.runs)),
    unit: spec.unit,
    target: spec.target ?? null,
    runs: measured.runs.map(rounded),
    ...(detail.length > 0 ? { detail: Object.fromEntries(detail) } : {}),
    date,
    commit,
    load: rounded(load),
  }
}
