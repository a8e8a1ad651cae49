// Abort signals as the public types speak of them: those compile with the language's own library only.

/**
 * What is used of an AbortSignal, which is what to give. Spelt out, so that these types need neither those of the DOM nor
 * those of Node.
 */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason?: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** The platform's AbortSignal, where the compiler knows one. */
export type EffectSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : AbortSignalLike
