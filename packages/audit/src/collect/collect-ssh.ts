import { AshlarError } from "@ashlar/base";
import { collect, type CollectOptions, type Received } from "./collect.ts";
import { lastLine } from "./last-line.ts";

export type SshOptions = CollectOptions & {
  /** In place of the user's own configuration. */
  readonly config?: string | undefined;
};

/** As root if that needs no password. In words that every login shell knows the same, not only those of POSIX. */
const START = `sh -c 'if [ "$(id -u)" = 0 ] || ! sudo -n sh -c : 2>/dev/null; then exec sh -s; else exec sudo -n sh -s; fi'`;

const CONNECT_SECONDS = 20;
/** What ssh(1) ends with when it has an error of its own. */
const SSH_ERROR = 255;

/**
 * Runs the collector on a host that OpenSSH reaches with the user's own configuration, without a question. Nothing is left there.
 *
 * @throws AshlarError `unavailable` when it cannot be reached or nothing comes any more, `failed` when the collector cannot run there,
 *   `limit`, `interrupted`
 */
export async function collectSsh(host: string, { config, ...options }: SshOptions): Promise<Received> {
  // No name of a host begins so, and ssh would take it for an option.
  if (host.startsWith("-")) throw new AshlarError("usage", `expected the name of a host, found ${host}`);
  const words = ["-T", "-o", "BatchMode=yes", "-o", `ConnectTimeout=${CONNECT_SECONDS}`];
  const args = [...words, ...(config === undefined ? [] : ["-F", config]), "--", host, START];
  return await collect("ssh", args, options, (status, stderr) =>
    status === SSH_ERROR ? new AshlarError("unavailable", lastLine(stderr) ?? "ssh could not connect") : undefined,
  );
}
