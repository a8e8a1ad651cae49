// Table time: the host's count of sixteenths of a second, the same in every table of a node (docs/PROTOCOL.md section 6).

// @ts-ignore: decorator
@lazy const word: usize = memory.data(8, 8)

/** Now, in ticks. */
export let time: u32 = 1

export function keepTime(ticks: u32): void {
  time = ticks
  store<u32>(word, ticks)
}

/** Where the host reads it, for its views. */
export function timeAt(): usize {
  return word
}
