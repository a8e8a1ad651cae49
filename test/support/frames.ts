// One honest frame of every type with random content, and how a node reads it: what the tests of hostile input start from.
import {
  DIGEST_KEY_BYTES,
  FrameType,
  REASONS,
  REFUSALS,
  ROLES,
  TABLES_MAX,
} from '../../src/wire/constants.ts'
import * as control from '../../src/wire/control.ts'
import { beginFrame, type Frame, sealFrame } from '../../src/wire/frame.ts'
import { decodeHello, decodeRefused, encodeHello, encodeRefused } from '../../src/wire/hello.ts'
import * as sequenced from '../../src/wire/sequenced.ts'
import type { NodeStatus } from '../../src/wire/status.ts'
import type { Random } from './seed.ts'

const hex = (random: Random, bytes: number) => Buffer.from(random.bytes(bytes)).toString('hex')
const u53 = (random: Random) => random.below(random.pick([4, 2 ** 20, 2 ** 32, 2 ** 53 - 1]))
const flag = (random: Random) => random.chance(0.5)

export function randomStatus(random: Random): NodeStatus {
  return {
    incarnation: hex(random, 8),
    lineage: hex(random, 8),
    epoch: u53(random),
    heardEpoch: u53(random),
    sequence: u53(random),
    role: random.pick(ROLES),
    complete: flag(random),
    synced: flag(random),
    fenced: flag(random),
    manual: flag(random),
    maintenance: flag(random),
    witnessed: flag(random),
    reachesWitness: flag(random),
    gaveWay: flag(random),
    hears: random.below(4),
    failed: random.below(256),
    priority: random.below(65_536),
    sessions: u53(random),
    uptimeMs: u53(random) / 7,
    lineageAgeMs: u53(random) / 7,
    progressAgeMs: random.below(100_000),
    tableTime: random.u32(),
    changed: flag(random) ? null : random.below(2 ** 32 - 1),
  }
}

function randomSchema(random: Random) {
  const text = () => random.pick(['u32', 'enum(3) 1234567890abcdef', 'é'.repeat(48), 'x', ''])
  const fields = (most: number) =>
    Array.from({ length: random.below(most + 1) }, () => ({ name: text(), type: text() }))
  const indexes = Array.from({ length: random.chance(0.1) ? random.below(5) : 0 }, () => {
    return { name: text(), fields: Array.from({ length: random.below(9) }, text) }
  })
  const many = random.chance(0.02)
  return { keys: fields(many ? 16 : 2), fields: fields(many ? 53 : 3), indexes, lifetime: text() }
}

function randomHello(random: Random): Uint8Array {
  return encodeHello({
    cluster: `edge ${random.below(10)}`,
    id: random.pick(['a', 'knöten', 'x'.repeat(64)]),
    link: random.below(2),
    contribution: random.bytes(32),
    heartbeatInterval: 5 + random.below(1000),
    heartbeatLost: random.below(100),
    tables: Array.from({ length: random.below(TABLES_MAX + 1) }, (_, i) => ({
      name: `table ${i}`,
      schemaHash: hex(random, 8),
      capacity: random.u32(),
      arena: random.below(1000) * 1024,
      deltasMax: random.u32(),
      schema: randomSchema(random),
    })),
    status: randomStatus(random),
  })
}

type Write = Parameters<typeof sequenced.writeRun>[0]

/** A frame of a sequence. */
function numbered(random: Random, type: number, write: (writer: Write) => void): Uint8Array {
  const writer = beginFrame(type, u53(random), u53(random), u53(random))
  write(writer)
  return sealFrame(writer)
}

const run = (random: Random) => ({
  table: random.below(3),
  first: random.below(random.pick([3, 2 ** 21])),
  count: 1 + random.below(8),
})
const digestRun = (random: Random) => {
  const one = run(random)
  return { ...one, digests: random.bytes(one.count * sequenced.DIGEST_BYTES) }
}
const blob = (random: Random) => random.bytes(random.below(random.pick([2, 60, 300])))

