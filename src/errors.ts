// Errors a caller can meet. Each has a stable `code`; the message says what was given, what is allowed, what to do.

/** The `code` of every error of this package. */
export type HoldfastErrorCode =
  | 'ERR_CONFIG'
  | 'ERR_SCHEMA'
  | 'ERR_VALUE'
  | 'ERR_NOT_PRIMARY'
  | 'ERR_FENCED'
  | 'ERR_TABLE_FULL'
  | 'ERR_KEY_TAKEN'
  | 'ERR_ARENA_FULL'
  | 'ERR_SESSION_GONE'
  | 'ERR_NOT_PROTECTED'
  | 'ERR_CLOSED'
  | 'ERR_HANDOVER'
  | 'ERR_PROMOTE'
  | 'ERR_IDENTITY'
  | 'ERR_CHOICE'
  | 'ERR_HOOK'
  | 'ERR_VERIFY'
  | 'ERR_STATE'
  | 'ERR_WITNESS'
  | 'ERR_SYNC_THREAD'
  | 'ERR_INVARIANT'

/** Base of all errors thrown or rejected by holdfast. */
export class HoldfastError extends Error {
  readonly code: HoldfastErrorCode
  constructor(code: HoldfastErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    // From the code, not from the class: a minifier gives classes other names.
    this.name = `${code
      .slice(4)
      .toLowerCase()
      .replace(/(?:^|_)(.)/g, (_, first: string) => first.toUpperCase())}Error`
    this.code = code
  }
}

/** An option of `createNode` is missing, of the wrong kind, or contradicts another. */
export class ConfigError extends HoldfastError {
  constructor(message: string) {
    super('ERR_CONFIG', message)
  }
}

/** A table definition is not usable. */
export class SchemaError extends HoldfastError {
  constructor(message: string) {
    super('ERR_SCHEMA', message)
  }
}

/** A key or field value does not fit its declared type. */
export class ValueError extends HoldfastError {
  constructor(message: string) {
    super('ERR_VALUE', message)
  }
}

/** A write on a node that is not the acting primary. Nothing was changed. */
export class NotPrimaryError extends HoldfastError {
  constructor(message: string) {
    super('ERR_NOT_PRIMARY', message)
  }
}

/**
 * An effect in `node.gate()` was under way when this node ceased to act: it may have been done, or not, or may still be
 * done. Its receiver knows; one that compares epochs refuses it once it has heard of a later one.
 */
export class FencedError extends HoldfastError {
  /** Epoch the effect was handed. */
  readonly epoch: number
  /** `options.cause`: what the effect itself failed with, if it had. */
  constructor(message: string, epoch: number, options?: ErrorOptions) {
    super('ERR_FENCED', message, options)
    this.epoch = epoch
  }
}

/** The table holds `capacity` sessions. The session was not created; everything else is as it was. */
export class TableFullError extends HoldfastError {
  /** Of `setMany`: rows that were stored before the first that found no room; that one and all after it were not. */
  readonly stored: number
  constructor(message: string, stored = 0) {
    super('ERR_TABLE_FULL', message)
    this.stored = stored
  }
}

/**
 * A write would have given a session a key that another session of the table holds in one of the table's `indexes`.
 * Neither session was changed.
 */
export class KeyTakenError extends HoldfastError {
  /** Of `setMany` and `updateMany`: rows that were done before the one that was refused; all after it were not. */
  readonly stored: number
  constructor(message: string, stored = 0) {
    super('ERR_KEY_TAKEN', message)
    this.stored = stored
  }
}

/** The arena of the table has no room for a `blob` or `text` value. Nothing was changed. */
export class ArenaFullError extends HoldfastError {
  constructor(message: string) {
    super('ERR_ARENA_FULL', message)
  }
}

/** A view was used after its session was deleted or had expired, or after the node changed its role. */
export class SessionGoneError extends HoldfastError {
  constructor(message: string) {
    super('ERR_SESSION_GONE', message)
  }
}

/** `replicated()` without a synced secondary, or `resync()` without a pair. */
export class NotProtectedError extends HoldfastError {
  constructor(message: string) {
    super('ERR_NOT_PROTECTED', message)
  }
}

/** The node was closed. */
export class ClosedError extends HoldfastError {
  constructor(message: string) {
    super('ERR_CLOSED', message)
  }
}

/** A planned handover did not happen; the node says why and keeps its role. */
export class HandoverError extends HoldfastError {
  constructor(message: string) {
    super('ERR_HANDOVER', message)
  }
}

/** `promote()` was refused. */
export class PromoteError extends HoldfastError {
  constructor(message: string) {
    super('ERR_PROMOTE', message)
  }
}

/** `onPromote` or `onDemote` took longer than `hookTimeout`; also the reason of its signal when its role is over. */
export class HookError extends HoldfastError {
  constructor(message: string) {
    super('ERR_HOOK', message)
  }
}

/**
 * `reloadIdentity()` took the new identity for connections to come, but a connection of a link could not be replaced by
 * one under it; the message says which, and why. It stays, and is tried again.
 */
export class IdentityError extends HoldfastError {
  constructor(message: string) {
    super('ERR_IDENTITY', message)
  }
}

/** `onConflict` threw, was late or answered something else, or the side it chose did not take the role. The rule decided. */
export class ChoiceError extends HoldfastError {
  constructor(message: string) {
    super('ERR_CHOICE', message)
  }
}

/** `verify()` could not be completed. */
export class VerifyError extends HoldfastError {
  constructor(message: string) {
    super('ERR_VERIFY', message)
  }
}

/** The state directory cannot be used, or what lies in it is damaged or another node's. Nothing was changed. */
export class StateError extends HoldfastError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_STATE', message, options)
  }
}

/**
 * The witness could not be opened: its module was loaded, and its `openWitness` failed or did not answer. No node was
 * started. A witness that is lost later is no error: `status().witness` and the `witness` event tell.
 */
export class WitnessError extends HoldfastError {
  constructor(message: string) {
    super('ERR_WITNESS', message)
  }
}

/** The sync thread ended; the node is fenced and stopped. */
export class SyncThreadError extends HoldfastError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_SYNC_THREAD', message, options)
  }
}

/** A contract inside holdfast is broken: a bug. */
export class InvariantError extends HoldfastError {
  constructor(message: string) {
    super('ERR_INVARIANT', message)
  }
}
