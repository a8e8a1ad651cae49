// Whether two builds' schemas of a table go together: one may have further value fields after all of the other's, and
// nothing else may differ. What does is named. Pure.
import type { FieldInfo, SchemaInfo } from '../wire/schema.ts'

/** Value fields both know; or in words what is different. */
export type SchemaMatch = { readonly common: number } | { readonly difference: string }

const VARIABLE = ['blob', 'text']

export function matchSchemas(table: string, mine: SchemaInfo, theirs: SchemaInfo): SchemaMatch {
  const at = `table ${table}`
  const common = Math.min(mine.fields.length, theirs.fields.length)
  const longer = mine.fields.length > common ? mine : theirs
  const variable = longer.fields.slice(common).find(({ type }) => VARIABLE.includes(type))
  const difference =
    keyDifference(at, mine.keys, theirs.keys) ??
    firstDifference(`${at}: field`, mine.fields.slice(0, common), theirs.fields.slice(0, common)) ??
    indexDifference(at, mine, theirs) ??
    (mine.lifetime === theirs.lifetime
      ? undefined
      : `${at}: timeout and expiry (ticks) are ${mine.lifetime} here, ${theirs.lifetime} there`) ??
    (variable === undefined
      ? undefined
      : `${at}: field ${variable.name} is ${variable.type} and only ${longer === mine ? 'here' : 'there'}; a blob or text cannot be appended`)
  return difference === undefined ? { common } : { difference }
}

function keyDifference(
  at: string,
  mine: readonly FieldInfo[],
  theirs: readonly FieldInfo[],
): string | undefined {
  if (mine.length !== theirs.length) {
    return `${at}: the key has ${mine.length} fields here, ${theirs.length} there`
  }
  return firstDifference(`${at}: key field`, mine, theirs)
}

/** Of two lists of one length. */
function firstDifference(
  what: string,
  mine: readonly FieldInfo[],
  theirs: readonly FieldInfo[],
): string | undefined {
  for (const [i, field] of mine.entries()) {
    const other = theirs[i]!
    if (field.name !== other.name) return `${what} ${i + 1} is ${field.name} here, ${other.name} there`
    if (field.type !== other.type) return `${what} ${field.name} is ${field.type} here, ${other.type} there`
  }
  return undefined
}

function indexDifference(at: string, mine: SchemaInfo, theirs: SchemaInfo): string | undefined {
  const list = ({ indexes }: SchemaInfo) =>
    indexes.map(({ name, fields }) => `${name}(${fields.join(', ')})`).join(', ') || 'none'
  const [here, there] = [list(mine), list(theirs)]
  return here === there ? undefined : `${at}: indexes are ${here} here, ${there} there`
}
