// Whether two builds' schemas of a table go together: one may have further value fields after all of the other's, and
// nothing else may differ. What does is named. Pure.
import type { FieldInfo, SchemaInfo } from '../wire/schema.ts'

/** Value fields both know; or in words what is different. */
export type SchemaMatch = { readonly common: number } | { readonly difference: string }

/** How the two are called in words. */
interface Sides {
  readonly here: string
  readonly there: string
}

const VARIABLE = ['blob', 'text']

export function matchSchemas(
  table: string,
  mine: SchemaInfo,
  theirs: SchemaInfo,
  here = 'here',
  there = 'there',
): SchemaMatch {
  const at = `table ${table}`
  const sides = { here, there }
  const common = Math.min(mine.fields.length, theirs.fields.length)
  const longer = mine.fields.length > common ? mine : theirs
  const variable = longer.fields.slice(common).find(({ type }) => VARIABLE.includes(type))
  const difference =
    keyDifference(at, mine.keys, theirs.keys, sides) ??
    firstDifference(`${at}: field`, mine.fields.slice(0, common), theirs.fields.slice(0, common), sides) ??
    indexDifference(at, mine, theirs, sides) ??
    (mine.lifetime === theirs.lifetime
      ? undefined
      : `${at}: timeout and expiry (ticks) are ${mine.lifetime} ${here}, ${theirs.lifetime} ${there}`) ??
    (variable === undefined
      ? undefined
      : `${at}: field ${variable.name} is ${variable.type} and only ${longer === mine ? here : there}; a blob or text cannot be appended`)
  return difference === undefined ? { common } : { difference }
}

function keyDifference(
  at: string,
  mine: readonly FieldInfo[],
  theirs: readonly FieldInfo[],
  sides: Sides,
): string | undefined {
  if (mine.length !== theirs.length) {
    return `${at}: the key has ${mine.length} fields ${sides.here}, ${theirs.length} ${sides.there}`
  }
  return firstDifference(`${at}: key field`, mine, theirs, sides)
}

/** Of two lists of one length. */
function firstDifference(
  what: string,
  mine: readonly FieldInfo[],
  theirs: readonly FieldInfo[],
  { here, there }: Sides,
): string | undefined {
  for (const [i, field] of mine.entries()) {
    const other = theirs[i]!
    if (field.name !== other.name) return `${what} ${i + 1} is ${field.name} ${here}, ${other.name} ${there}`
    if (field.type !== other.type)
      return `${what} ${field.name} is ${field.type} ${here}, ${other.type} ${there}`
  }
  return undefined
}

function indexDifference(at: string, mine: SchemaInfo, theirs: SchemaInfo, sides: Sides): string | undefined {
  const list = ({ indexes }: SchemaInfo) =>
    indexes.map(({ name, fields }) => `${name}(${fields.join(', ')})`).join(', ') || 'none'
  const [ours, others] = [list(mine), list(theirs)]
  if (ours === others) return undefined
  return `${at}: indexes are ${ours} ${sides.here}, ${others} ${sides.there}`
}
