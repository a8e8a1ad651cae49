// Promises that are settled later from elsewhere, by key.

interface Deferred<Value> {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
  readonly reject: (error: Error) => void
}

export class Pending<Value> {
  private readonly waiting = new Map<number, Deferred<Value>>()

  /** The promise under this key, a new one if there is none. */
  get(key: number): Promise<Value> {
    let deferred = this.waiting.get(key)
    if (deferred === undefined) {
      let resolve!: (value: Value) => void
      let reject!: (error: Error) => void
      const promise = new Promise<Value>((yes, no) => {
        resolve = yes
        reject = no
      })
      deferred = { promise, resolve, reject }
      this.waiting.set(key, deferred)
    }
    return deferred.promise
  }

  resolve(key: number, value: Value): void {
    this.waiting.get(key)?.resolve(value)
    this.waiting.delete(key)
  }

  reject(key: number, error: Error): void {
    this.waiting.get(key)?.reject(error)
    this.waiting.delete(key)
  }

  rejectAll(error: Error): void {
    for (const key of [...this.waiting.keys()]) this.reject(key, error)
  }
}
