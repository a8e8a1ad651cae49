// The only clock of the package: monotonic milliseconds. Steps of the system's date change nothing here.

export type Clock = () => number

export const monotonicMs: Clock = () => performance.now()
