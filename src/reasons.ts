// Why a role changed, in one or two sentences; the codes are numbered in src/wire/constants.ts.
import type { DecidedBy } from './core/election.ts'
import type { Reason } from './wire/constants.ts'

export interface Why {
  readonly reason: Reason
  /** What decided between the two nodes; null where nothing had to. */
  readonly by: DecidedBy | null
  /** This node became primary although it is in maintenance. */
  readonly maintenance: boolean
}

/** `peer` is the other node's id. */
export function reasonSentence({ reason, by, maintenance }: Why, peer: string): string {
  const sentences = [SENTENCES[reason]]
  if (by !== null) sentences.push(DECIDED[by])
  if (maintenance) sentences.push('It is in maintenance and leads because nothing else that could is alive.')
  return sentences.join(' ').replaceAll('{peer}', `node '${peer}'`)
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
  'better-claim': 'Neither node was primary and this one has the better claim.',
  follows: 'A primary was found and is followed.',
  'later-epoch': 'Two primaries met; the one of the later epoch stays.',
  'older-lineage': 'Two primaries of different lineages met; the older lineage stays.',
  closed: 'close() was called.',
  'lease-lost': 'The lease of the witness ran out, or is held by another process.',
  'lease-regained': 'The lease of the witness could be had, and nothing is heard of {peer}.',
  'witness-lost': 'The primary does not reach the witness and its secondary does.',
  'sync-thread': 'The sync thread ended, so this node can neither be heard nor act.',
  maintenance: 'The primary is in maintenance and handed its role over.',
  health: "More of the primary's monitors had failed than of its secondary's, by weight.",
  chosen: 'Two primaries met; onConflict of the one that would have stayed chose the other.',
  override: 'The secondary has the higher priority, and override is on.',
}

const DECIDED: Record<DecidedBy, string> = {
  state: 'It holds sessions that the other does not: a complete state counts over a part, a part over none.',
  position: 'It holds the later position of the history that both share.',
  lineage: 'Its history of the sessions is the older one.',
  sessions: 'Its history is about as old as the other, and holds more sessions.',
  witness: 'It reaches the witness and the other does not.',
  maintenance: 'The other node is in maintenance.',
  health: 'Its failed monitors weigh less.',
  links: 'It hears the other node on more links.',
  priority: 'It has the higher priority.',
  uptime: 'It has been up for longer, by more than the margin.',
  id: 'All else is equal, and its id is the smaller one.',
}
