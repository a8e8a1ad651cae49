// What every adapter stands on: the part of a node it uses, the table it was given, and when a write is answered.
import {
  type Alone,
  ConfigError,
  type Listener,
  type Role,
  type TableDefinition,
  ValueError,
} from '../index.ts'

/** The part of a node that adapters use; what `createNode` gives has it. */
export interface AdapterNode {
  readonly role: Role
  on(name: 'role', listener: Listener<'role'>): unknown
  replicated(options: { readonly alone: Alone }): Promise<{ held: boolean }>
}

/** When a write is answered. */
export interface HeldOptions {
  /**
   * Whether a write is answered only when the secondary holds it, so that what was answered survives the loss of this
   * node: about a millisecond on a quick link. Default false.
   */
  readonly held?: boolean
  /**
   * With `held`, what a write does without a synced secondary, as in `node.replicated()`: 'resolve' (default) is answered
   * all the same, 'reject' fails with NotProtectedError though it is done here, 'wait' is answered once there is one.
   */
  readonly alone?: Alone
}

/** Resolves when a write may be answered; undefined: at once. */
export type Answer = () => Promise<unknown> | undefined

/** @throws ConfigError */
export function answerOf(adapter: string, node: AdapterNode, { held = false, alone }: HeldOptions): Answer {
  if (typeof held !== 'boolean') throw refusal(adapter, 'held', held, 'true or false')
  if (alone !== undefined) {
    if (alone !== 'resolve' && alone !== 'reject' && alone !== 'wait')
      throw refusal(adapter, 'alone', alone, "'resolve', 'reject' or 'wait'")
    if (!held) throw refusal(adapter, 'alone', alone, 'with held: true only')
  }
  return held ? () => node.replicated({ alone: alone ?? 'resolve' }) : () => undefined
}

/**
 * Checks what an adapter is made of: an object of known options, a node, and a table with the fields it needs.
 *
 * @throws ConfigError
 */
export function checkGround(
  adapter: string,
  options: { readonly node: AdapterNode; readonly table: { readonly definition: TableDefinition } },
  names: readonly string[],
  made: { readonly by: string; readonly key: string; readonly fields: readonly string[] },
): void {
  if (typeof options !== 'object' || options === null)
    throw refusal(adapter, 'options', options, `an object with ${names.join(', ')}`)
  for (const name of Object.keys(options)) {
    if (!names.includes(name))
      throw new ConfigError(`${adapter}: option ${name} given; allowed: ${names.join(', ')}`)
  }
  const { node, table } = options
  if (typeof node?.on !== 'function' || typeof node.replicated !== 'function')
    throw refusal(adapter, 'node', node, 'what createNode() gave')
  const definition = table?.definition
  const has = definition !== undefined && [...Object.keys(definition.key), ...Object.keys(definition.fields)]
  const wanted = [made.key, ...made.fields]
  if (!has || has.length !== wanted.length || wanted.some((name) => !has.includes(name))) {
    const given = has ? `a table with ${has.join(', ')}` : `table ${String(table)}`
    throw new ConfigError(
      `${adapter}: ${given} given; allowed: node.tables[name] of a table defined by ${made.by}(), with ${wanted.join(', ')}`,
    )
  }
}

/** Of an option. */
export function refusal(adapter: string, option: string, given: unknown, allowed: string): ConfigError {
  return new ConfigError(sentence(adapter, option, given, allowed))
}

/** Of what a call was given. */
export function valueRefusal(adapter: string, name: string, given: unknown, allowed: string): ValueError {
  return new ValueError(sentence(adapter, name, given, allowed))
}

function sentence(adapter: string, name: string, given: unknown, allowed: string): string {
  const shown = typeof given === 'string' ? `'${given}'` : String(given)
  return `${adapter}: ${name} ${shown} given; allowed: ${allowed}`
}
