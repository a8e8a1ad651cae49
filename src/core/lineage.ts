// The name of a new history of the tables: random, so that two that began apart never share one.
import { NO_LINEAGE } from '../wire/status.ts'

/** 16 hex digits. `random`: uniform in [0, 1). */
export function drawLineage(random: () => number): string {
  let text = ''
  for (let i = 0; i < 4; i++) {
    text += Math.floor(random() * 65_536)
      .toString(16)
      .padStart(4, '0')
  }
  return text === NO_LINEAGE ? drawLineage(random) : text
}
