// Field types as the user writes them, and the TypeScript types of the values they hold. Types only, besides the two
// helpers for fields of a chosen length.

/**
 * Types written as a name, and what they hold. Numbers: `u8` to 255, `u16` to 65,535, `u32` to 4,294,967,295, `i32` between
 * -2^31 and 2^31 - 1, `u53` to 2^53 - 1, `f64` any number. `bool`. Addresses as text, given as text, number or bytes:
 * `ipv4`, `ipv6`, and `ip`, which is either.
 */
export type ScalarType = 'u8' | 'u16' | 'u32' | 'i32' | 'u53' | 'f64' | 'bool' | 'ipv4' | 'ipv6' | 'ip'

/**
 * Types of any length up to 1 MiB, kept in the table's arena; value fields only. `blob`: bytes, a `Uint8Array`; `text`:
 * UTF-8, a `string`.
 */
export type VariableType = 'blob' | 'text'

/** Exactly `length` bytes; made by `bytes(n)`. */
export interface BytesType {
  readonly type: 'bytes'
  readonly length: number
}

/** At most `length` bytes of UTF-8; made by `string(n)`. */
export interface StringType {
  readonly type: 'string'
  readonly length: number
}

/** An enum is the list of its names, 1 to 256. */
export type EnumType = readonly string[]

/** The type of a field: a name, `bytes(n)`, `string(n)`, or the names of an enum. */
export type FieldType = ScalarType | VariableType | EnumType | BytesType | StringType

/** Names of fields and their types, in order. */
export type Shape = { readonly [name: string]: FieldType }

/** A field of exactly `length` bytes (1 to 255), a `Uint8Array` in JavaScript. */
export function bytes(length: number): BytesType {
  return { type: 'bytes', length }
}

/** A field of at most `length` bytes (1 to 255) of UTF-8, a `string` in JavaScript. */
export function string(length: number): StringType {
  return { type: 'string', length }
}

/** What a field reads as. */
export type ValueOf<T> = T extends 'bool'
  ? boolean
  : T extends 'ipv4' | 'ipv6' | 'ip' | 'text'
    ? string
    : T extends ScalarType
      ? number
      : T extends BytesType | 'blob'
        ? Uint8Array
        : T extends StringType
          ? string
          : T extends readonly (infer Name extends string)[]
            ? Name
            : never

/** What a field accepts: as it reads, and addresses also as bytes (an IPv4 address also as a 32-bit number). */
export type InputOf<T> = T extends 'ipv4'
  ? string | number | ArrayLike<number>
  : T extends 'ipv6' | 'ip'
    ? string | ArrayLike<number>
    : ValueOf<T>

/**
 * The column of a field in the rows of a batch call: one element per row for numbers (`u53` as a double that is an
 * integer, addresses of IPv4 as numbers, `bool` as 0 or 1, an enum as the index of its name), 16 bytes per row for `ipv6`
 * and `ip` (IPv4 there as ::ffff:a.b.c.d), n for `bytes(n)`, 1 + n for `string(n)`: its length in bytes, then its UTF-8.
 */
export type ColumnOf<T> = T extends 'u16'
  ? Uint16Array
  : T extends 'u32' | 'ipv4'
    ? Uint32Array
    : T extends 'i32'
      ? Int32Array
      : T extends 'u53' | 'f64'
        ? Float64Array
        : T extends VariableType
          ? never
          : Uint8Array

/** Names of fields. */
export type NameOf<S extends Shape> = keyof S & string

/** The key of a session: every key field. Further properties are ignored, so a packet or a view can serve as a key. */
export type KeyInput<Key extends Shape> = { readonly [Name in keyof Key]: InputOf<Key[Name]> }

/** Some or all value fields. */
export type FieldsInput<Fields extends Shape> = {
  readonly [Name in keyof Fields]?: InputOf<Fields[Name]> | undefined
}

/** Further unique keys: a name and the value fields that together are unique. */
export type IndexesOf<Fields extends Shape> = { readonly [name: string]: readonly (keyof Fields & string)[] }

/** The same of fields that are not known. */
export type IndexLists = { readonly [name: string]: readonly string[] }

/** Of a table that has only its key. */
export type NoIndexes = Record<never, never>

/** The key of a session in an index: every field of it. Further properties are ignored. */
export type IndexInput<Fields extends Shape, Name extends keyof Fields> = {
  readonly [Field in Name]: InputOf<Fields[Field]>
}

/** Key and fields of a session as plain values. */
export type SessionValues<Key extends Shape, Fields extends Shape> = {
  -readonly [Name in keyof Key]: ValueOf<Key[Name]>
} & { -readonly [Name in keyof Fields]: ValueOf<Fields[Name]> }

/**
 * A live view of one session: reads come from the table, assignments to value fields go into it and are replicated.
 * Every access throws `SessionGoneError` once the session is deleted or has expired, or the node has changed its role;
 * an assignment to a field of the key, or to one there is not, throws `ValueError`.
 */
export type Session<Key extends Shape, Fields extends Shape> = {
  readonly [Name in keyof Key]: ValueOf<Key[Name]>
} & { -readonly [Name in keyof Fields]: ValueOf<Fields[Name]> } & {
  /** A copy as plain values. */
  toJSON(): SessionValues<Key, Fields>
}
