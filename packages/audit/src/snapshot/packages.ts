import { linesOf } from "./lines.ts";
import type { Installation, Snapshot } from "./snapshot.ts";

export type Packages = Pick<Snapshot, "packages" | "owners" | "configurationFiles" | "installations">;
type Texts = ReadonlyMap<string, string>;
/** Directories at the top that are links: name to path. */
type TopLinks = ReadonlyMap<string, string>;

/** What `dpkg-query -W` lists, /var/lib/dpkg/info/*.list, and dpkg.log(1). */
export function readDpkg(texts: Texts, links: TopLinks): Packages {
  const rows = linesOf(texts.get("dpkg")).map((line) => line.split("\t"));
  // The status' second letter says what is there (dpkg-query(1)): config files alone, or nothing, is no package.
  const there = rows.filter(([, , status = ""]) => !/^.[nc]/u.test(status));
  const owners = new Map<string, string>();
  let owner = "";
  for (const line of linesOf(texts.get("dpkg-files"))) {
    const head = /^==> (?:.*\/)?(?<name>[^/]+)\.list <==$/u.exec(line);
    if (head?.groups !== undefined) owner = head.groups["name"] ?? "";
    else if (line.startsWith("/")) owners.set(realPath(line, links), owner);
  }
  // " /etc/issue 0f2b..." and an optional word.
  const configured = linesOf(texts.get("dpkg-conffiles")).map((line) =>
    /^ (?<path>\/.*?) [0-9a-f]{32}(?: |$)/u.exec(line),
  );
  return {
    packages: new Map(there.map(([name = "", version = ""]) => [name, version])),
    owners,
    configurationFiles: new Set(configured.map((found) => realPath(found?.groups?.["path"] ?? "", links))),
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

/** What `rpm -qa` says: names, and for each file a line with the package, flags and path. */
export function readRpm(texts: Texts, links: TopLinks): Packages {
  const rows = linesOf(texts.get("rpm")).map((line) => line.split("\t"));
  const owners = new Map<string, string>();
  const configurationFiles = new Set<string>();
  for (const line of linesOf(texts.get("rpm-files"))) {
    const [owner = "", flags = "", ...rest] = line.split("\t");
    const path = realPath(rest.join("\t"), links);
    owners.set(path, owner);
    // rpm's own letters: c for configuration.
    if (flags.includes("c")) configurationFiles.add(path);
  }
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
    owners,
    configurationFiles,
    installations: installations.toSorted((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0)),
  };
}

function dateOf(seconds: string): string {
  const date = /^\d{1,10}$/u.test(seconds) ? new Date(Number(seconds) * 1000) : undefined;
  return date?.toISOString().slice(0, 19).replace("T", " ") ?? "";
}

/** Written as paths in snapshots are, with a link at the top followed. */
function realPath(path: string, links: TopLinks): string {
  const written = path.replaceAll("\\", "\\\\");
  const end = written.indexOf("/", 1);
  const link = end === -1 ? undefined : links.get(written.slice(1, end));
  return link === undefined ? written : `${link}${written.slice(end)}`;
}
