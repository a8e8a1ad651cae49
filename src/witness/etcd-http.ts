// Requests to the HTTP/JSON gateway of an etcd cluster, with fetch. A member that does not answer, or answers that it
// cannot serve, is passed over; the next request begins with the one that served the last.

/** A watch line longer than this is not of our key, ever. */
const LINE_MAX = 1 << 20

export class EtcdHttp {
  private readonly endpoints: readonly string[]
  private readonly headers: Record<string, string>
  private readonly attemptMs: number
  private current = 0

  /** `attemptMs`: how long one member may take before another is asked, where there is another. */
  constructor(endpoints: readonly string[], token: string | undefined, attemptMs: number) {
    this.endpoints = endpoints.map((endpoint) => endpoint.replace(/\/+$/, ''))
    this.headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: token }),
    }
    this.attemptMs = attemptMs
  }

  /** @throws Error when no member served, or one refused. */
  async post<Answer>(path: string, body: object, signal: AbortSignal): Promise<Answer> {
    let last: unknown
    for (let i = 0; i < this.endpoints.length && !signal.aborted; i++) {
      const at = this.current
      const attempt = new AbortController()
      const stop = () => attempt.abort(signal.reason)
      signal.addEventListener('abort', stop)
      const timer = this.endpoints.length > 1 ? setTimeout(() => attempt.abort(), this.attemptMs) : undefined
      try {
        const response = await this.fetch(at, path, body, attempt.signal)
        return JSON.parse(await response.text()) as Answer
      } catch (error) {
        last = error
        if (error instanceof EtcdRefusal) throw error
        if (this.current === at) this.current = (at + 1) % this.endpoints.length
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
      }
    }
    throw last ?? signal.reason
  }

  /** Lines of an answer that goes on. */
  async *stream<Line>(path: string, body: object, signal: AbortSignal): AsyncGenerator<Line> {
    const response = await this.fetch(this.current, path, body, signal)
    const decoder = new TextDecoder()
    let rest = ''
    for await (const bytes of response.body ?? []) {
      rest += decoder.decode(bytes as Uint8Array, { stream: true })
      const lines = rest.split('\n')
      rest = lines.pop()!
      if (rest.length > LINE_MAX)
        throw new Error(`${path} answered with more than ${LINE_MAX} characters in one line`)
      for (const line of lines) if (line !== '') yield JSON.parse(line) as Line
    }
  }

  private async fetch(at: number, path: string, body: object, signal: AbortSignal): Promise<Response> {
    const endpoint = this.endpoints[at]!
    const response = await fetch(`${endpoint}${path}`, {
      method: 'POST',
      headers: this.headers,
      body: JSON.stringify(body),
      signal,
    })
    if (response.ok) return response
    const said = (await response.text()).slice(0, 200)
    const message = `${endpoint}${path} answered ${response.status}: ${said}`
    throw response.status >= 500 ? new Error(message) : new EtcdRefusal(message)
  }
}

/** Another member would say the same. */
class EtcdRefusal extends Error {}
