// Bounded waits: each says what was waited for.

/** The promise, or an error that says what did not happen within the time. */
export async function within(ms, what, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, ms, new Error(`did not happen within ${ms / 1000} s: ${what}`))
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Resolves with what `holds` returns, once that is true; asked at once and after each `event` of the emitter.
 * @template T
 * @param {import('node:events').EventEmitter} emitter
 * @param {() => T} holds
 * @returns {Promise<T>}
 */
export async function until(emitter, event, ms, what, holds) {
  const now = holds()
  if (now) return now
  let check
  const holding = new Promise((resolve) => {
    check = () => {
      const result = holds()
      if (result) resolve(result)
    }
    emitter.on(event, check)
  })
  try {
    return await within(ms, what, holding)
  } finally {
    emitter.off(event, check)
  }
}
