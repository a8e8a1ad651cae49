// Seeds that once found something, with what it was: every run begins with them. A change of what is drawn may give an old
// seed another story; then it is one more seed like others.
import type { StoreKind } from './tables.ts'

export interface Regression {
  readonly seed: bigint
  readonly store: StoreKind
  /** What it found. */
  readonly what: string
}

const wasm = (seed: number, what: string): Regression => ({ seed: BigInt(seed), store: 'wasm', what })
const twin = (seed: number, what: string): Regression => ({ seed: BigInt(seed), store: 'twin', what })

export const REGRESSIONS: readonly Regression[] = [
  wasm(8, 'crossing claims never ended'),
  wasm(98, 'a reader was changed in the midst of its bytes'),
  wasm(592, "the secondary's frames were counted on over two attachments"),
  wasm(793, "the secondary's frames were counted on over two attachments"),
  wasm(4198, 'one broken link was death while the other was in good health'),
  wasm(4434, 'a secondary went on saying synced of a reign that was over'),
  wasm(4467, 'a secondary went on saying synced of a reign that was over'),
  wasm(4494, 'verify() was never answered after the primary was deaf for a while'),
  wasm(5943, 'the older history was wiped because it had no primary'),
  wasm(8323, 'verify() was never answered after the primary was deaf for a while'),
  wasm(12511, 'a sync thread spun over a death that lacked evidence'),
  wasm(20885, 'death was heeded without fast detection'),
  wasm(54226, 'a comparison outlived its attachment'),
  wasm(54617, 'a comparison outlived its attachment'),
  wasm(103990, 'what was applied of an earlier reign was believed of the next'),
  wasm(307973, 'a secondary that follows another reign was called protected'),
  wasm(233, 'a fault waited for the logarithm of nothing'),
  wasm(482, 'chance losses on crossed links were taken for a livelock'),
  wasm(1026, 'what a spoilt primary gave on was taken for an error of the tables'),
  wasm(994, 'what a primary held back was taken for nothing'),
  wasm(247, 'a lease given back by a call that came late was renewed meanwhile, and freed under its holder'),
  wasm(2024016, 'of two statuses of one moment the older one was believed, and a secondary waited for ever'),
  wasm(2024207, 'of two statuses of one moment the older one was believed, and a secondary waited for ever'),
  wasm(2008947, 'the role was granted to a node that a comparison was on its way to'),
  wasm(2011813, 'the role was granted to a node that a comparison was on its way to'),
  wasm(2007368, 'a choice was looked for at the operator of the process that came after'),
  wasm(2024716, 'a choice was looked for at the operator of the process that came after'),
  wasm(2041034, 'a new node that heard one hello, and no more, led after the detection bound'),
  wasm(2048986, 'under a witness an operator’s claim kept a secondary saying synced with nobody'),
  wasm(2004502, 'a guard against freezes opened a gate that was shut for a handover'),
  wasm(2026657, 'a guard against freezes opened a gate that was shut for a handover'),
  wasm(2006021, 'a peer that was met after waking was expected to have answered before'),
  wasm(2000484, 'a grant was heeded that had lain in a socket until its giver led again'),
  wasm(2020057, 'who had led a later epoch followed, and sinks were ahead'),
  wasm(2030697, 'who had led a later epoch followed, and sinks were ahead'),
  wasm(2033331, 'who had led a later epoch followed, and sinks were ahead'),
  wasm(2010698, 'two primaries were compared by a word that had lain in a socket'),
  wasm(2013602, 'two primaries were compared by the first word of a reign'),
  wasm(
    3006833,
    'two primaries were compared by a word that came seconds late over a stream that stood still',
  ),
  wasm(
    5021155,
    'a handover that was called off on waking opened the gate of a primary that had been replaced',
  ),
  wasm(
    5025944,
    'a primary that was alone, froze and was replaced by a peer that came back wrote before it was answered',
  ),
  wasm(
    5051792,
    'under a witness a primary that led again, missed, and lost its lease left its secondary saying synced',
  ),
  wasm(
    6024203,
    'under a witness an empty primary passed the epoch of one that had lost its lease, and wiped its sessions',
  ),
  wasm(
    6058410,
    'a claim that was denied for its low epoch only was taken for a verdict on what its node holds',
  ),
  twin(14, 'the Map twins did not come to an agreement'),
  twin(25, 'the Map twins did not come to an agreement'),
]
