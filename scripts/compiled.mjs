// For the tests' processes: node --import scripts/compiled.mjs FILE.ts. TypeScript is read as scripts/test.mjs compiled it, all of
// it once, into the folder HOLDFAST_COMPILED. A loader that compiles costs each process about 0.4 s of a processor.
import { register } from 'node:module'

register('./compiled-hooks.mjs', import.meta.url)
