// HMAC-SHA-256 of heartbeats, for src/wire, which knows no crypto library.
import { createHmac } from 'node:crypto'
import type { Mac } from '../wire/heartbeat.ts'

export const hmacSha256: Mac = (key, bytes) => createHmac('sha256', key).update(bytes).digest()
