// Order statistics. Medians and quantiles only: a mean is ruled by the one run that something else disturbed.

/** The value below which the share `q` of the values lies, interpolated; NaN without values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * q
  const low = Math.floor(at)
  const high = Math.min(low + 1, sorted.length - 1)
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low)
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}
