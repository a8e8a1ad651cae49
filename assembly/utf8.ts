// Whether bytes are well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.

export function isUtf8(at: usize, length: u32): bool {
  const end = at + length
  while (at < end) {
    while (end - at >= 8 && !(load<u64>(at) & 0x8080808080808080)) at += 8
    if (at == end) break
    const lead = <u32>load<u8>(at++)
    if (lead < 0x80) continue
    if (lead < 0xc2 || lead > 0xf4) return false
    const more: usize = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    if (end - at < more) return false
    const second = <u32>load<u8>(at)
    let low: u32 = 0x80
    let high: u32 = 0xbf
    if (lead == 0xe0) low = 0xa0
    else if (lead == 0xed) high = 0x9f
    else if (lead == 0xf0) low = 0x90
    else if (lead == 0xf4) high = 0x8f
    if (second < low || second > high) return false
    for (let i: usize = 1; i < more; i++) if ((load<u8>(at + i) & 0xc0) != 0x80) return false
    at += more
  }
  return true
}
