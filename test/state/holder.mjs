// Holds the lock of a directory until it is killed. For lock.test.ts.
import { takeLock } from '../../dist/state/lock.js'

try {
  await takeLock(process.argv[2])
  console.log('held')
  process.stdin.resume()
} catch (error) {
  console.log(error.code)
}
