// Why a role changed, one sentence each; the codes are numbered in src/wire/constants.ts.
import type { Reason } from './wire/constants.ts'

/** `peer` is the other node's id. */
export function reasonSentence(reason: Reason, peer: string): string {
  return SENTENCES[reason].replaceAll('{peer}', `node '${peer}'`)
}

const SENTENCES: Record<Reason, string> = {
  none: 'No role has been decided yet.',
  'fresh-start': 'Both nodes started without state and this one has the better claim.',
  alone: 'No peer was found within the hold-down.',
  'peer-died': 'The process of {peer} is gone: its streams ended and its ports refuse.',
  'peer-silent': 'Nothing was heard of {peer} on any link for the detection bound.',
  'peer-restarted': '{peer} came back as a new process without the state that this node holds.',
  'peer-left': '{peer} said goodbye.',
  handover: 'The primary handed its role over as planned.',
  'peer-stalled': "The primary's application thread made no progress for the stall time-out.",
  operator: 'promote() was called.',
  'better-claim': 'Neither node was primary and this one holds more.',
  follows: 'A primary was found and is followed.',
  'later-epoch': 'Two primaries met; the one of the later epoch stays.',
  'older-lineage': 'Two primaries of different lineages met; the older lineage stays.',
  closed: 'close() was called.',
  'sync-thread': 'The sync thread ended, so this node can neither be heard nor act.',
}
