import { linesOf } from "./lines.ts";
import type { Installation, PackageFiles, Snapshot } from "./snapshot.ts";

export type Packages = Pick<Snapshot, "packages" | "owned" | "configurationFiles" | "installations">;
type Texts = ReadonlyMap<string, string>;

export const NO_PACKAGES: Packages = {
  packages: new Map(),
  owned: [],
  configurationFiles: new Set(),
  installations: [],
};

/** What `dpkg-query -W` lists, /var/lib/dpkg/info/*.list, and dpkg.log(1). */
export function readDpkg(texts: Texts, files: readonly PackageFiles[], paths: RealPathsOfNode): Packages {
  const rows = linesOf(texts.get("dpkg")).map((line) => line.split("\t"));
  // The status' second letter says what is there (dpkg-query(1)): config files alone, or nothing, is no package.
  const there = rows.filter(([, , status = ""]) => !/^.[nc]/u.test(status));
  // " /etc/issue 0f2b..." and an optional word.
  const configured = linesOf(texts.get("dpkg-conffiles")).map(
    (line) => /^ (?<path>\/.*?) [0-9a-f]{32}(?: |$)/u.exec(line)?.groups?.["path"] ?? "",
  );
  return {
    packages: new Map(there.map(([name = "", version = ""]) => [name, version])),
    owned: files.map((each) => paths.owned(each)),
    configurationFiles: new Set(configured.map((path) => paths.path(path.replaceAll("\\", "\\\\")))),
    installations: linesOf(texts.get("dpkg-log")).flatMap(readLogLine),
  };
}

/** `2026-03-01 10:00:00 upgrade openssl:amd64 3.5.1-1 3.5.1-2`, of which "upgrade" can also mean a version less. */
function readLogLine(line: string): Installation[] {
  const [date, time, action, name = ""] = line.split(" ");
  if (action === "install" || action === "upgrade" || action === "remove")
    return [{ at: `${date} ${time}`, action, name }];
  return action === "purge" ? [{ at: `${date} ${time}`, action: "remove", name }] : [];
}

/** What `rpm -qa` says. */
export function readRpm(texts: Texts, files: readonly PackageFiles[], paths: RealPathsOfNode): Packages {
  const rows = linesOf(texts.get("rpm")).map((line) => line.split("\t"));
  const owned = files.map((each) => paths.owned(each));
  // A kernel can be there in several versions.
  const packages = new Map<string, string>();
  for (const [name = "", version = ""] of rows) {
    const before = packages.get(name);
    packages.set(name, before === undefined ? version : [...before.split(", "), version].toSorted().join(", "));
  }
  const installations = rows.map(([name = "", , seconds = ""]): Installation => ({
    at: dateOf(seconds),
    action: "install",
    name,
  }));
  return {
    packages,
    owned,
    configurationFiles: new Set(owned.flatMap(({ configuration }) => configuration)),
    installations: installations.toSorted((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0)),
  };
}

function dateOf(seconds: string): string {
  const date = /^\d{1,10}$/u.test(seconds) ? new Date(Number(seconds) * 1000) : undefined;
  return date?.toISOString().slice(0, 19).replace("T", " ") ?? "";
}

/** Where files of packages are, on nodes with these links at the top. */
export class RealPathsOfNode {
  readonly #links: ReadonlyMap<string, string>;
  readonly #owned = new Map<PackageFiles, PackageFiles>();

  constructor(links: ReadonlyMap<string, string>) {
    this.#links = links;
  }

  path(written: string): string {
    const end = written.indexOf("/", 1);
    const link = end === -1 ? undefined : this.#links.get(written.slice(1, end));
    return link === undefined ? written : `${link}${written.slice(end)}`;
  }

  /** One object for what is one object. */
  owned(files: PackageFiles): PackageFiles {
    const known = this.#owned.get(files);
    if (known !== undefined) return known;
    const found = {
      owner: files.owner,
      paths: files.paths.map((path) => this.path(path)),
      configuration: files.configuration.map((path) => this.path(path)),
    };
    this.#owned.set(files, found);
    return found;
  }
}

export class RealPaths {
  readonly #byLinks = new Map<string, RealPathsOfNode>();

  /** Mostly the same for all nodes. */
  of(links: ReadonlyMap<string, string>): RealPathsOfNode {
    const key = [...links].flat().join("\0");
    const known = this.#byLinks.get(key) ?? new RealPathsOfNode(links);
    this.#byLinks.set(key, known);
    return known;
  }
}
