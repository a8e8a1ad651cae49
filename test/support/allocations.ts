// How much memory a piece of code asks for at once: the longest Uint8Array made while it runs, by a length or by slice().
// Views of existing memory count too, so a decoder that returned more than it was given would show.

const Native = globalThis.Uint8Array

/** Runs `body` with every `new Uint8Array(...)` of any module watched; gives its result and the longest one in bytes. */
export function watchAllocations<T>(body: () => T): { result: T; longest: number } {
  let longest = 0
  class Watched extends Native {
    constructor(...given: unknown[]) {
      // @ts-expect-error: every signature of the constructor is passed on as it is
      super(...given)
      if (this.length > longest) longest = this.length
    }
  }
  globalThis.Uint8Array = Watched as typeof Uint8Array
  try {
    const result = body()
    return { result, longest }
  } finally {
    globalThis.Uint8Array = Native
  }
}
