import { AshlarError } from "@ashlar/base";
import { readText } from "@ashlar/host";

const MAX_HOSTS = 10_000;

/** @throws AshlarError when it is not there, or holds something else than hosts */
export async function readHosts(path: string): Promise<readonly string[]> {
  return hostsOf(await readText(path, "a list of hosts"), path);
}

/**
 * One host on a line, as ssh(1) takes it; what follows a # is a remark.
 *
 * @throws AshlarError `invalid` with the line, `limit`
 */
export function hostsOf(text: string, name: string): readonly string[] {
  const hosts: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const host = line.replace(/#.*$/u, "").trim();
    if (host === "") continue;
    if (host.startsWith("-") || !/^[^\s\p{Cc}]{1,255}$/u.test(host)) {
      const found = JSON.stringify(host.slice(0, 100));
      throw new AshlarError("invalid", `expected one host on line ${index + 1} of ${name}, found ${found}`);
    }
    hosts.push(host);
    if (hosts.length > MAX_HOSTS) throw new AshlarError("limit", `expected at most ${MAX_HOSTS} hosts in ${name}`);
  }
  if (hosts.length > 0) return hosts;
  throw new AshlarError("invalid", `expected hosts in ${name}, one on a line, found none`);
}
