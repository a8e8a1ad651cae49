// Copies, zeros, comparisons and early loads of records. memory.copy and memory.fill of a few bytes are calls out of
// the module in V8; these loops are not, and a record is one or two of their rounds.

// @ts-ignore: decorator
@lazy const sink: usize = memory.data(8, 8)

/** Uses what was loaded ahead, so that no compiler drops the loads as dead. */
// @ts-ignore: decorator
@inline export function loadedAhead(sum: u32): void {
  store<u32>(sink, sum)
}

/** Copies whole cache lines; `bytes` is a multiple of 64. */
// @ts-ignore: decorator
@inline export function copyLines(to: usize, from: usize, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i += 64) {
    v128.store(to + i, v128.load(from + i))
    v128.store(to + i, v128.load(from + i, 16), 16)
    v128.store(to + i, v128.load(from + i, 32), 32)
    v128.store(to + i, v128.load(from + i, 48), 48)
  }
}

/** Zeros whole cache lines; `bytes` is a multiple of 64. */
// @ts-ignore: decorator
@inline export function zeroLines(to: usize, bytes: u32): void {
  const zero = i64x2.splat(0)
  for (let i: u32 = 0; i < bytes; i += 64) {
    v128.store(to + i, zero)
    v128.store(to + i, zero, 16)
    v128.store(to + i, zero, 32)
    v128.store(to + i, zero, 48)
  }
}

/** Copies `bytes`, a multiple of 8. */
// @ts-ignore: decorator
@inline export function copyWords(to: usize, from: usize, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i += 8) store<u64>(to + i, load<u64>(from + i))
}

/** Zeros `bytes`, a multiple of 8. */
// @ts-ignore: decorator
@inline export function zeroWords(to: usize, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i += 8) store<u64>(to + i, 0)
}

/** Copies a field. */
// @ts-ignore: decorator
@inline export function copyBytes(to: usize, from: usize, bytes: u32): void {
  switch (bytes) {
    case 1: store<u8>(to, load<u8>(from)); break
    case 2: store<u16>(to, load<u16>(from)); break
    case 4: store<u32>(to, load<u32>(from)); break
    case 8: store<u64>(to, load<u64>(from)); break
    default: memory.copy(to, from, bytes)
  }
}

/** Whether two fields hold the same. */
// @ts-ignore: decorator
@inline export function sameBytes(a: usize, b: usize, size: u32): bool {
  switch (size) {
    case 1: return load<u8>(a) == load<u8>(b)
    case 2: return load<u16>(a) == load<u16>(b)
    case 4: return load<u32>(a) == load<u32>(b)
    case 8: return load<u64>(a) == load<u64>(b)
    default: {
      let i: u32 = 0
      for (; i + 8 <= size; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false
      for (; i < size; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false
      return true
    }
  }
}
