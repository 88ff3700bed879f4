import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";

/** The archives that packages come from. */
export type Archive = {
  readonly mirror: string;
  readonly securityMirror: string;
  /** The archive is a snapshot: its metadata may have expired. */
  readonly snapshot: boolean;
  /** The suites that packages come from. */
  readonly suites: Suites;
};

/** `released`: Debian stable as it was released; `current`: with all updates and security updates since. */
export type Suites = "released" | "current";

export type ArchiveOptions = {
  readonly mirror?: string;
  /** For example 20261122T000000Z. */
  readonly snapshot?: string;
  /** Default: current. */
  readonly suites?: Suites;
};

export const SUITE = "trixie";

/** Debian's own addresses, for a machine whose apt configuration names no Debian archive (Ubuntu). */
const DEFAULT_MIRROR = "http://deb.debian.org/debian";
const DEFAULT_SECURITY_MIRROR = "http://deb.debian.org/debian-security";
const SNAPSHOT_ARCHIVE = "https://snapshot.debian.org/archive";

/**
 * Decides where packages come from: a snapshot, a given mirror, the machine's own apt configuration, Debian's addresses.
 *
 * @throws AshlarError `usage` when an option has not the expected form
 */
export async function chooseArchive(options: ArchiveOptions, aptDirectory: string = "/etc/apt"): Promise<Archive> {
  const { suites = "current" } = options;
  if (options.mirror !== undefined && !/^(?:https?|file):\/\/\S+$/u.test(options.mirror)) {
    throw new AshlarError(
      "usage",
      `--mirror: expected an http, https or file URL, found ${JSON.stringify(options.mirror)}`,
    );
  }
  if (options.snapshot !== undefined) {
    if (!/^\d{8}T\d{6}Z$/u.test(options.snapshot)) {
      throw new AshlarError(
        "usage",
        `--snapshot: expected a time such as 20261122T000000Z, found ${JSON.stringify(options.snapshot)}`,
      );
    }
    const base = (options.mirror ?? SNAPSHOT_ARCHIVE).replace(/\/+$/u, "");
    return {
      mirror: `${base}/debian/${options.snapshot}`,
      securityMirror: `${base}/debian-security/${options.snapshot}`,
      snapshot: true,
      suites,
    };
  }
  if (options.mirror !== undefined) {
    const mirror = options.mirror.replace(/\/+$/u, "");
    return { mirror, securityMirror: mirror.replace(/\/debian$/u, "/debian-security"), snapshot: false, suites };
  }
  const sources = await readAptSources(aptDirectory);
  const debian = sources.filter((source) => source.components.includes("main") && !source.uri.includes("ubuntu"));
  const main = debian.find((source) => source.suites.some((suite) => DEBIAN_SUITES.has(suite)) && source.uri !== "");
  const security = debian.find((source) => source.suites.some((suite) => suite.endsWith("-security")));
  return {
    mirror: main?.uri ?? DEFAULT_MIRROR,
    securityMirror: security?.uri ?? DEFAULT_SECURITY_MIRROR,
    snapshot: false,
    suites,
  };
}

const DEBIAN_SUITES = new Set(["bookworm", "trixie", "forky", "sid", "stable", "oldstable", "testing", "unstable"]);

export type AptSource = {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
};

/** Reads one-line and deb822 sources (sources.list(5)). */
export async function readAptSources(aptDirectory: string): Promise<AptSource[]> {
  const parts = join(aptDirectory, "sources.list.d");
  const names = (await readdir(parts).catch((): string[] => [])).toSorted();
  const sources: AptSource[] = [];
  for (const path of [join(aptDirectory, "sources.list"), ...names.map((name) => join(parts, name))]) {
    const text = await readFile(path, "utf8").catch(() => "");
    if (path.endsWith(".sources")) sources.push(...parseDeb822Sources(text));
    else sources.push(...parseOneLineSources(text));
  }
  return sources;
}

function parseOneLineSources(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/u.exec(line.trim());
    const [, uri, suite, components] = match ?? [];
    if (uri === undefined || suite === undefined || components === undefined) return [];
    return [{ uri: uri.replace(/\/+$/u, ""), suites: [suite], components: components.split(/\s+/u) }];
  });
}

function parseDeb822Sources(text: string): AptSource[] {
  return text.split(/\n\s*\n/u).flatMap((stanza) => {
    const field = (name: string): string[] =>
      new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t]+.*)*)`, "imu").exec(stanza)?.[1]?.split(/\s+/u).filter(Boolean) ?? [];
    if (!field("Types").includes("deb") || field("Enabled")[0] === "no") return [];
    return field("URIs").map((uri) => ({
      uri: uri.replace(/\/+$/u, ""),
      suites: field("Suites"),
      components: field("Components"),
    }));
  });
}
