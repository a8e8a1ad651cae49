// What a planted bug is: a text in the sources, and what takes its place.

export interface Patch {
  /** Stands exactly once in the folder. */
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  /** For the command line. */
  readonly name: string
  /** What is wrong with it. */
  readonly bug: string
  /** Where its texts stand; `assembly` is compiled anew. */
  readonly folder: 'src' | 'assembly'
  /** Several where one line of defence would hide the lack of another. */
  readonly patches: readonly Patch[]
  /** Why it breaks no promise: then nothing may be found. */
  readonly harmless?: string
  /** No seed can reach it, for the reason given: this test must fail instead. */
  readonly test?: { readonly path: string; readonly why: string }
}
