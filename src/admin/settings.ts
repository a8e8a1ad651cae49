// The checked form of the `admin` option (src/settings-admin.ts).

export interface AdminSettings {
  /** As it was given. */
  readonly listen: string
  /** An address, port 0 for one the system chooses; or the path of a unix socket. */
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string }
  /** Undefined: no actions. */
  readonly token: string | undefined
  /** Names a client may ask for besides IP addresses and localhost, in lower case. */
  readonly hosts: readonly string[]
}
