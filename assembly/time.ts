// Table time: the host's count of sixteenths of a second, the same in every table of a node (docs/PROTOCOL.md section 6).

/** Now, in ticks. */
export let time: u32 = 1

export function setTime(ticks: u32): void {
  time = ticks
}
