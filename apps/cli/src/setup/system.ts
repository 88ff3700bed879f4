import { parseEnv } from "node:util";

/** What os-release(5) says of a machine, as far as setting it up depends on it. */
export type System = {
  /** The distribution, for example `debian`. */
  readonly id: string;
  /** For people, for example `Debian GNU/Linux 12 (bookworm)`. */
  readonly name: string;
  readonly supported: boolean;
  /** The suite to take packages from that the release itself has too old, for example `bookworm-backports`. */
  readonly backports?: { readonly suite: string; readonly of: string };
};

export function parseSystem(osRelease: string): System {
  const { ID: id = "", VERSION_ID: version, PRETTY_NAME: name = "an unknown system" } = parseEnv(osRelease);
  switch (`${id} ${version}`) {
    case "debian 12":
      return { id, name, supported: true, backports: { suite: "bookworm-backports", of: "bookworm" } };
    case "debian 13":
    case "ubuntu 24.04":
      return { id, name, supported: true };
    default:
      return { id, name, supported: false };
  }
}
