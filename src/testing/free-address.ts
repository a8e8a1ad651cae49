// Addresses that nobody has at the moment.
import { ConfigError } from '../errors.ts'
import { type Address, formatAddress } from './address.ts'
import { bindTcp, bindUdp } from './bind.ts'

// Below the range that systems hand out by themselves (Linux from 32768, others from 49152), so that a port keeps free
// while nobody has it bound: a cable's port is shut while the far node is down.
const PORT_FIRST = 15_000
const PORT_COUNT = 17_000
const TRIES = 200

/**
 * An address on 127.0.0.1 whose port is free for TCP and UDP at the moment of the call.
 * @throws ConfigError when 200 random ports between 15000 and 31999 were all taken
 */
export async function freeAddress(): Promise<string> {
  for (let tries = 0; tries < TRIES; tries++) {
    const address = { host: '127.0.0.1', port: PORT_FIRST + Math.floor(Math.random() * PORT_COUNT) }
    if ((await isFree(address, bindTcp)) && (await isFree(address, bindUdp))) return formatAddress(address)
  }
  throw new ConfigError(
    `freeAddress: ${TRIES} ports between ${PORT_FIRST} and ${PORT_FIRST + PORT_COUNT - 1} are taken`,
  )
}

async function isFree<T extends { close(done: () => void): unknown }>(
  address: Address,
  bind: (address: Address) => Promise<T>,
): Promise<boolean> {
  try {
    const bound = await bind(address)
    await new Promise<void>((done) => bound.close(done))
    return true
  } catch {
    return false
  }
}
