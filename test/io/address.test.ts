// Addresses as the options write them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatAddress, isLoopback, isWildcard, parseAddress, sameFamily } from '../../src/io/address.ts'

const test = suite('address')

test('IPv4 and bracketed IPv6 addresses with a port are read and written alike', () => {
  for (const text of ['10.0.1.1:7401', '[fd00::1]:65535', '[fe80::1%eth0]:1']) {
    assert.is(formatAddress(parseAddress(text)!), text)
  }
})

test('anything else is none', () => {
  const texts = [
    '',
    'host:1',
    '10.0.1.1',
    '10.0.1.1:',
    '10.0.1.1:0',
    '10.0.1.1:70000',
    'fd00::1:7401',
    '[::1]',
  ]
  for (const text of [...texts, '[10.0.1.1]:1', ' 10.0.1.1:1', '10.0.1.1:1 ', '010.0.0.1:1']) {
    assert.is(parseAddress(text), undefined, text)
  }
})

test('loopback, wildcard and family are told apart', () => {
  const host = (text: string) => ({ host: text, port: 1 })
  assert.ok(isLoopback(host('127.9.9.9')) && isLoopback(host('::1')))
  assert.not(isLoopback(host('10.0.0.1')) || isLoopback(host('fd00::1')))
  assert.ok(isWildcard(host('0.0.0.0')) && isWildcard(host('::')) && isWildcard(host('0:0:0:0:0:0:0:0')))
  assert.not(isWildcard(host('::1')) || isWildcard(host('10.0.0.0')))
  assert.ok(sameFamily(host('::1'), host('fd00::1')) && !sameFamily(host('::1'), host('127.0.0.1')))
})

test.run()
