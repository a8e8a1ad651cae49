// The package's version, for what a node shows of itself; a bundle has no package.json to read. test/admin holds the two
// against each other.
export const VERSION: string = '0.1.0'
