// Logarithm and exponential out of nothing but the four operations, which IEEE 754 rounds the same everywhere: those of
// Math differ in their last bit from one runtime to the next, and one bit is another run.

const TERMS = 24

/** Natural logarithm of a positive number. */
export function ln(x: number): number {
  if (!(x > 0)) throw new Error(`the logarithm of ${x} is asked for`)
  let scaled = x
  let twos = 0
  for (; scaled < Math.SQRT1_2; twos--) scaled *= 2
  for (; scaled > Math.SQRT2; twos++) scaled /= 2
  // ln((1 + s) / (1 - s)) = 2 (s + s^3 / 3 + s^5 / 5 + ...), here with |s| < 0.172.
  const s = (scaled - 1) / (scaled + 1)
  let power = s
  let sum = 0
  for (let i = 0; i < TERMS; i++) {
    sum += power / (2 * i + 1)
    power *= s * s
  }
  return 2 * sum + twos * Math.LN2
}

export function exp(x: number): number {
  const twos = Math.round(x / Math.LN2)
  const rest = x - twos * Math.LN2
  let term = 1
  let sum = 1
  for (let i = 1; i < TERMS; i++) {
    term *= rest / i
    sum += term
  }
  for (let i = 0; i < twos; i++) sum *= 2
  for (let i = 0; i > twos; i--) sum /= 2
  return sum
}
