// Sessions into the columns of rows, byte by byte as `ColumnOf` says: what an application does that has typed arrays.
import { type Cell, type Column, fromHex } from '../twins/schema.ts'

export type LooseColumns = Record<string, Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>

export const columnsOf = (rows: object): LooseColumns => (rows as { columns: LooseColumns }).columns

/** Elements of the column that one row takes. */
export function elementsOf(column: Column): number {
  switch (column.kind) {
    case 'ipv6':
    case 'ip':
      return 16
    case 'bytes':
      return column.size
    case 'string':
      return 1 + column.size
    default:
      return 1
  }
}

/** Writes a cell; what lies after a text is filled with `rest`. */
export function putCell(columns: LooseColumns, column: Column, row: number, cell: Cell, rest = 0): void {
  const array = columns[column.name]!
  if (typeof cell === 'number') {
    array[row] = cell
    return
  }
  const bytes = fromHex(cell)
  if (column.kind === 'ipv4') array[row] = Number.parseInt(cell, 16)
  else if (column.kind === 'f64') new Uint8Array(array.buffer, array.byteOffset).set(bytes, 8 * row)
  else {
    const size = elementsOf(column)
    const at = row * size
    if (column.kind === 'string') {
      array.fill(rest, at, at + size)
      array[at] = bytes.length
      array.set(bytes, at + 1)
    } else array.set(bytes, at)
  }
}
