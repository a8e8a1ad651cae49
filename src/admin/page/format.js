// Figures as text. Pure.

/** 20000 as 20,000. */
export const count = (n) => Math.round(n).toLocaleString('en-US')

/** Milliseconds with as many digits as matter; seconds from one on. */
export function ms(value) {
  if (value === null || value === undefined) return '–'
  if (value >= 10_000) return `${(value / 1000).toFixed(0)} s`
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`
  if (value >= 100) return `${value.toFixed(0)} ms`
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`
}

export function bytesPerSecond(value) {
  if (value === null || value === undefined) return '–'
  const units = ['B/s', 'kB/s', 'MB/s', 'GB/s']
  let unit = 0
  let rest = value
  for (; rest >= 999.5 && unit < units.length - 1; unit++) rest /= 1000
  return `${rest.toFixed(unit > 0 && rest < 99.5 ? 1 : 0)} ${units[unit]}`
}

export const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`

/** How long something has been going on. */
export function lasting(value) {
  if (value === null || value === undefined) return '–'
  const seconds = Math.floor(value / 1000)
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600),
    Math.floor(seconds / 60),
  ]
  if (days > 0) return `${days} d ${hours % 24} h`
  if (hours > 0) return `${hours} h ${minutes % 60} min`
  if (minutes > 0) return `${minutes} min ${seconds % 60} s`
  return `${seconds} s`
}

/** Time of day. */
export const clock = (at) => new Date(at).toLocaleTimeString('en-GB')

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`