/** Makers of every frame type by its name. */
const HONEST: Record<keyof typeof FrameType, (random: Random) => Uint8Array> = {
  HELLO: randomHello,
  REFUSED: (random) => encodeRefused(random.pick(REFUSALS), random.pick(['', 'table t: é', 'x'.repeat(600)])),
  KEEPALIVE: (random) => control.encodeStatusFrame(FrameType.KEEPALIVE, randomStatus(random)),
  ACK: (random) =>
    control.encodeAck(u53(random), u53(random), {
      received: u53(random),
      applied: u53(random),
      awaited: random.u32(),
    }),
  FOLLOW: (random) =>
    control.encodeFollow(u53(random), { number: u53(random), attach: u53(random), received: u53(random) }),
  CLAIM: (random) =>
    control.encodeClaim({ epoch: u53(random), reason: random.pick(REASONS), status: randomStatus(random) }),
  GRANT: (random) => control.encodeGrant(u53(random), u53(random)),
  DENY: (random) => control.encodeStatusFrame(FrameType.DENY, randomStatus(random)),
  OFFER: (random) =>
    control.encodeOffer(u53(random), { position: u53(random), reason: random.pick(REASONS) }),
  GOODBYE: (random) => control.encodeStatusFrame(FrameType.GOODBYE, randomStatus(random)),
  LEASE_ASK: (random) =>
    control.encodeLeaseAsk(u53(random), { number: u53(random), leaseMs: 100 + random.below(599_901) }),
  LEASE_BOND: (random) => control.encodeLeaseBond(u53(random), { number: u53(random), bound: flag(random) }),
  RESYNC: (random) =>
    numbered(random, FrameType.RESYNC, (writer) =>
      sequenced.writeResync(writer, {
        follow: u53(random),
        digestKey: random.bytes(DIGEST_KEY_BYTES),
        time: random.u32(),
        lineage: hex(random, 8),
        capacities: Array.from({ length: random.below(TABLES_MAX + 1) }, () => random.u32()),
      }),
    ),
  BATCH: (random) => batch(random, FrameType.BATCH),
  SAME: (random) => numbered(random, FrameType.SAME, (writer) => sequenced.writeRun(writer, run(random))),
  IMAGE: (random) =>
    numbered(random, FrameType.IMAGE, (writer) =>
      sequenced.writeImage(writer, random.below(3), random.below(2 ** 21), blob(random)),
    ),
  PROOF: (random) =>
    numbered(random, FrameType.PROOF, (writer) =>
      sequenced.writeDigestRun(writer.u32(random.u32()), digestRun(random)),
    ),
  PROOF_END: (random) => numbered(random, FrameType.PROOF_END, (writer) => writer.u32(random.u32())),
  PROOF_RESULT: (random) =>
    numbered(random, FrameType.PROOF_RESULT, (writer) =>
      sequenced.writeProofResult(writer, {
        token: random.u32(),
        equal: flag(random),
        segments: random.u32(),
        epoch: u53(random),
        sequence: u53(random),
      }),
    ),
  PARTIAL: (random) => batch(random, FrameType.PARTIAL),
  DIFFERENCE: (random) => numbered(random, FrameType.DIFFERENCE, (writer) => writer.u8(random.below(2))),
  OWED: (random) => list(random, FrameType.OWED),
  IMAGE_PART: (random) =>
    numbered(random, FrameType.IMAGE_PART, (writer) =>
      sequenced.writeImagePart(writer, {
        table: random.below(3),
        segment: random.below(2 ** 21),
        first: random.below(1024),
        end: random.below(1025),
        deltas: blob(random),
      }),
    ),
  DIGESTS: (random) =>
    numbered(random, FrameType.DIGESTS, (writer) => sequenced.writeDigestRun(writer, digestRun(random))),
  COMPARED: (random) =>
    numbered(random, FrameType.COMPARED, (writer) =>
      writer.u32(random.u32()).u32(random.u32()).u32(random.u32()),
    ),
  VERIFY: (random) => numbered(random, FrameType.VERIFY, (writer) => writer.u32(random.u32())),
  RESYNC_REQUEST: (random) =>
    numbered(random, FrameType.RESYNC_REQUEST, (writer) => writer.u8(random.below(256))),
  BASE: (random) =>
    numbered(random, FrameType.BASE, (writer) =>
      sequenced.writeOffer(writer, {
        lineage: hex(random, 8),
        epoch: u53(random),
        sequence: u53(random),
        reigned: flag(random),
        changed: random.u32(),
      }),
    ),
  CHANGED: (random) => list(random, FrameType.CHANGED),
}

function batch(random: Random, type: number): Uint8Array {
  return numbered(random, type, (writer) => {
    sequenced.beginBatch(writer, random.u32())
    for (let table = random.below(3); table < 3; table++) sequenced.writeSection(writer, table, blob(random))
  })
}

function list(random: Random, type: number): Uint8Array {
  const one = { table: random.below(3), last: flag(random), list: blob(random) }
  return numbered(random, type, (writer) => sequenced.writeRecordList(writer, one))
}

export const FRAME_NAMES = Object.keys(HONEST) as (keyof typeof FrameType)[]

export const honestFrame = (random: Random, name: keyof typeof FrameType): Uint8Array =>
  HONEST[name](random).slice()

/** What a node makes of a frame's payload, whatever its type; undefined: malformed. */
export function readPayload({ type, epoch, payload }: Frame): unknown {
  switch (type) {
    case FrameType.HELLO:
      return decodeHello(payload)
    case FrameType.REFUSED:
      return decodeRefused(payload)
    case FrameType.KEEPALIVE:
    case FrameType.DENY:
    case FrameType.GOODBYE:
      return control.decodeStatusFrame(payload)
    case FrameType.ACK:
      return control.decodeAck(payload)
    case FrameType.FOLLOW:
      return control.decodeFollow(payload)
    case FrameType.CLAIM:
      return control.decodeClaim(epoch, payload)
    case FrameType.GRANT:
      return control.decodeGrant(payload)
    case FrameType.LEASE_ASK:
      return control.decodeLeaseAsk(payload)
    case FrameType.LEASE_BOND:
      return control.decodeLeaseBond(payload)
    case FrameType.OFFER:
      return control.decodeOffer(payload)
    case FrameType.RESYNC:
      return sequenced.readResync(payload)
    case FrameType.BATCH:
    case FrameType.PARTIAL:
      return sequenced.readBatch(payload)
    case FrameType.SAME:
      return sequenced.readRun(payload)
    case FrameType.IMAGE:
      return sequenced.readImage(payload)
    case FrameType.IMAGE_PART:
      return sequenced.readImagePart(payload)
    case FrameType.PROOF:
      return sequenced.readProof(payload)
    case FrameType.PROOF_END:
    case FrameType.VERIFY:
      return sequenced.readToken(payload)
    case FrameType.PROOF_RESULT:
      return sequenced.readProofResult(payload)
    case FrameType.DIGESTS:
      return sequenced.readDigestRun(payload)
    case FrameType.COMPARED:
      return sequenced.readCompared(payload)
    case FrameType.BASE:
      return sequenced.readOffer(payload)
    case FrameType.OWED:
    case FrameType.CHANGED:
      return sequenced.readRecordList(payload)
    default:
      return undefined
  }
}
